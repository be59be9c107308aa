#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lines of every kind of refusal, of audit mode and of closed connections are valid by
# docs/record.schema.json, and of the types of the Elastic Common Schema.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program python3
python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"
new_network
serve tcp/443
prepare_run

cat >"$SCRATCH/client" <<'PYTHON'
#!/usr/bin/python3
import socket

def attempt(action):
    try:
        action()
    except OSError:
        pass

tcp, udp, any4, any6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
for _ in range(3):
    attempt(lambda: socket.socket(any4, tcp).connect(("203.0.113.9", 443)))
attempt(lambda: socket.socket(any4, tcp).connect(("203.0.113.9", 8443)))
attempt(lambda: socket.socket(any6, tcp).connect(("2001:db8:bad::9", 443)))
attempt(lambda: socket.socket(any6, tcp).connect(("::ffff:203.0.113.10", 443)))
attempt(lambda: socket.socket(any4, udp).sendto(b"x", ("203.0.113.9", 53)))
attempt(lambda: socket.socket(any6, udp).sendto(b"x", ("2001:db8:bad::9", 53)))
attempt(lambda: socket.socket(any4, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt(lambda: socket.socket(any4, socket.SOCK_RAW, 253))
attempt(lambda: socket.socket(any4, tcp, 132))
attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
PYTHON
chmod +x "$SCRATCH/client"
for mode in enforce audit; do
	client timeout 60 "${RUN[@]}" --quiet --mode "$mode" --audit-file "$SCRATCH/$mode" -- "$SCRATCH/client"
done
lines=$("$E2E/check-records" "$SCRATCH/enforce" "$SCRATCH/audit") || fail "$lines"
((lines >= 12)) || fail "only $lines lines"
nothing_left
