#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Of one profile, a cgroup that is no container's has the node's resolvers, and a container those of its own
# resolv.conf, also if the agent finds it without a hook; a container that runs when the agent comes keeps them.
. "$(dirname "$0")/lib.sh"
need_runtime podman
need_resolvers
mkdir -p "$SCRATCH/lib/containers"
ln -s "$SCRATCH/podman" "$SCRATCH/lib/containers/storage"
new_cgroup unit && UNIT=$REPLY
configure < <(auto_profile "cgroup: \"/$SANDBOX-unit\"" |
	sed "s|select: .*|select: [ { cgroup: \"/$SANDBOX-unit\" }, { cgroup: \"/$SANDBOX-app/libpod-*\" } ]|")
STAGE=
DNS=10.89.0.53
start_box vault

start_agent --runtime-lib "$SCRATCH/lib"
wait_gated "$INSIDE" vault
same "resolvers" 10.89.0.53 "$(resolvers)"
answers 10.89.0.53
is_mute 203.0.113.53
remove_box
wait_open "$INSIDE"

DNS=10.89.0.54
start_box vault
wait_gated "$INSIDE" vault
wait_for 10 bash -c '[[ "$1" == 10.89.0.54 ]]' _ "$(sleep 1; resolvers)" || fail "resolvers: $(resolvers)"
answers 10.89.0.54
is_mute 10.89.0.53
is_mute 203.0.113.53

INSIDE=$UNIT
wait_gated "$UNIT" vault
same "resolvers" 203.0.113.53 "$(resolvers)"
answers 203.0.113.53
is_mute 10.89.0.54

# The node's change: its units follow.
echo "nameserver 203.0.113.54" >"$SCRATCH/node.conf"
ask reload >/dev/null
same "resolvers" 203.0.113.54 "$(resolvers)"
answers 203.0.113.54
is_mute 203.0.113.53
same "gates of the profile" 2 "$(metric 'kvgate_gates{profile="vault",mode="enforce"}')"
remove_box
stop_agent
