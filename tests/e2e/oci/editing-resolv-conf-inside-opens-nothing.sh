#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A container of podman reaches the resolver of its own resolv.conf and not the node's, with an agent and
# without; whatever is written into the file from inside, nothing more is let through: not by a reload, not
# by the next agent, and not when nobody remembers what stood in it.
. "$(dirname "$0")/lib.sh"
need_runtime podman
need_resolvers
configure < <(auto_profile 'labels: { who: "vault" }')
keep_policy

DNS=10.89.0.53

holds_resolver() {
	same "resolvers" 10.89.0.53 "$(resolvers)"
	answers 10.89.0.53
	is_mute 203.0.113.53 # the node's
	is_mute 10.89.0.66
	is_mute 203.0.113.66
}

# No agent: the hook gates by itself.
start_box vault
first_was refused
holds_resolver
take_over 10.89.0.66 203.0.113.66

# The next agent goes on with what the hook read.
start_agent
same "generation" 1 "$(generation "$INSIDE")"
holds_resolver
remove_box
wait_open "$INSIDE"

# The agent gates it.
HOOK_STATE=$SCRATCH/nothing
start_box vault
first_was refused
holds_resolver
take_over 10.89.0.66 203.0.113.66
ask reload >/dev/null
holds_resolver
stop_agent
start_agent
holds_resolver

# Nobody remembers: the file has been changed since the container was made, and says nothing.
stop_agent
rm -r "$SCRATCH/run/resolvers"
start_agent
wait_log "changed since the container was made"
same "resolvers" "" "$(resolvers)"
is_mute 10.89.0.53
is_mute 10.89.0.66
is_mute 203.0.113.66
holds "$(ask status)" "changed since the container was made"
CG=$INSIDE reached tcp 203.0.113.1 443
remove_box
wait_open "$INSIDE"

# One on the internet that the node does not use is not let through from the start.
DNS=203.0.113.66
start_box vault
wait_log "nameserver 203.0.113.66 of .* is neither private nor the node's"
same "resolvers" "" "$(resolvers)"
is_mute 203.0.113.66
remove_box
DNS=203.0.113.53
start_box vault
answers 203.0.113.53
remove_box
stop_agent
