#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects, sends and makes a raw socket by io_uring, also through the kernel's own submitting thread
# stopped-by: connect4, sendmsg4
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/443

attack_with io_uring EVIL4 443 ROUND
works stolen:tcp stolen:udp stolen:tcp-polled stolen:udp-polled
gate_on "$CG" --allow 198.51.100.3/32=udp/443 # so that UDP 443 is a service
stopped
recorded connect4 destination
recorded sendmsg4 destination
if grep -q '^raw socket' <<<"$SAID"; then holds "$SAID" '^raw socket: (Operation not permitted|Invalid argument)'; fi
