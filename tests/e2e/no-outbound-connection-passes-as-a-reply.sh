#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Connections that the client opened are judged by their destination, however much they look like ones
# that others opened: out of a listener's port, out of a socket that was accepted before, by a
# simultaneous open, out of a port in TIME_WAIT. When the policy loses their destination they end;
# a connection that others did open stays.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
need_program jq
new_network
serve tcp/9000
new_cgroup app && CG=$REPLY
RECORD=$SCRATCH/record

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }
gate --allow 203.0.113.9/32=tcp/9000 --allow 203.0.113.77/32=tcp/9001 --audit-file "$RECORD"

cat >"$SCRATCH/client.py" <<'PYTHON'
import ctypes, errno, socket, sys

PEER = ("203.0.113.9", 9000)
REUSE = {"reuseaddr": socket.SO_REUSEADDR, "reuseport": socket.SO_REUSEPORT}

def report(what, action):
    try:
        action()
        print(what, "reached", flush=True)
    except OSError as error:
        print(what, errno.errorcode.get(error.errno, error), flush=True)

def bound(option, address, port):
    sock = socket.socket()
    sock.settimeout(30)
    sock.setsockopt(socket.SOL_SOCKET, option, 1)
    sock.bind((address, port))
    return sock

def greeted(sock, peer):
    sock.connect(peer)
    sock.recv(100)

conns = {}
listeners = []
for number, (name, option) in enumerate(REUSE.items()):
    listener = bound(option, "", 7001 + number)
    conns[name] = bound(option, "192.0.2.2", 7001 + number)
    listener.listen()
    listeners.append(listener)
    report(name, lambda: greeted(conns[name], PEER))

# Accepted over loopback, disconnected, and then aimed at somebody else.
local = socket.create_server(("", 0))
inner = socket.create_connection(("127.0.0.1", local.getsockname()[1]))
conns["accepted"], _ = local.accept()
conns["accepted"].settimeout(30)
unspec = bytes(16)
if ctypes.CDLL(None).connect(conns["accepted"].fileno(), unspec, len(unspec)) != 0:
    sys.exit("the accepted socket does not disconnect")
report("accepted", lambda: greeted(conns["accepted"], PEER))

# The peer's SYN meets ours on the way: there is no listener on this port.
conns["crossed"] = bound(socket.SO_REUSEADDR, "192.0.2.2", 7555)
print("crossing", flush=True)
report("crossed", lambda: conns["crossed"].connect(("203.0.113.77", 9001)))

# What others opened.
service = socket.create_server(("192.0.2.2", 7443))
print("listening", flush=True)
inbound, stranger = service.accept()

sys.stdin.readline()
for name, conn in conns.items():
    report(name, lambda: conn.sendall(b"out"))
report("inbound", lambda: inbound.sendall(b"answer"))
inbound.close()
service.close()
sys.stdin.readline()
again = bound(socket.SO_REUSEADDR, "192.0.2.2", 7443)
report("timewait", lambda: again.connect(stranger))
PYTHON

cat >"$SCRATCH/peer.py" <<'PYTHON'
import socket, sys
IP_TRANSPARENT = 19
mine, port = sys.argv[1], int(sys.argv[2])
sock = socket.socket()
sock.settimeout(30)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1) # the address need not be its own yet
sock.bind((mine, int(sys.argv[3])))
sock.connect(("192.0.2.2", port))
print("open", flush=True)
print(sock.recv(100), flush=True)
sock.recv(100) # until the other side has closed, which goes first
sock.close()
PYTHON

SAYS=$SCRATCH/client
said() { grep -q "$@" "$SAYS"; }
mkfifo "$SCRATCH/go"
# SYNs of both sides, of which the client's finds no way until the peer's is on its own.
ip -n "$SERVER" route del local 203.0.113.0/24 dev lo
ip -n "$SERVER" route add local 203.0.113.9/32 dev lo
ip -n "$SERVER" route add blackhole 203.0.113.77/32 table local
# shellcheck disable=SC2016
spawn_inside "$CLIENT" "$CG" bash -c 'python3 "$1/client.py" <"$1/go" >"$1/client" 2>&1' client "$SCRATCH"
exec {go}>"$SCRATCH/go"
wait_for 10 said crossing || fail "$(cat "$SAYS")"
syn_sent() { inside_netns "$1" ss -Htn state syn-sent | grep -q "$2"; }
wait_for 5 syn_sent "$CLIENT" 203.0.113.77:9001 || fail "no SYN is on its way"
# shellcheck disable=SC2016
spawn_inside "$SERVER" - bash -c 'python3 "$1/peer.py" 203.0.113.77 7555 9001 >"$1/crossed" 2>&1' peer "$SCRATCH"
wait_for 5 syn_sent "$SERVER" 203.0.113.77:9001 || fail "no SYN of the peer: $(cat "$SCRATCH/crossed")"
ip -n "$SERVER" route del blackhole 203.0.113.77/32 table local
ip -n "$SERVER" route add local 203.0.113.77/32 dev lo
wait_for 10 grep -q open "$SCRATCH/crossed" || fail "no simultaneous open: $(cat "$SCRATCH/crossed")"
wait_for 5 said listening || fail "$(cat "$SAYS")"
# shellcheck disable=SC2016
spawn_inside "$SERVER" - bash -c 'python3 "$1/peer.py" 192.0.2.1 7443 9001 >"$1/stranger" 2>&1' peer "$SCRATCH"
wait_for 5 grep -q open "$SCRATCH/stranger" || fail "not answered: $(cat "$SCRATCH/stranger")"
same "before" "reached" "$(awk 'NF == 2 { print $2 }' "$SAYS" | sort -u)"

holds "$(gate)" '4 connections closed'
cp "$SAYS" "$SAYS.before"
echo >&"$go"
wait_for 5 grep -q 'answer' "$SCRATCH/stranger" || fail "others' connection is cut: $(cat "$SAYS")"
after() { tail -n "+$(($(wc -l <"$SAYS.before") + 1))" "$SAYS"; }
for name in reuseaddr reuseport accepted crossed; do
	holds "$(after)" "^$name ECONNABORTED$"
done
! grep -q out "$SCRATCH/crossed" || fail "something got out: $(cat "$SCRATCH/crossed")"

# The service closed first: its port waits, and nobody gets out of it.
time_wait() { client ss -Htn state time-wait | grep -q '192.0.2.2:7443'; }
wait_for 5 time_wait || fail "no TIME_WAIT"
echo >&"$go"
wait_for 5 said timewait || fail "$(cat "$SAYS")"
holds "$(after)" '^timewait EPERM$'

# It is the packet hook that knows them: it refused the resets of the closed ones.
hooks() { jq -r 'select(.destination.port == 9000 or .destination.port == 9001) | .kvgate.hook' "$RECORD"; }
egress() { [[ $(hooks) == *egress* ]]; }
wait_for 3 egress || fail "nothing of it came to the packet hook: $(hooks)"
