#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Connections that others open towards the client are answered, over IPv4 and IPv6, whoever in the gate
# holds the socket, also when data came with the SYN. `--inbound deny` refuses the answers, with their
# own reason, from the SYN-ACK on where the kernel shows it to a cgroup's programs.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program jq
new_network
serve tcp/9000
new_cgroup app && CG=$REPLY
RECORD=$SCRATCH/record

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }
gate --audit-file "$RECORD"
spawn_inside "$CLIENT" "$CG" "$E2E/serve" "$SCRATCH/service" tcp/443
wait_for 5 grep -q ready "$SCRATCH/service"
ask() { server "$E2E/probe" --timeout 1 tcp "$@"; }

ask 192.0.2.2 443 || fail "IPv4 was not answered"
ask 2001:db8::2 443 || fail "IPv6 was not answered"
ask 192.0.2.2 443 || fail "a second connection was not answered"
ask --bind 9999 192.0.2.2 443 || fail "not answered"
ask --bind 9999 192.0.2.2 443 || fail "a second one from the same port was not answered"

# The parent accepts, a child answers when the parent is gone; a grandchild cgroup does not matter.
mkdir "$CG/below" && on_exit remove_cgroup "$CG/below"
cat >"$SCRATCH/handing.py" <<'PYTHON'
import os, socket, sys, time
server = socket.create_server(("192.0.2.2", 8443))
print("ready", flush=True)
for _ in range(2):
    conn, _ = server.accept()
    parent = os.getpid()
    if os.fork() == 0:
        with open(sys.argv[1] + "/cgroup.procs", "w") as procs:
            procs.write("0")
        conn.sendall(b"hello")
        conn.recv(100)
        os._exit(0)
    conn.close()
PYTHON
# shellcheck disable=SC2016
spawn_inside "$CLIENT" "$CG" bash -c 'python3 "$1" "$2" >"$3"' handing "$SCRATCH/handing.py" "$CG/below" \
	"$SCRATCH/handing"
wait_for 5 grep -q ready "$SCRATCH/handing"
ask 192.0.2.2 8443 || fail "a child did not answer"
ask 192.0.2.2 8443 || fail "a child did not answer the second time"

# TCP Fast Open: the answer goes out before the handshake is over.
fast_open() { nsenter --net="/run/netns/$1" -- bash -c "echo 519 >/proc/sys/net/ipv4/tcp_fastopen"; }
fast_open "$CLIENT" && fast_open "$SERVER"
cat >"$SCRATCH/fast.py" <<'PYTHON'
import socket
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
server.bind(("192.0.2.2", 8444))
server.listen()
print("ready", flush=True)
while True:
    conn, _ = server.accept()
    state = conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    conn.sendall(conn.recv(100) + b", answered in state %d" % state)
    conn.close()
PYTHON
# shellcheck disable=SC2016
spawn_inside "$CLIENT" "$CG" bash -c 'python3 "$1" >"$2"' fast "$SCRATCH/fast.py" "$SCRATCH/fast"
wait_for 5 grep -q ready "$SCRATCH/fast"
ask_fast() {
	server python3 - <<'PYTHON'
import socket
sock = socket.socket()
sock.settimeout(1)
sock.sendto(b"early", socket.MSG_FASTOPEN, ("192.0.2.2", 8444))
print(sock.recv(100).decode())
PYTHON
}
holds "$(ask_fast)" '^early, answered'
fast_opened=$(nsenter --net="/run/netns/$CLIENT" -- awk '/^TcpExt:/ { if (!n++) split($0, names); else
	for (i = 2; i <= NF; i++) if (names[i] == "TCPFastOpenPassive") print $i }' /proc/net/netstat)
((fast_opened > 0)) || fail "no connection was opened fast"

# Denied: neither family, nor fast.
gate --inbound deny
ask 192.0.2.2 443 && fail "IPv4 was answered although the profile denies it"
ask 2001:db8::2 443 && fail "IPv6 was answered although the profile denies it"
ask_fast 2>/dev/null && fail "a fast open was answered although the profile denies it"
denied() {
	[[ $(jq -r 'select(.event.reason == "inbound_denied") | .network.type' "$RECORD" | sort -u | xargs) == \
		"ipv4 ipv6" ]]
}
wait_for 3 denied || fail "not recorded: $(cat "$RECORD")"
