#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 2,000 refusals of 2,000 ports add up to exactly 2,000 in the file, one for each port; so do 60,000 of
# 20,000 ports, more than the ring holds, and 100,000 of one flow, which are few lines.
# Runs alone: it takes the time.
. "$(dirname "$0")/lib.sh"
need_kvgate
prepare_run

cat >"$SCRATCH/scan" <<'PYTHON'
#!/usr/bin/python3
import socket, sys, time

ports, times = int(sys.argv[1]), int(sys.argv[2])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
refused = 0
start = time.monotonic()
for _ in range(times):
    for port in range(20000, 20000 + ports):
        try:
            sock.sendto(b"x", ("203.0.113.9", port))
        except PermissionError:
            refused += 1
print(refused, f"in {time.monotonic() - start:.3f} s")
sys.exit(refused != ports * times)
PYTHON
chmod +x "$SCRATCH/scan"

# recorded PORTS TIMES: scan, and check that every port has exactly TIMES in the file
recorded() {
	rm -f "$SCRATCH/record"
	"${RUN[@]}" --quiet --audit-file "$SCRATCH/record" -- "$SCRATCH/scan" "$1" "$2"
	same "sum of $1 ports" "$(($1 * $2))" "$(sum_of "$SCRATCH/record")"
	python3 - "$SCRATCH/record" "$1" "$2" <<'PYTHON'
import collections, json, sys

counts = collections.Counter()
for line in open(sys.argv[1]):
    record = json.loads(line)
    counts[record["destination"]["port"]] += record["kvgate"]["count"]
expected = {20000 + i: int(sys.argv[3]) for i in range(int(sys.argv[2]))}
sys.exit(counts != expected)
PYTHON
}

recorded 2000 1
recorded 2000 10
recorded 20000 3
recorded 1 100000
(($(wc -l <"$SCRATCH/record") < 10)) || fail "repeats were not folded"
nothing_left
