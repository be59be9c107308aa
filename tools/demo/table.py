#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""table.py WITHOUT WITH RECORDS POLICY: the two passes of the client side by side, and the records.

A refusal's reason is the one of its record; what was let through is explained by `kvgate explain`.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

WITHOUT, WITH, RECORDS, POLICY = sys.argv[1:]
TOP = pathlib.Path(__file__).resolve().parents[2]
KVGATE = os.environ["KVGATE"]

# "refused, because ...": the words are those of the table that kernel side and user space share.
MEANINGS = dict(re.findall(r'X\(\w+, "(\w+)",[\s\\]*"([^"]+)"\)',
                           (TOP / "include/kvg_event.h").read_text(encoding="utf-8")))


def read(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def record_of(row, records):
    """The record of a refused attempt: same destination and service; raw sockets have neither."""
    for record in records:
        destination = record.get("destination", {})
        service = f"{record['network']['transport']}/{destination.get('port')}"
        if destination.get("ip") == row["address"] and service == row["service"]:
            return record
        if "/" not in row["service"] and record["event"]["reason"] == "socket_type":
            return record
    return None


def sources_of(row):
    """The tags, sets and names that the rule which let it through was made from."""
    address = f"[{row['address']}]" if ":" in row["address"] else row["address"]
    protocol, port = row["service"].split("/")
    said = subprocess.run([KVGATE, "explain", f"{address}:{port}/{protocol}", "--policy", POLICY,
                           "--json"], stdout=subprocess.PIPE, check=True)
    sources = json.loads(said.stdout)["rule"]["from"]
    return ", ".join(source for source in sources if source.removeprefix("dns:") == row["name"]
                     or not source.startswith("dns:"))


def reason_of(row, records):
    record = record_of(row, records)
    return record["event"]["reason"] if record else "NO RECORD"


def verdict(row):
    return f"{'through' if row['through'] else 'REFUSED':<8}{row['ms']:>4.0f} ms"


def show_table(without, behind, whys):
    titles = ("what", "who", "address", "service", "without kvgate", "behind kvgate", "why")
    lines = [(new["what"], new["name"], new["address"], new["service"], verdict(old), verdict(new),
              why) for old, new, why in zip(without, behind, whys, strict=True)]
    widths = [max(map(len, column)) for column in zip(titles, *lines)]
    headings = {"needed": "what a vault client needs", "tried": "what a thief would try"}

    def show(line):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())

    show(titles)
    last = None
    for row, line in zip(behind, lines):
        if row["part"] != last:
            last = row["part"]
            print(f"-- {headings[last]}")
        show(line)

    print()
    for word, meaning in MEANINGS.items():
        if word in whys:
            print(f"{word + ':':<24}{meaning}")


def show_records(records):
    print(f"\n{len(records)} records, each one JSON line. The first, with a line break per field:\n")
    for key, value in records[0].items():
        print(f"  {json.dumps(key)}: {json.dumps(value)}")


def main():
    without, behind, records = read(WITHOUT), read(WITH), read(RECORDS)
    whys = [sources_of(row) if row["through"] else reason_of(row, records) for row in behind]
    show_table(without, behind, whys)
    show_records(records)

    wrong = [row for row in behind if row["through"] != (row["part"] == "needed")]
    wrong += [row for row in without if not row["through"]]
    wrong += [row for row, why in zip(behind, whys) if why == "NO RECORD"]
    for row in wrong:
        print(f"NOT AS IT SHOULD BE: {row['what']}: {row['said']}", file=sys.stderr)
    if wrong:
        return 1
    secret = next(json.loads(row["body"])["value"] for row in behind if row["what"] == "read the secret")
    print(f'\nBehind the gate the client read its secret ("{secret}") all the same.')
    return 0


sys.exit(main())
