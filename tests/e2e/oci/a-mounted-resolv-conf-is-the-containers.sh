#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Containers of runc and crun have the resolvers of the file that is mounted at /etc/resolv.conf, those of
# the image's if none is, and no more than sixteen different sets of them fit one profile.
. "$(dirname "$0")/lib.sh"
need_runtime runc
need_program crun
need_resolvers
configure < <(auto_profile 'labels: { who: "vault" }')
start_agent

for RUNTIME in runc crun; do
	echo "nameserver 10.89.0.53" >"$SCRATCH/resolv.conf"
	RESOLV=$SCRATCH/resolv.conf
	start_box vault
	first_was refused
	same "resolvers" 10.89.0.53 "$(resolvers)"
	answers 10.89.0.53
	is_mute 203.0.113.53
	remove_box

	RESOLV=
	echo "nameserver 10.89.0.54" >"$ROOT/etc/resolv.conf"
	start_box vault
	answers 10.89.0.54
	is_mute 10.89.0.53
	remove_box
	rm "$ROOT/etc/resolv.conf"
	wait_open "$INSIDE"
done
RUNTIME=runc

# A link in the image does not lead to a file of the host.
ln -s "$SCRATCH/resolv.conf" "$ROOT/etc/resolv.conf"
start_box vault
same "resolvers" "" "$(resolvers)"
is_mute 10.89.0.53
remove_box
rm "$ROOT/etc/resolv.conf"

# The node's, and fifteen others: the one after that gets none, and the agent is unhealthy.
RESOLV=$SCRATCH/resolv.conf
BOXES=("$BOX")
remove_boxes() { for BOX in "${BOXES[@]}"; do remove_box || true; done; }
on_exit remove_boxes
for i in {1..16}; do
	BOX=$SANDBOX-box-$i
	BOXES+=("$BOX")
	echo "nameserver 10.89.0.$((100 + i))" >"$RESOLV.$i"
	RESOLV=$RESOLV.$i start_box vault
	((i == 16)) || same "resolvers" "10.89.0.$((100 + i))" "$(resolvers)"
done
same "resolvers" "" "$(resolvers)"
is_mute 10.89.0.116
CG=$INSIDE reached tcp 203.0.113.1 443
holds "$(ask status)" "profile 'vault' has 16 different sets of resolvers"

# With one gone there is room.
BOX=$SANDBOX-box-1
remove_box
wait_for 30 bash -c '[[ "$("$@")" != *"different sets"* ]]' _ "$E2E/agent/ask" "$SCRATCH/run/control" status ||
	fail "the sixteenth is still without: $(ask status)"
answers 10.89.0.116
stop_agent
