#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# On a kernel without tcx, and one that says it had none, filters of a clsact qdisc hold the programs: they
# judge and are looked at as links are, and detach takes filters and qdisc away again. What is in the way of
# a filter is named, and stays; nothing is attached then.
. "$(dirname "$0")/lib.sh"
need_program jq
need_program strace
container tcp/443 udp/9000

STRACE=(strace -qq -o "$SCRATCH/trace" -e trace=bpf)
FIRST_LINK='BPF_LINK_CREATE.*\(TCX_EGRESS\|attach_type=0x2f\)'
trace_attach() {
	inside_netns "$HOST" "${TRACED[@]}" "$KVGATE" attach --bpffs-dir "$SCRATCH/bpf" \
		--state-dir "$SCRATCH/state" --run-dir "$SCRATCH/run" --ranges "$RANGES" --resolver none \
		--crl-hosts none --allow "$GOOD4/32=tcp/443" --allow "$GOOD4/32=udp/9000" \
		--pid "$INSIDE" "$CG"
}
# attach_traced: as attach. Threads share the calls, so it may take a few attempts to hit the right one,
# and it may be one of those around it.
attach_traced() {
	local said status i around=(0 1 -1 2 -2)
	for ((i = 0; i < 60; i++)); do
		status=0
		[[ ! $CALL ]] || TRACED=("${STRACE[@]}" -e "inject=bpf:error=EINVAL:when=$((CALL + around[i % 5]))")
		said=$(trace_attach 2>&1) || status=$?
		[[ $CALL ]] || break
		grep -q "$FIRST_LINK.*INJECTED" "$SCRATCH/trace" && break
		kvgate detach "$CG" >/dev/null 2>&1 || true
	done
	printf '%s\n' "$said"
	return "$status"
}
hook() { kvgate status --json | jq -r --arg name "${CG##*/}" '.gates[] | select(.cgroup | endswith("/" + $name)).interfaces[0].hook'; }

# The first link to an interface is made to fail as before Linux 6.6; which call that is shows a run before.
without_tcx() {
	CALL=
	TRACED=("${STRACE[@]}")
	attach_traced >/dev/null
	if [[ $(hook) == tcx ]]; then
		CALL=$(grep -n "$FIRST_LINK" "$SCRATCH/trace" | head -n 1 | cut -d: -f1)
		[[ $CALL ]] || skip "strace does not show the link: $(grep -c . "$SCRATCH/trace") calls"
	fi
	kvgate detach "$CG" >/dev/null
}
without_tcx
nothing_attached

on_host() { inside_netns "$HOST" "$@"; }
filters() { on_host tc filter show dev "$PORT" "$1"; }
attach_traced >/dev/null || skip "this kernel has no clsact"
same "hook" clsact "$(hook)"
kvgate status >/dev/null || fail "$(kvgate status)"
holds "$(filters ingress)" 'pref 1 bpf'
holds "$(filters egress)" 'pref 1 bpf'
reached tcp "$GOOD4" 443
refused tcp "$OTHER" 443
attack_by <<'PYTHON'
from attacker import *
with attempt("frame"):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind(("eth0", 0))
    sock.send(b"\xff" * 6 + b"\2\0\0\0\0\7\x08\x00" + ip4(GOOD4, 17, udp_body(GOOD4, 9000, loot("frame"))))
PYTHON
stopped

# Another gate of the interface finds the qdisc there: whichever goes last takes it away.
FIRST=$CG INSIDE_FIRST=$INSIDE
new_cgroup second && SECOND=$REPLY
spawn_inside "$CLIENT" "$SECOND" sleep 1000
INSIDE=$REPLY CG=$SECOND
wait_for 5 in_cgroup "$INSIDE" "$CG"
without_tcx
attach_traced >/dev/null
same "hook" clsact "$(hook)"
kvgate detach "$FIRST" >/dev/null
refused tcp "$OTHER" 443
kvgate detach "$SECOND" >/dev/null
nothing_attached
CG=$FIRST INSIDE=$INSIDE_FIRST
without_tcx
attach_traced >/dev/null

# A later filter of the same number runs first: that is told.
on_host tc filter add dev "$PORT" ingress protocol all prio 1 bpf bytecode '1,6 0 0 0'
said=$(kvgate status) && fail "a filter in front is not told"
holds "$said" 'problem .*"client"'
# Detach takes away what is the gate's, and nothing else.
kvgate detach "$CG" >/dev/null
holds "$(filters ingress)" 'pref 1 bpf.*bytecode'
same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"

# In the way: a filter of that number; the forerunner of clsact.
said=$(attach_traced 2>&1) && fail "attached behind another's filter"
holds "$said" 'filter of kind bpf has priority 1, where kvgate.s has to be to run first'
same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"
holds "$(filters ingress)" 'pref 1 bpf.*bytecode'
on_host tc qdisc del dev "$PORT" clsact
on_host tc qdisc add dev "$PORT" ingress
said=$(attach_traced 2>&1) && fail "attached beside an ingress qdisc"
holds "$said" '"client" has an ingress qdisc.*nothing was changed'
holds "$(on_host tc qdisc show dev "$PORT")" 'qdisc ingress'
same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"
on_host tc qdisc del dev "$PORT" ingress

attach_traced >/dev/null
kvgate detach "$CG" >/dev/null
nothing_attached
works stolen:frame
