#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# When whoever reads the system's log has stopped and its queue is full, the hook says why on standard error,
# refuses the container as always, and does so at once.
. "$(dirname "$0")/lib.sh"
need_runtime runc
configure < <(profile_for 'labels: { who: "vault" }')
make_bundle vault
spawn_inside "$CLIENT" "$CG" sleep 1000
PID=$REPLY
wait_for 5 in_cgroup "$PID" "$CG" || fail "no process in $CG"
jq -n --arg bundle "$BUNDLE" --argjson pid "$PID" \
	'{ociVersion: "1.0.2", id: "box", status: "creating", pid: $pid, bundle: $bundle}' >"$SCRATCH/state.json"

cat >"$SCRATCH/log.py" <<-'PYTHON'
	# A log that nobody reads, full; then the command, and how it ended and after which time.
	import socket, subprocess, sys, time
	log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	log.bind("/dev/log")
	sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	sender.setblocking(False)
	sender.connect("/dev/log")
	try:
	    while True:
	        sender.send(b"full")
	except BlockingIOError:
	    pass
	start = time.monotonic()
	status = subprocess.run(sys.argv[1:], check=False).returncode
	print(status, int((time.monotonic() - start) * 1000))
PYTHON
mapfile -t HOOK < <(hook_command | tail -n +2)
# shellcheck disable=SC2016
read -r status ms < <(timeout 30 unshare --mount bash -c '
	mkdir "$1/dev"
	mount --rbind /dev "$1/dev" && mount -t tmpfs none /dev
	for name in null zero urandom; do touch "/dev/$name" && mount --bind "$1/dev/$name" "/dev/$name"; done
	exec python3 "$1/log.py" "${@:2}" <"$1/state.json" 2>"$1/said"' full "$SCRATCH" "$KVGATE" "${HOOK[@]}")
same "exit status" 1 "$status"
same "lines" 1 "$(wc -l <"$SCRATCH/said")"
holds "$(<"$SCRATCH/said")" "^kvgate: container 'box' must not start: profile 'vault' is for it, "
((ms < 3000 * PATIENCE)) || fail "it took $ms ms"
