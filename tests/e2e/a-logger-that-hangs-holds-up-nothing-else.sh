#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Journal and system logger take a few lines and then nothing any more: the file has every line, the client
# gets its answers at once, kvgate ends within seconds, and says what it could not write.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program python3
new_network
prepare_run

cat >"$SCRATCH/client" <<'PYTHON'
#!/usr/bin/python3
import socket, time
start = time.monotonic()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in range(1, 1001):
    try:
        udp.sendto(b"x", ("203.0.113.9", port))
        raise SystemExit("not refused")
    except PermissionError:
        pass
print(time.monotonic() - start)
PYTHON
chmod +x "$SCRATCH/client"
SECONDS=0
client "$E2E/with-loggers" --deaf "$SCRATCH/heard" "${RUN[@]}" --quiet --audit-file "$SCRATCH/record" \
	--audit-to journal --audit-to syslog -- "$SCRATCH/client" >"$SCRATCH/took" 2>"$SCRATCH/words" ||
	fail "$(cat "$SCRATCH/words")"
((SECONDS < 20 * PATIENCE)) || fail "it took $SECONDS s"
same "refused" 1000 "$(sum_of "$SCRATCH/record")"
holds "$(<"$SCRATCH/words")" '^kvgate: the last [0-9]+ bytes of records could not be written to "journal"$'
holds "$(<"$SCRATCH/words")" '^kvgate: the last [0-9]+ bytes of records could not be written to "syslog"$'
python3 -c 'import sys; sys.exit(float(open(sys.argv[1]).read()) > 2 * float(sys.argv[2]))' \
	"$SCRATCH/took" "$PATIENCE" || fail "the client waited: $(<"$SCRATCH/took") s"
nothing_left
