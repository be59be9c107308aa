#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes 10,000 short flows a second to allowed and other hosts while the policy is flipped again and again
# stopped-by: connect4, sendmsg4
# reason: destination
# kernels: all
#
# For FLOOD_SECONDS: 30, and 5 where processors are emulated. None of the policies names the evil host; the
# others come and go.
# Runs alone: a flood needs a processor.
. "$(dirname "$0")/lib.sh"
WATCH_ONLY=(203.0.113.0)
arena udp/443
SECONDS_LONG=${FLOOD_SECONDS:-$((PATIENCE > 1 ? 5 : 30))}
PER_SECOND=${FLOOD_PER_SECOND:-10000}
HOSTS=(198.51.100.1 198.51.100.9 198.51.100.210)

attack_with flood 1 1000 443 EVIL4 "${HOSTS[@]}"
works 'ip4 17 .* EVIL4 443' 'ip4 6 .* EVIL4 443'

flip_for() {
	local end=$((SECONDS + $1)) flips=0
	while ((SECONDS < end)); do
		gate_on "$CG" --allow 198.51.100.1/32=udp/443 --allow 198.51.100.210/32=tcp/443
		gate_on "$CG" --allow 198.51.100.9/32=udp/443
		flips=$((flips + 2))
	done
	echo "$flips" >"$SCRATCH/flips"
}
gate_on "$CG" --allow 198.51.100.1/32=udp/443
attack_with flood "$SECONDS_LONG" "$PER_SECOND" 443 EVIL4 "${HOSTS[@]}"
flip_for "$SECONDS_LONG" &
FLIPPER=$!
stopped
wait "$FLIPPER"
recorded connect4 destination
recorded sendmsg4 destination
echo "$SAID, $(cat "$SCRATCH/flips") flips"
