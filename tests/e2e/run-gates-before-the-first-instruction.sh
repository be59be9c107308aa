#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# CMD is born in its cgroup and behind its gate: a program whose first act is to send gets nothing out,
# however often it is tried, while the same program without kvgate gets through every time.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve udp/53 tcp/443
prepare_run

arrived() { (($(grep -c '^udp/53' "$SERVED") >= $1)); }
for _ in {1..10}; do
	client bash -c 'echo x >/dev/udp/203.0.113.9/53'
done
wait_for 5 arrived 10 || fail "the server should have seen 10: $(cat "$SERVED")"

for _ in {1..10}; do
	said=$(client "${RUN[@]}" -- bash -c 'echo x >/dev/udp/203.0.113.9/53' 2>&1) &&
		fail "it should have failed"
	holds "$said" '^refused udp 203\.0\.113\.9:53 \(protocol\) by bash\[[0-9]+\]$'
done
client bash -c 'echo x >/dev/udp/203.0.113.9/53'
wait_for 5 arrived 11
same "what the server saw" 11 "$(grep -c '^udp/53' "$SERVED")"

# The cgroup that CMD finds itself in is the gated one, and so is that of all of its children.
holds "$("${RUN[@]}" -- cat /proc/self/cgroup)" "^0::${CG#"$CGROUPS"}/kvgate-run-[0-9]+$"
client "${RUN[@]}" -- "$E2E/probe" tcp 198.51.100.1 443
nothing_left
