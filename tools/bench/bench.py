#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One command, one table: what kvgate costs, beside what others cost that do some of its work.

Parts: packets (test runs), live (traffic), commands (from exec on), agent. See their files, and table.py for
how it is measured. Ends with 1 if a goal is missed.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import goals
import part_agent
import part_commands
import part_live
import part_packets
import table

PARTS = [part_packets, part_live, part_commands, part_agent]


class Place:
    """Where all of it happens; made and undone by tools/bench/run."""

    def __init__(self, options):
        self.here = pathlib.Path(__file__).resolve().parent
        self.build, self.kvgate = os.environ["BENCH_BUILD"], os.environ["KVGATE"]
        self.data = pathlib.Path(os.environ["KVGATE_TEST_DATA"])
        self.scratch = pathlib.Path(os.environ["BENCH_SCRATCH"])
        self.bpffs = self.scratch / "bpf"
        self.cgroups = {name: os.environ[f"BENCH_{name.upper()}"] for name in ("systemd", "commands")}
        self.cpu = max(os.sched_getaffinity(0))
        self.hurry = 10 if options.hurry else 1
        os.environ["SCRATCH"] = str(self.scratch)

    def environment(self):
        return {**os.environ, "KVGATE": self.kvgate, "BENCH_BUILD": self.build}


def chosen(name, patterns):
    """A pattern with wildcards is about all of "part: case", one without about any piece of it."""
    return not patterns or any(
        fnmatch.fnmatch(name, one) if any(c in one for c in "*?[") else one in name for one in patterns)


def select(cases, patterns):
    """With those that they are compared with, and those without which they would not be what they are."""
    keep = [any(chosen(row.key, patterns) for row in case.rows) for case in cases]
    bases = {row.base for case, kept in zip(cases, keep) if kept for row in case.rows}
    chains = {case.chain for case, kept in zip(cases, keep) if kept and case.chain}
    return [case for case, kept in zip(cases, keep)
            if kept or case.chain in chains or any(row.key in bases for row in case.rows)]


def measure(module, place, options):
    """Returns the rows of a part and what could not be measured."""
    part = module.Part(place)
    try:
        cases = select(list(part.cases(lambda name: chosen(name, options.only))), options.only)
        repetitions = options.repetitions or max(2, module.REPETITIONS // place.hurry)
        for i in range(repetitions if cases else 0):
            print(f"{module.NAME}: {i + 1} of {repetitions}", end="\r", file=sys.stderr, flush=True)
            for case in table.mixed(cases, i):
                case.repeat()
            time.sleep(module.SETTLE_SECONDS)
    finally:
        part.close()
    return [row for case in cases for row in case.rows], part.left_out


def about(place):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "?")
    version = subprocess.run([place.kvgate, "--version"], stdout=subprocess.PIPE, text=True, check=False)
    return {"kvgate": version.stdout.strip(), "kernel": platform.release(), "processor": model,
            "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write all numbers there as well")
    parser.add_argument("--only", action="append", metavar="PATTERN",
                        help="only cases whose \"part: name\" has this in it; with * ? [, is that; repeatable")
    parser.add_argument("--repetitions", type=int, metavar="N", help="instead of each part's own number")
    parser.add_argument("--hurry", action="store_true", help="a tenth of it, to see that it works")
    return parser.parse_args()


def main():
    options = arguments()
    place = Place(options)
    facts = about(place)
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    everything, left_out = {}, []
    for module in PARTS:
        if not wanted_at_all(module, options.only):
            continue
        rows, missing = measure(module, place, options)
        everything |= {row.key: row for row in rows}
        left_out += [f"{module.NAME}: {reason}" for reason in missing]
        if rows:
            table.show_part(module.NAME, rows, everything)
    judged = goals.judge(everything)
    if judged:
        table.show_goals(judged)
    for reason in left_out:
        print(f"left out: {reason}")
    if options.json:
        result = {**facts, "rows": [row.as_json(everything) for row in everything.values()],
                  "goals": judged, "left_out": left_out}
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if any(not goal["met"] for goal in judged) else 0


def wanted_at_all(module, patterns):
    """Setting a part up takes seconds: not if every pattern names another one."""
    others = tuple(f"{one.NAME}:" for one in PARTS if one is not module)
    return not patterns or any(not pattern.startswith(others) for pattern in patterns)


sys.exit(main())
