#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# When nothing can be written to the state folder, the agent starts, reloads and gates as always; that
# policies cannot be kept is said, counted, and unhealthy until they can.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

# state_on SIZE: the state folder becomes a file system of its own
mv "$SCRATCH/state" "$SCRATCH/before"
mkdir "$SCRATCH/state"
mount -t tmpfs -o size=1m "$SANDBOX" "$SCRATCH/state"
on_exit umount "$SCRATCH/state"
cp -r "$SCRATCH/before/." "$SCRATCH/state"
fill() { cat /dev/zero >"$SCRATCH/state/zero" 2>/dev/null || true; }
holds_in_force() {
	reached tcp "203.0.113.$1" 443
	refused tcp "203.0.113.$2" 443
}

fill
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
holds_in_force 1 2
wait_log "policies cannot be kept in '$SCRATCH/state': No space left on device; they are in force"
configure < <(profile one 203.0.113.2 "/$SANDBOX-app")
ask reload >/dev/null
holds_in_force 2 1
same "failures" 2 "$(metric kvgate_policy_save_failures_total)"
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" 'problem .*policies cannot be kept'

rm "$SCRATCH/state/zero"
ask reload >/dev/null
kvgate status >/dev/null || fail "still unhealthy: $(kvgate status)"
[[ -s $SCRATCH/state/policies/one.json ]] || fail "the policy was not kept"

mount -o remount,ro "$SCRATCH/state"
configure < <(profile one 203.0.113.3 "/$SANDBOX-app")
ask reload >/dev/null
holds_in_force 3 2
wait_log 'Read-only file system'
end_agent KILL
holds_in_force 3 2
start_agent
holds_in_force 3 2
stop_agent
holds_in_force 3 2
