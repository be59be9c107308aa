#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Filters of others on the interface stay when it is gated, run on what the gate lets pass, and are there when
# it is gone. Who runs before the gate is told by status, and in the way of attach unless attach can go in
# front of it.
. "$(dirname "$0")/lib.sh"
need_program jq
container tcp/443 udp/9000

on_host() { inside_netns "$HOST" "$@"; }
hook() { kvgate status --json | jq -r '.gates[0].interfaces[0].hook'; }
# packets WAY: how many the others' filter has seen
packets() { on_host tc -s filter show dev "$PORT" "$1" | sed -n 's/.* \([0-9]*\) pkt .*/\1/p' | head -n 1; }
filters() { on_host tc filter show dev "$PORT" "$1" | grep -c 'u32.* fh 800::800' || true; }
# their_filter WAY PRIORITY: one that matches all, and copies it to nobody
their_filter() {
	on_host tc filter add dev "$PORT" "$1" prio "$2" u32 match u32 0 0 action mirred egress mirror dev nobody
} 2>/dev/null

# --- theirs, behind ours
ip -n "$HOST" link add nobody type veth peer name nothing
ip -n "$HOST" link set nobody up
on_host tc qdisc add dev "$PORT" clsact 2>/dev/null || skip "this kernel has no clsact"
for way in ingress egress; do
	their_filter "$way" 7 || skip "this kernel has no u32 filters with mirred actions"
done
gate
for way in ingress egress; do
	before=$(packets "$way")
	reached udp "$GOOD4" 9000
	(($(packets "$way") > before)) || fail "their filter of $way does not run"
done
kvgate status >/dev/null || fail "$(kvgate status)"
kvgate detach "$CG" >/dev/null
same "filters" "1 1" "$(filters ingress) $(filters egress)"
before=$(packets ingress)
reached udp "$GOOD4" 9000
(($(packets ingress) > before)) || fail "their filter does not run any more"
on_host tc qdisc del dev "$PORT" clsact

# foreign_on xdp|tcx: in front, unless the kernel has no such; REPLY is its process
foreign_on() {
	rm -f "$SCRATCH/foreign"
	spawn_in "$HOST" bash -c '"$1" "$2" "$3" >"$4"' foreign "$(dirname "$0")/foreign" "$1" "$PORT" "$SCRATCH/foreign"
	wait_for 5 grep -Eq 'ready|E[A-Z]' "$SCRATCH/foreign" || fail "no program of others"
	grep -q ready "$SCRATCH/foreign"
}
gone() { ! on_host bpftool net show dev "$PORT" | grep -q somebodys; }

# --- theirs, in front: XDP sees packets before whatever a gate can have
if foreign_on xdp; then
	foreign=$REPLY
	refuses 'interface "client" program [0-9]+ "somebodys" \(xdp\) runs before kvgate.s' \
		attach --pid "$INSIDE" "$CG"
	pkill -P "$foreign"
	wait_for 5 process_gone "$foreign"
	wait_for 5 attach --pid "$INSIDE" "$CG"
	foreign_on xdp
	foreign=$REPLY
	said=$(kvgate status) && fail "XDP in front is not told"
	holds "$said" 'UNHEALTHY'
	holds "$said" 'problem .*"client" program [0-9]+ "somebodys" \(xdp\) runs before'
	said=$(attach --pid "$INSIDE" "$CG" 2>&1) && fail "attached behind XDP"
	holds "$said" 'somebodys'
	pkill -P "$foreign"
	wait_for 5 kvgate status || fail "$(kvgate status)"
	kvgate detach "$CG" >/dev/null
else
	echo "note: no XDP here: $(<"$SCRATCH/foreign")"
fi

# --- theirs by tcx, later than ours and in front of it; attached again, ours is in front
gate
if [[ $(hook) == tcx ]]; then
	foreign_on tcx || fail "no tcx for others: $(<"$SCRATCH/foreign")"
	foreign=$REPLY
	said=$(kvgate status) && fail "a program in front is not told"
	holds "$said" 'problem .*"client" program [0-9]+ "somebodys" \(tcx\) runs before kvgate.s'
	gate
	kvgate status >/dev/null || fail "$(kvgate status)"
	kvgate detach "$CG" >/dev/null
	process_gone "$foreign" && fail "their program is gone"
	pkill -P "$foreign"
	wait_for 5 process_gone "$foreign"
else
	kvgate detach "$CG" >/dev/null
fi
nothing_attached

# --- the priority that a filter of ours would need is taken
on_host tc qdisc add dev "$PORT" clsact
their_filter ingress 1
said=$(attach --pid "$INSIDE" "$CG" 2>&1) && attached=1 || attached=0
if ((attached)); then
	same "hook" tcx "$(hook)"
	kvgate status >/dev/null || fail "$(kvgate status)"
	kvgate detach "$CG" >/dev/null
else
	holds "$said" 'filter of kind u32 has priority 1, where kvgate.s has to be'
fi
same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"
same "filters" 1 "$(filters ingress)"
