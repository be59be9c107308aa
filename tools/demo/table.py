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
MEANINGS = dict(re.findall(r'X\(\w+, "(\w+)",\s*"([^"]+)"\)',
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


def grant_of(row):
    address = f"[{row['address']}]" if ":" in row["address"] else row["address"]
    protocol, port = row["service"].split("/")
    said = subprocess.run([KVGATE, "explain", f"{address}:{port}/{protocol}", "--policy", POLICY,
                           "--json"], stdout=subprocess.PIPE, check=True)
    rule = json.loads(said.stdout)["rule"]
    return f"{rule['prefix']} is {', '.join(rule['from'])}"


def why(row, records):
    if row["through"]:
        return grant_of(row)
    record = record_of(row, records)
    if not record:
        return f"NO RECORD: {row['said']}"
    reason = record["event"]["reason"]
    return f"{reason}: {MEANINGS[reason]}"


def verdict(row):
    return f"{'through' if row['through'] else 'REFUSED':<8}{row['ms']:>5.0f} ms"


def main():
    records = read(RECORDS)
    titles = ("what", "who", "address", "service", "without kvgate", "behind kvgate", "why")
    rows = [(new["what"], new["name"], new["address"], new["service"], verdict(old), verdict(new),
             why(new, records)) for old, new in zip(read(WITHOUT), read(WITH), strict=True)]
    parts = [row["part"] for row in read(WITH)]
    widths = [max(len(row[i]) for row in [titles, *rows]) for i in range(len(titles) - 1)] + [0]

    def line(row):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())

    line(titles)
    for part, heading in ("needed", "what a vault client needs"), ("tried", "what a thief would try"):
        print(f"-- {heading}")
        for row in (row for row, its in zip(rows, parts) if its == part):
            line(row)

    print(f"\n{len(records)} records were written, one JSON line per refused flow. The first:\n")
    print(json.dumps(records[0], indent=2) if records else "none")

    wrong = [row for row in read(WITH) if row["through"] != (row["part"] == "needed")]
    wrong += [row for row in read(WITHOUT) if not row["through"]]
    for row in wrong:
        print(f"NOT AS IT SHOULD BE: {row['what']}: {row['said']}", file=sys.stderr)
    return 1 if wrong or any(cells[-1].startswith("NO RECORD") for cells in rows) else 0


sys.exit(main())
