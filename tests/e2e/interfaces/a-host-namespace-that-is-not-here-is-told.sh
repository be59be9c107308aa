#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A gate's interfaces belong to the network namespace that kvgate was run in. From another one status says
# where they are, and attach changes nothing; when that namespace is gone, so are they, and detach removes
# the rest from anywhere.
. "$(dirname "$0")/lib.sh"
need_program jq
container udp/9000
attach --pid "$INSIDE" --allow "$GOOD4/32=udp/9000" "$CG" >/dev/null # without a recorder, which would keep it
elsewhere() {
	local verb=$1 places=(--bpffs-dir "$SCRATCH/bpf" --state-dir "$SCRATCH/state")
	[[ $verb == status ]] || places+=(--run-dir "$SCRATCH/run")
	"$KVGATE" "$verb" "${places[@]}" "${@:2}"
}

said=$(elsewhere status) && fail "healthy, as seen from elsewhere: $said"
inode=$(stat -L -c %i "/run/netns/$HOST")
holds "$said" "problem .*\"client\" was gated in another network namespace \($inode\): run kvgate there"
before=$(kvgate status --json | jq -c '.gates[0] | [.generation, .policy_digest, .healthy]')
said=$(elsewhere attach --ranges "$RANGES" --resolver none --crl-hosts none --pid "$INSIDE" "$CG" 2>&1) &&
	fail "attached from elsewhere"
holds "$said" 'not in the network namespace that kvgate runs in'
same "gate" "$before" "$(kvgate status --json | jq -c '.gates[0] | [.generation, .policy_digest, .healthy]')"
reached udp "$GOOD4" 9000
refused udp "$OTHER" 9000

is_told_gone() { grep -q 'problem .*"client" is gone' <<<"$(elsewhere status)"; }
ip netns del "$HOST"
wait_for 5 is_told_gone || fail "not told that the namespace is gone: $(elsewhere status)"
elsewhere detach --all >/dev/null
same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"
