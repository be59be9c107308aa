#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Without --dhcp no client behind a gated interface gets a lease; with it one does that is not in the gated
# cgroup, and by the ports of DHCP nothing goes to anybody but all on the link: no host by its own address,
# no other port, no other group, no TCP. In the cgroup a client that asks for a raw socket does not start.
. "$(dirname "$0")/lib.sh"
need_program busybox
need_program dnsmasq
need_program jq
container udp/9000
FOUND=$SCRATCH/leased

cat >"$SCRATCH/bound" <<'SCRIPT'
#!/bin/sh
[ "$1" != bound ] || echo "$ip" >>"$(dirname "$0")/leased"
SCRIPT
chmod +x "$SCRATCH/bound"
spawn_in "$SERVER" dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=eth0 --user=root \
	--dhcp-range=192.0.2.100,192.0.2.110,1h --dhcp-leasefile="$SCRATCH/leases" --dhcp-authoritative \
	--no-ping --pid-file= --log-facility=- 2>"$SCRATCH/dnsmasq.log"
wait_for 5 grep -q 'DHCP, IP range' "$SCRATCH/dnsmasq.log" || fail "the DHCP server did not start"

# leases gated|sidecar: does it get an address?
leases() {
	rm -f "$FOUND"
	"$1" busybox udhcpc -i eth0 -f -n -q -t 2 -T 1 -s "$SCRATCH/bound" >"$SCRATCH/udhcpc.log" 2>&1 || true
	[[ -s $FOUND ]]
}

leases gated || fail "no lease without a gate: $(cat "$SCRATCH/udhcpc.log" "$SCRATCH/dnsmasq.log")"
holds "$(<"$FOUND")" '^192\.0\.2\.1[01][0-9]$'

gate
! leases gated || fail "a lease without --dhcp"
recorded sock_create 'socket_type|packet_socket'
! leases sidecar || fail "a lease for a neighbour without --dhcp"
recorded tc 'port|destination'

gate_by --dhcp
same "dhcp" true "$(kvgate status --json | jq '.gates[0].interfaces[0].dhcp')"
leases sidecar || fail "no lease for a neighbour: $(cat "$SCRATCH/udhcpc.log" "$SCRATCH/dnsmasq.log")"
! leases gated || fail "a raw socket was made"

# The right is taken back, and no packet goes by unjudged.
gate
! leases sidecar || fail "a lease after --dhcp was taken back"
kvgate detach "$CG" >/dev/null

attack_by <<'PYTHON'
from attacker import *
EVERYBODY, MAC = b"\xff" * 6, b"\2\0\0\0\0\7"
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
frames.bind(("eth0", 0))
ready()

def frame4(address, tag, sport=68, port=67):
    body = udp_body(address, port, loot(tag) if tag else honest("all4"), sport=sport)
    frames.send(EVERYBODY + MAC + b"\x08\x00" + ip4(address, 17, body))

def frame6(address, tag, sport=546, port=547):
    body = udp_body(address, port, loot(tag) if tag else honest("all6"), sport=sport)
    frames.send(EVERYBODY + MAC + b"\x86\xdd" + ip6(address, 17, body))

frame4("255.255.255.255", "")
frame6("ff02::1:2", "")
frame4(EVIL4, "unicast4")
frame4(GOOD4, "good4")
frame4("192.0.2.255", "subnet4")
frame4("255.255.255.255", "sport4", sport=69)
frame4("255.255.255.255", "port4", port=68)
frame4("255.255.255.255", "other4", port=9000)
frame6(EVIL6, "unicast6")
frame6("ff05::1:3", "servers6")
frame6("ff02::1", "nodes6")
frame6("ff02::1:2", "sport6", sport=547)
frame6("ff02::1:2", "port6", port=9000)
frames.send(EVERYBODY + MAC + b"\x08\x00" + ip4("255.255.255.255", 6, tcp_body(EVIL4, 67, loot("tcp"), sport=68)))
for address, sport, port in (EVIL4, 68, 67), (EVIL6, 546, 547), ("192.0.2.1", 68, 67):
    with attempt("a UDP socket to " + address):
        sock = udp(address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", sport))
        sock.sendto(loot("socket"), (address, port))
PYTHON
works_once_open honest:all4 honest:all6 stolen:{unicast4,good4,subnet4,sport4,port4,other4} \
	stolen:{unicast6,servers6,nodes6,sport6,port6,tcp,socket}
stopped_once_open gate_by --dhcp
passes honest:all4 honest:all6
recorded tc 'packet_socket|destination|port'
recorded sendmsg4 'destination|port'
