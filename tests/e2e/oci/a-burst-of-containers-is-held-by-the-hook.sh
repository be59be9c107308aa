#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Fifty containers that start at once all start, and each is gated before its first packet, without an agent
# and with one; when they are gone, nothing that was told of them is left.
# Runs alone: a burst needs all processors.
. "$(dirname "$0")/lib.sh"
need_runtime runc
COUNT=50
configure < <(profile_for 'labels: { who: "vault" }')
keep_policy
# shellcheck disable=SC2034 # the library's
ARGS=(/bin/busybox sh -c 'busybox nc -w 2 203.0.113.2 443 </dev/null; busybox touch "/out/$0"; busybox sleep 1000')
make_bundle vault
mapfile -t BOXES < <(seq -f "$BOX-%g" "$COUNT")
on_exit remove_boxes

remove_boxes() {
	for name in "${BOXES[@]}"; do
		runc --root "$SCRATCH/oci" delete --force "$name"
	done
} 2>/dev/null

all_tried() { (($(find "$SCRATCH/out" -type f | wc -l) == COUNT)); }

burst() {
	local name pid pids=()
	rm -f "$SCRATCH"/out/*
	for name in "${BOXES[@]}"; do
		mkdir -p "$SCRATCH/$name"
		jq --arg name "$name" --arg cgroup "${CG#"$CGROUPS"}/$name" \
			'.linux.cgroupsPath = $cgroup | .process.args += [$name]' \
			"$BUNDLE/config.json" >"$SCRATCH/$name/config.json"
		runc --root "$SCRATCH/oci" run --detach --bundle "$SCRATCH/$name" "$name" \
			</dev/null >"$SCRATCH/$name/log" 2>&1 &
		pids+=("$!")
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "one does not start: $(cat "$SCRATCH/$BOX"-*/log)"
	done
	wait_for 30 all_tried || fail "only these tried: $(ls "$SCRATCH/out")"
	same "gates" "$COUNT" "$(gates | wc -l)"
	! grep 203.0.113.2 "$SERVED" || fail "something got out"
	remove_boxes
}

nothing_told() { [[ -z $(ls "$SCRATCH/run/containers") ]]; }

: >"$SERVED"
burst
start_agent
burst
wait_for 10 nothing_told || fail "left: $(ls "$SCRATCH/run/containers")"
stop_agent
