# SPDX-License-Identifier: BSD-2-Clause
"""agent: the node agent with 500 gates of 50 profiles, from start to stop and at rest (agent.py), and its gates
alone in the kernel (gates.c), with 1,000 and with 10,000 prefixes.
"""
import pathlib
import re
import subprocess
import types

from table import Case, Row

NAME, REPETITIONS, SETTLE_SECONDS = "agent", 3, 0
GATES, PROFILES = 500, 50
REST_SECONDS = 60
LINE = re.compile(r"^(.{46}) *([\d.]+) (\S+) +cpu +([\d.]+) ms", re.MULTILINE)

VALUES = {"first start": "ms", "first start, cpu": "ms", "start again": "ms", "start again, cpu": "ms",
          "at rest": "%", "memory": "MB"}
GATE_VALUES = {"an empty set": "ms", "  and every policy": "ms", "  and every gate": "ms",
               "one gate, median": "ms", "all of it taken over": "ms", "  and every gate put again": "ms",
               "a round of the check": "ms", "a round of the check, with the canary": "ms",
               "another policy on all gates": "ms"}


class Part:
    def __init__(self, place):
        self.place, self.left_out = place, []
        self.prepared = None

    def gates(self, prefixes):
        program = pathlib.Path(self.place.build, "tools/bench/gates")
        done = subprocess.run([program, str(GATES), str(PROFILES), str(prefixes)], text=True,
                              stdout=subprocess.PIPE, check=False)  # 1: a goal of its own is missed
        found = {name.rstrip(): float(value) for name, value, _, _ in LINE.findall(done.stdout)}
        missing = GATE_VALUES.keys() - found.keys()
        if missing:
            raise SystemExit(f"bench: gates said nothing of {sorted(missing)}")
        return tuple(found[name] for name in GATE_VALUES)

    def life(self):
        import agent  # pylint: disable=import-outside-toplevel
        arguments = types.SimpleNamespace(gates=GATES, profiles=PROFILES, prefixes=10000,
                                          rest=REST_SECONDS // self.place.hurry)
        if not self.prepared:
            agent.prepare(arguments)
            self.prepared = True
        values = agent.measure(self.place.kvgate, arguments)
        return tuple(values[name] for name in VALUES)

    def cases(self, _wanted):
        yield Case([Row(NAME, name, unit) for name, unit in VALUES.items()], self.life)
        for prefixes, label in ((1000, "gates"), (10000, "gates of 10,000 prefixes")):
            yield Case([Row(NAME, f"{label}: {name.strip()}", unit)
                        for name, unit in GATE_VALUES.items()],
                       lambda prefixes=prefixes: self.gates(prefixes))

    def close(self):
        pass
