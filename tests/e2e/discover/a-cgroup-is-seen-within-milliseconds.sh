#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A cgroup is seen within 5 ms of being made, in the median; of 200 made in one burst, each with two below,
# none is missed; nor is their end, and one that is made again is another one.
# Runs alone: it takes the time.
. "$(dirname "$0")/lib.sh"
observe
new_cgroup burst && CG=$REPLY

python3 - "$CG" "$SEEN" "$PATIENCE" <<'PYTHON'
import json, os, statistics, sys, time

top, seen_path, patience = sys.argv[1], sys.argv[2], int(sys.argv[3])
below = "/" + os.path.basename(top)


def seen(sign):
    with open(seen_path) as file:
        lines = [json.loads(line) for line in file.read().splitlines() if line.startswith("{")]
    return {line["cgroup"]: line["ns"] for line in lines if line["sign"] == sign}


def wait_for(sign, wanted):
    end = time.monotonic() + 10 * patience
    while not wanted <= seen(sign).keys():
        if time.monotonic() > end:
            sys.exit(f"{len(wanted - seen(sign).keys())} of {len(wanted)} were not seen ({sign})")
        time.sleep(0.05)
    return seen(sign)


def make(name):
    made[f"{below}/{name}"] = time.monotonic_ns()
    os.mkdir(f"{top}/{name}")


def latencies(told):
    return sorted((told[path] - at) / 1e6 for path, at in made.items())


made = {}
for number in range(50):
    make(f"one{number}")
    time.sleep(0.01)
single = latencies(wait_for("+", made.keys()))
print(f"one by one: median {statistics.median(single):.2f} ms, worst {single[-1]:.2f} ms")
assert statistics.median(single) <= 5 * patience, single

made = {}
for number in range(200):
    for name in f"c{number}", f"c{number}/init", f"c{number}/init/inner":
        make(name)
burst = latencies(wait_for("+", made.keys()))
print(f"600 in a burst: median {statistics.median(burst):.2f} ms, worst {burst[-1]:.2f} ms")

for path in sorted(made, reverse=True):
    os.rmdir(os.path.dirname(top) + path)
wait_for("-", made.keys())

before = seen("+")
made = {f"{below}/one0": 0}
os.rmdir(f"{top}/one0")
os.mkdir(f"{top}/one0")
os.mkdir(f"{top}/one0/inner")
wait_for("+", {f"{below}/one0/inner"})
assert seen("+")[f"{below}/one0"] > before[f"{below}/one0"]
PYTHON
