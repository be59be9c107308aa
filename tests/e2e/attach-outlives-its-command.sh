#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The gate that `attach` makes is in force when the command has ended, with no process of kvgate left,
# until it is detached; the command says what is gated by what.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

reached tcp 203.0.113.9 443
said=$(kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$CG")
holds "$said" "^gated ${CG#"$CGROUPS"} by adhoc: [0-9]+ IPv4 and [0-9]+ IPv6 prefixes, enforce, generation 1$"
same "processes of kvgate" "" "$(pgrep -f "bpffs-dir $SCRATCH/bpf" || true)"
refused tcp 203.0.113.9 443
reached tcp 198.51.100.1 443

# A path below the mount point, with and without it, and below --cgroup-parent are the same cgroup.
attach() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@"; }
holds "$(attach "${CG#"$CGROUPS"}")" 'generation 2$'
mkdir "$CG/inner"
holds "$(attach --cgroup-parent "$CG" inner)" "^gated ${CG#"$CGROUPS"}/inner "

# What does not belong together changes nothing.
said=$(attach --pid $$ "$CG" 2>&1) && fail "a process of another cgroup was taken"
holds "$said" "process $$ is in cgroup"
said=$(attach --interface lo "$CG" 2>&1) && fail "the loopback interface was gated"
holds "$said" '"lo" is not the host side'
holds "$(kvgate status --json | tr -d ' ')" '"generation":2'

kvgate detach "$CG"
kvgate detach "$CG/inner"
reached tcp 203.0.113.9 443
nothing_left() { same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"; }
nothing_left
