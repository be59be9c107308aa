#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# However CMD or kvgate ends, neither process, cgroup nor pin is left; where kvgate itself is killed,
# the gate holds on, and what is left goes with the next `run` once its processes have ended.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443
prepare_run

"${RUN[@]}" -- true
nothing_left
"${RUN[@]}" -- "$SCRATCH/none" 2>/dev/null && fail "a command that is not there was run"
nothing_left

# start COMMAND...: by kvgate in the background; PID is kvgate, CHILD is CMD
start() {
	rm -f "$SCRATCH/child"
	# shellcheck disable=SC2016 # the inner shell expands it
	spawn nsenter --net="/run/netns/$CLIENT" -- "${RUN[@]}" --kill-after 1 -- \
		bash -c 'echo $$ >"$1"; shift; exec "$@"' bash "$SCRATCH/child" "$@"
	PID=$REPLY
	wait_for 5 test -s "$SCRATCH/child" || fail "$* did not start"
	CHILD=$(cat "$SCRATCH/child")
}
ended_with() {
	local status=0
	wait "$PID" || status=$?
	same "exit status" "$1" "$status"
	nothing_left
}

start sleep 1000
kill -KILL "$CHILD"
ended_with 137

start sleep 1000
kill -TERM "$PID"
ended_with 143

# shellcheck disable=SC2016 # the inner shell expands it
start bash -c 'trap "" TERM; : >"$1"; while :; do sleep 1; done' bash "$SCRATCH/deaf"
wait_for 5 test -e "$SCRATCH/deaf"
kill -TERM "$PID"
ended_with 137

start bash -c 'setsid sleep 1000 & setsid setsid sleep 1000 & exit 3'
ended_with 3

# shellcheck disable=SC2016
start bash -c 'own=$1$(sed -n "s/^0:://p" /proc/self/cgroup)
	mkdir "$own/inner" "$own/inner/most"
	(echo 0 >"$own/inner/most/cgroup.procs"; setsid sleep 1000 &)
	exit 4' bash "$CGROUPS"
ended_with 4

start bash -c 'while :; do sleep 0.05; done'
mapfile -t cgroups < <(find "$CG" -mindepth 1 -type d)
same "cgroups" 1 "${#cgroups[@]}"
kill -KILL "$PID"
wait "$PID" || true
said=$(client_in "${cgroups[0]}" "$E2E/probe" tcp 203.0.113.9 443) &&
	fail "the gate fell with kvgate"
holds "$said" EPERM
client_in "${cgroups[0]}" "$E2E/probe" tcp 198.51.100.1 443
"${RUN[@]}" -- true
kill -0 "$CHILD" || fail "a later run ended what it did not start"
[[ -d ${cgroups[0]} && -n $(find "$SCRATCH/bpf" -name connect4) ]] ||
	fail "a later run removed a gate that holds a process"
kill -KILL "$CHILD"
empty() { grep -q 'populated 0' "${cgroups[0]}/cgroup.events"; }
wait_for 5 empty
"${RUN[@]}" -- true
nothing_left

# Killed before there was a gate: a cgroup whose process id is nobody's.
bash -c : &
mkdir "$CG/kvgate-run-$!"
wait $!
"${RUN[@]}" -- true
nothing_left
