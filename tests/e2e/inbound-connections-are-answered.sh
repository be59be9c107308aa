#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Connections that others open towards the client are answered, by socket: an outbound connection
# from the listener's own port is not an answer. `--inbound deny` refuses them with their own reason.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/9000
new_cgroup app && CG=$REPLY

# The service inside the gate, and somebody outside who asks it.
listen_inside() {
	spawn bash -c 'echo 0 >"$1/cgroup.procs"; exec nsenter --net="$2" -- "$3" "$4" tcp/443' \
		listen "$CG" "/run/netns/$CLIENT" "$E2E/serve" "$SCRATCH/service"
	wait_for 5 grep -q ready "$SCRATCH/service"
}
ask() { server "$E2E/probe" --timeout 1 tcp "$1" 443; }

kvgate attach --ranges "$RANGES" --resolver none "$CG"
listen_inside
ask 192.0.2.2 || fail "IPv4 was not answered"
ask 2001:db8::2 || fail "IPv6 was not answered"
ask 192.0.2.2 || fail "a second connection was not answered"

# Out of a port that a listener of its own has, too.
from_listeners_port() {
	gated python3 - "$1" <<'PYTHON'
import errno, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 7443))
listener.listen()
outbound = socket.socket()
outbound.settimeout(1)
outbound.bind(("192.0.2.2", 7443))
try:
    outbound.connect((sys.argv[1], 9000))
    print("reached")
except OSError as error:
    print(errno.errorcode.get(error.errno, error))
PYTHON
}
same "from a listener's port" EPERM "$(from_listeners_port 203.0.113.9)"
refused tcp 203.0.113.9 9000

kvgate attach --ranges "$RANGES" --resolver none --inbound deny "$CG"
ask 192.0.2.2 && fail "was answered although the profile denies it"
holds "$(kvgate status)" '\(inbound_denied\)'
