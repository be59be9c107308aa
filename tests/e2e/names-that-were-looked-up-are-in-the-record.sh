#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A refused flow is explained: by the name that the client had looked up for its destination, the closest
# prefix that would have been let through with what asked for it, and the user's name.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program dnsmasq
new_network
serve tcp/443
prepare_run
ip -n "$SERVER" address add 2001:db8::53/64 dev eth0 nodad

spawn_in "$SERVER" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
	--pid-file= --log-facility=- --listen-address=203.0.113.53,2001:db8::53 --bind-interfaces \
	--address=/shop.example/203.0.113.66 --address=/other.example/203.0.113.67 2>"$SCRATCH/dnsmasq.log"
wait_for 5 grep -q started "$SCRATCH/dnsmasq.log" || fail "no name server: $(<"$SCRATCH/dnsmasq.log")"

RUN=("$KVGATE" run --bpffs-dir "$SCRATCH/bpf" --cgroup-parent "${CG#"$CGROUPS"}" --ranges "$RANGES"
	--crl-hosts none --resolver 203.0.113.53 --resolver 2001:db8::53 --allow 203.0.113.64/31=tcp/443)
client "${RUN[@]}" --audit-file "$SCRATCH/record" -- bash -ec "
	'$E2E/lookup' 203.0.113.53 WWW.Shop.example - 443
	'$E2E/lookup' 2001:db8::53 other.example - 443
	'$E2E/lookup' 203.0.113.53 www.shop.example 203.0.113.99 443
	'$E2E/lookup' 203.0.113.53 www.shop.example 203.0.113.64 8443" >/dev/null 2>"$SCRATCH/words" ||
	fail "$(<"$SCRATCH/words")"

python3 - "$SCRATCH/record" <<'PYTHON'
import json, sys

lines = {line["destination"]["ip"]: line for line in map(json.loads, open(sys.argv[1]))}
assert len(lines) == 4, lines
assert lines["203.0.113.66"]["destination"]["domain"] == "www.shop.example", lines
assert lines["203.0.113.67"]["destination"]["domain"] == "other.example", lines
assert "domain" not in lines["203.0.113.99"]["destination"], lines
for address in "203.0.113.66", "203.0.113.67", "203.0.113.99":
    assert lines[address]["kvgate"]["nearest"] == {"prefix": "203.0.113.64/31", "from": ["allow"]}, lines
assert "nearest" in lines["203.0.113.64"]["kvgate"], lines
assert all(line["user"] == {"id": "0", "name": "root"} for line in lines.values()), lines
PYTHON
holds "$(<"$SCRATCH/words")" '203\.0\.113\.66:443 \(destination\) by .*\[[0-9]+\], looked up as www\.shop\.example$'
if python3 -c 'import jsonschema' 2>/dev/null; then
	same "valid lines" 4 "$("$E2E/check-records" "$SCRATCH/record")"
fi
nothing_left
