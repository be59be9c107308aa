#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An application that only waits learns at once that its connection has lost its permission; each such
# connection is a line of the record. The other side gets nothing from the gate, and learns it when it
# sends next. In audit mode nothing is closed.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
need_program jq
new_network
serve tcp/443
new_cgroup app && CG=$REPLY
RECORD=$SCRATCH/record

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG" 2>&1; }
BOTH=(--allow 203.0.113.9/32=tcp/443 --allow 2001:db8:bad::9/128=tcp/443)

gate "${BOTH[@]}" --audit-file "$RECORD"
hold one "$CLIENT" "$CG" tcp 203.0.113.9 443 && ONE=$HELD
hold six "$CLIENT" "$CG" tcp 2001:db8:bad::9 443 && SIX=$HELD
hold mapped "$CLIENT" "$CG" tcp ::ffff:203.0.113.9 443 && MAPPED=$HELD
hold allowed "$CLIENT" "$CG" tcp 198.51.100.1 443 && ALLOWED=$HELD
same "line" "" "$(cat "$RECORD")"

said=$(gate --mode audit)
! grep -q closed <<<"$said" || fail "audit mode closed something: $said"
same "ends in audit mode" "" "$(ends_of "$ONE")"

said=$(gate)
holds "$said" 'generation 3, 3 connections closed$'
for file in "$ONE" "$SIX" "$MAPPED"; do
	wait_for 1 has_lines "$file" 2 || fail "nobody told the application: $file"
	same "end" "1 ECONNABORTED" "$(ends_of "$file")"
done
same "end of what is allowed" "" "$(ends_of "$ALLOWED")"

closed() { jq -c 'select(.event.action == "connection-closed")' "$RECORD"; }
three() { (($(closed | wc -l) == 3)); }
wait_for 3 three || fail "not three lines: $(closed)"
port=$(awk '{ print $2; exit }' "$ONE")
line=$(closed | jq -c "select(.source.port == $port)")
same "line" '["denied","end"] failure destination ipv4 tcp 192.0.2.2 203.0.113.9 443 sock_destroy enforce 1 3 hold' \
	"$(jq -r '"\(.event.type) \(.event.outcome) \(.event.reason) \(.network.type) \(.network.transport) " +
	"\(.source.ip) \(.destination.ip) \(.destination.port) \(.kvgate.hook) \(.kvgate.mode) " +
	"\(.kvgate.count) \(.kvgate.generation) \(.process.name)"' <<<"$line")"
same "families" "ipv4 ipv4 ipv6" "$(closed | jq -r .network.type | sort | xargs)"
same "destinations" "2001:db8:bad::9 203.0.113.9 203.0.113.9" \
	"$(closed | jq -r .destination.ip | sort | xargs)"

# Words, on the standard error of run; and the other side.
cat >"$SCRATCH/server.py" <<'PYTHON'
import errno, socket, sys, time
server = socket.create_server(("203.0.113.9", 9443))
print("ready", flush=True)
conn, _ = server.accept()
conn.sendall(b"hello")
sys.stdin.readline()
for _ in range(50):
    try:
        conn.sendall(b"again")
        time.sleep(0.02)
    except OSError as error:
        print(errno.errorcode[error.errno])
        break
PYTHON
mkfifo "$SCRATCH/go"
spawn_inside "$SERVER" - bash -c 'python3 "$1/server.py" <"$1/go" >"$1/server"' server "$SCRATCH"
exec {go}>"$SCRATCH/go"
wait_for 5 grep -q ready "$SCRATCH/server"

prepare_run
spawn_inside "$CLIENT" - bash -c '"${@:2}" 2>"$1/words"' run "$SCRATCH" "${RUN[@]}" \
	--allow 203.0.113.9/32=tcp/9443 -- bash -c '"$1" tcp 203.0.113.9 9443 >"$2"' hold "$E2E/hold" \
	"$SCRATCH/held-run"
wait_for 5 has_lines "$SCRATCH/held-run" 1
CG=$(echo "$CG"/kvgate-run-*)
holds "$(gate)" '1 connection closed'
wait_for 2 grep -q '^closed' "$SCRATCH/words" || fail "run does not say it: $(cat "$SCRATCH/words")"
holds "$(cat "$SCRATCH/words")" '^closed tcp 203\.0\.113\.9:9443 \((port|destination)\) by hold\[[0-9]+\]$'
same "end" "1 ECONNABORTED" "$(ends_of "$SCRATCH/held-run")"
echo >&"$go"
wait_for 3 grep -qE 'ECONNRESET|EPIPE' "$SCRATCH/server" || fail "the other side never learns it"
