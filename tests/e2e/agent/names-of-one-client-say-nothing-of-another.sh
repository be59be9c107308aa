#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two clients behind two gates of one agent: what one looks up is in its own records and in nobody else's,
# also after a reload; and nearest prefixes come from the policy that the agent keeps.
. "$(dirname "$0")/lib.sh"
need_agent
need_program dnsmasq
new_network
serve tcp/443
spawn_in "$SERVER" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
	--pid-file= --log-facility=- --listen-address=203.0.113.53 --bind-interfaces \
	--address=/shop.example/203.0.113.66 2>"$SCRATCH/dnsmasq.log"
wait_for 5 grep -q started "$SCRATCH/dnsmasq.log" || fail "no name server: $(<"$SCRATCH/dnsmasq.log")"
new_cgroup one && ONE=$REPLY
new_cgroup two && TWO=$REPLY

CONFIGURE="audit: { file: $SCRATCH/record }"
profiles() { profile "${1:-asker}" 203.0.113.64 "/$SANDBOX-*" | sed 's/resolvers: .*/resolvers: [203.0.113.53]/'; }
configure < <(profiles)
start_agent
wait_gated "$ONE" asker
wait_gated "$TWO" asker

client_in "$ONE" "$E2E/lookup" 203.0.113.53 shop.example - 443 >/dev/null
client_in "$TWO" "$E2E/probe" tcp 203.0.113.66 443 >/dev/null && fail "it should have been refused"
wait_for 5 has_lines "$SCRATCH/record" 2 || fail "nothing was recorded"
touch "$CONFIG"
ask reload >/dev/null
client_in "$ONE" "$E2E/probe" tcp 203.0.113.66 8443 >/dev/null && fail "it should have been refused"
wait_for 5 has_lines "$SCRATCH/record" 3 || fail "nothing was recorded after the reload"

python3 - "$SCRATCH/record" "${ONE#"$CGROUPS"}" "${TWO#"$CGROUPS"}" <<'PYTHON'
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
names = {(line["kvgate"]["gate"], line["destination"]["port"]): line["destination"].get("domain")
         for line in lines}
assert names == {(sys.argv[2], 443): "shop.example", (sys.argv[3], 443): None,
                 (sys.argv[2], 8443): "shop.example"}, names
for line in lines:
    if line["destination"]["port"] == 443:
        assert line["kvgate"]["nearest"] == {"prefix": "203.0.113.64/32", "from": ["allow"]}, line
PYTHON

# The hook is one of the table that status and self-check look at: it comes back, and its lack is told.
links=$(find "$SCRATCH/bpf" -name ingress)
[[ $(wc -l <<<"$links") -ge 2 ]] || fail "no pins of the ingress program: $links"
rm -f "$(head -n 1 <<<"$links")"
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" 'ingress: not attached: the gate holds'
wait_log 'the ingress program was not in force; attached again'
stop_agent
