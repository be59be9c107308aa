#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is closed is the gate's own: connections of child cgroups too, but neither those of a cgroup
# beside it or above it, to the same destination, nor those that stay on the machine.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
new_network
serve tcp/443
new_cgroup app && APP=$REPLY
new_cgroup app/gated && CG=$REPLY
new_cgroup app/gated/child && CHILD=$REPLY
new_cgroup other && OTHER=$REPLY

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }
gate --allow 203.0.113.9/32=tcp/443
spawn_inside "$CLIENT" - "$E2E/serve" "$SCRATCH/service" tcp/9000
wait_for 5 grep -q ready "$SCRATCH/service"

keep own "$CLIENT" "$CG" tcp 203.0.113.9 443
keep child "$CLIENT" "$CHILD" tcp 203.0.113.9 443
keep parent "$CLIENT" "$APP" tcp 203.0.113.9 443
keep beside "$CLIENT" "$OTHER" tcp 203.0.113.9 443
keep none "$CLIENT" - tcp 203.0.113.9 443
keep loopback4 "$CLIENT" "$CG" tcp 127.0.0.1 9000
keep loopback6 "$CLIENT" "$CG" tcp ::1 9000
keep address4 "$CLIENT" "$CG" tcp 192.0.2.2 9000
keep address6 "$CLIENT" "$CG" tcp 2001:db8::2 9000

holds "$(gate)" '2 connections closed'
tell own && holds "$SAID" ECONNABORTED
tell child && holds "$SAID" ECONNABORTED
for name in parent beside none loopback4 loopback6 address4 address6; do
	tell "$name"
	holds "$name: $SAID" answered
done
