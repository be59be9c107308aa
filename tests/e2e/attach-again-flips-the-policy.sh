#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `attach` on a gated cgroup puts the new policy in force at once, also on a cgroup that `run` made, and
# leaves the old one in force if the new one is no good; at no moment is a packet let through that
# neither of the two allows, or refused that both allow.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program bpftool
new_network
serve udp/53
new_cgroup app && CG=$REPLY

attach() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@"; }
attach --allow 203.0.113.1/32=udp/53 --allow 203.0.113.9/32=udp/53 "$CG"
reached udp 203.0.113.1 53
refused udp 203.0.113.2 53

cat >"$SCRATCH/knock" <<'PYTHON'
#!/usr/bin/python3
# Sends all the time to one that is always and to one that is never allowed; counts what is wrong.
import socket, sys, os

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wrong = rounds = 0
while not os.path.exists(sys.argv[1]):
    for address, allowed in ("203.0.113.9", True), ("203.0.113.77", False):
        try:
            sock.sendto(b"x", (address, 53))
            wrong += not allowed
        except PermissionError:
            wrong += allowed
    rounds += 1
print(wrong, rounds)
PYTHON
chmod +x "$SCRATCH/knock"
gated "$SCRATCH/knock" "$SCRATCH/end" >"$SCRATCH/knocked" &
knock=$!
for generation in {2..12}; do
	holds "$(attach --allow "203.0.113.$((generation % 2 + 1))/32=udp/53" \
		--allow 203.0.113.9/32=udp/53 "$CG")" "generation $generation$"
done
touch "$SCRATCH/end"
wait "$knock"
read -r wrong rounds <"$SCRATCH/knocked"
same "wrong verdicts" 0 "$wrong"
((rounds > 100)) || fail "only $rounds rounds"
reached udp 203.0.113.1 53
refused udp 203.0.113.2 53

attach --allow 203.0.113.2/31=tcp/99999 "$CG" 2>/dev/null && fail "a port that is none was taken"
attach --ranges "$SCRATCH/none" "$CG" 2>/dev/null && fail "ranges that are not there were taken"
reached udp 203.0.113.1 53
holds "$(kvgate status --json | tr -d ' ')" '"generation":12'

# A flip does not mend a gate whose program somebody took away: that is said.
bpftool link detach pinned "$(find "$SCRATCH/bpf" -path '*/links/*/egress')"
said=$(attach "$CG" 2>&1) && fail "a gate that does not hold was not noticed"
holds "$said" 'does not hold.*egress'
kvgate detach "$CG"

prepare_run
spawn nsenter --net="/run/netns/$CLIENT" -- "${RUN[@]}" -- sleep 1000
found() { CGROUP=$(find "$CG" -mindepth 1 -type d) && [[ -n $CGROUP && -n $(<"$CGROUP/cgroup.procs") ]]; }
wait_for 5 found || fail "run did not start"
said=$(client_in "$CGROUP" "$E2E/probe" udp 203.0.113.1 53) && fail "not gated"
attach --allow 203.0.113.1/32=udp/53 "$CGROUP"
client_in "$CGROUP" "$E2E/probe" udp 203.0.113.1 53
said=$(attach --audit-file "$SCRATCH/record" "$CGROUP" 2>&1) && fail "run's record was taken"
holds "$said" 'recorded by kvgate run'
