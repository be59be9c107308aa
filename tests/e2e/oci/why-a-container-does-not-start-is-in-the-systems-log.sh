#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Some runtimes do not show what hooks print: the line that says why is in the system's log, too, and it is
# one line whatever the container is called.
. "$(dirname "$0")/lib.sh"
need_runtime runc
need_program socat
configure < <(profile_for 'labels: { who: "vault" }')
make_bundle vault
spawn_inside "$CLIENT" "$CG" sleep 1000
PID=$REPLY
wait_for 5 in_cgroup "$PID" "$CG" || fail "no process in $CG"
jq -n --arg bundle "$BUNDLE" --argjson pid "$PID" \
	'{ociVersion: "1.0.2", id: "b\nox", status: "creating", pid: $pid, bundle: $bundle}' >"$SCRATCH/state.json"

mapfile -t HOOK < <(hook_command | tail -n +2)
# The log is the process that spawn() knows: it ends with the sandbox, whatever becomes of the hook.
# shellcheck disable=SC2016
spawn unshare --mount bash -c '
	mkdir "$1/dev"
	mount --rbind /dev "$1/dev" && mount -t tmpfs none /dev
	for name in null zero urandom; do touch "/dev/$name" && mount --bind "$1/dev/$name" "/dev/$name"; done
	{
		for ((i = 0; i < 500; i++)); do [[ ! -S /dev/log ]] || break; sleep 0.02; done
		"${@:2}" <"$1/state.json" 2>"$1/said"
		echo "$?" >"$1/status"
	} &
	exec socat -u UNIX-RECV:/dev/log OPEN:"$1/log",creat,append' why "$SCRATCH" "$KVGATE" "${HOOK[@]}"
wait_for 10 test -s "$SCRATCH/status" || fail "the hook does not end"
same "exit status" 1 "$(<"$SCRATCH/status")"
same "lines" 1 "$(wc -l <"$SCRATCH/said")"
holds "$(<"$SCRATCH/said")" "^kvgate: container 'b.ox' must not start: profile 'vault' is for it, "
wait_for 5 grep -q "kvgate\[[0-9]*\]: container 'b?ox' must not start: profile 'vault'" "$SCRATCH/log" ||
	fail "not in the log: $(cat "$SCRATCH/log")"
