#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whichever bpf(2) fails while a gate gets a new policy, one more interface and DHCP, attach either says so
# and all is as it was, the interfaces too, or all is new, and it says so if it cannot look whether it holds. The same when there was no gate before.
#
# With KVGATE_TEST_STEP=1 each single call is made to fail; by default every 17th, on slow machines
# fewer. Beyond LAST there are only look-ups for slots that could be freed.
. "$(dirname "$0")/lib.sh"
need_program jq
need_program strace
container udp/9000
ip -n "$CLIENT" link add eth1 type veth peer name second netns "$HOST"

state() {
	kvgate status --json | jq -c '.gates[0] | [.policy_digest, .generation, .healthy,
		([.interfaces[] | [.name, .dhcp]] | sort)]'
}

# attach_failing N: the Nth bpf(2) fails
attach_failing() {
	SAID=$(inside_netns "$HOST" strace -qq -o "$SCRATCH/trace" -e trace=bpf \
		-e "inject=bpf:error=ENOMEM:when=$1" "$KVGATE" attach --bpffs-dir "$SCRATCH/bpf" \
		--state-dir "$SCRATCH/state" --run-dir "$SCRATCH/run" --ranges "$RANGES" --resolver none \
		--crl-hosts none --pid "$INSIDE" --dhcp "$CG" 2>&1)
}

# anew: a gate on one interface, and a second one that is not gated
anew() {
	kvgate detach "$CG" >/dev/null 2>&1 || true
	attach --interface "$PORT" --allow "$GOOD4/32=udp/9000" "$CG" >/dev/null
	OLD=$(state)
}

# A gate that does not hear name servers is new, too, and says so.
new_state() {
	local healthy=true
	[[ ! $SAID =~ 'its records do not' ]] || healthy=false
	holds "$(state)" "\",$1,$healthy,\\[\\[\"client\",true\\],\\[\"second\",true\\]\\]\\]\$"
}

# What it says when all is new, but cannot be looked at.
AFTERWARDS='policy is in force|does not hold'
STEP=${KVGATE_TEST_STEP:-$((PATIENCE > 1 ? 31 : 17))}
LAST=360
anew
holds "$OLD" '^\["sha256:.*",1,true,\[\["client",false\]\]\]$'
failed=0
N=1
injected() { grep -q INJECTED "$SCRATCH/trace"; }
while N=$((N + STEP)) && ((N <= LAST)); do
	echo "call $N"
	if ! attach_failing "$N" && [[ ! $SAID =~ $AFTERWARDS ]]; then
		holds "$SAID" '^kvgate: '
		same "after call $N failed ($SAID)" "$OLD" "$(state)"
		failed=$((failed + 1))
		continue
	fi
	new_state 2
	injected || break
	anew
done
((failed > 2)) || fail "only $failed of $N calls are missed"

kvgate detach "$CG" >/dev/null
nothing_attached
failed=0
N=1
while N=$((N + STEP)) && ((N <= LAST)); do
	echo "call $N"
	if ! attach_failing "$N" && [[ ! $SAID =~ $AFTERWARDS ]]; then
		holds "$SAID" '^kvgate: '
		nothing_attached
		failed=$((failed + 1))
		continue
	fi
	new_state 1
	injected || break
	kvgate detach "$CG" >/dev/null
done
((failed > 2)) || fail "only $failed of $N calls are missed"
