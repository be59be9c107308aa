#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# After `detach` the kernel has no program on the cgroup and no pin, and the client reaches everything;
# gates of cgroups that are gone, half-made ones and several at once go, too; what is not gated is said.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program bpftool
new_network
serve tcp/443
new_cgroup app && CG=$REPLY
attach() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@"; }
# On old kernels bpftool gives up at the first kind of program that they lack, unless asked for those
# in effect.
programs() { bpftool cgroup show "$1" effective | { grep kvg_ || true; }; }
no_programs() { [[ -z $(programs "$CG") ]]; }
no_pins() { same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"; }

COUNT=8
! has_lsm || COUNT=9
attach "$CG"
same "programs" $COUNT "$(programs "$CG" | wc -l)"
holds "$(kvgate detach "$CG/")" "^detached ${CG#"$CGROUPS"}$"
wait_for 5 no_programs || fail "programs are left: $(programs "$CG")"
no_pins
reached tcp 203.0.113.9 443

status=0
said=$(kvgate detach "$CG" 2>&1) || status=$?
same "exit status" 1 "$status"
holds "$said" "'${CG#"$CGROUPS"}' is not gated"
status=0
kvgate detach 2>/dev/null || status=$?
same "exit status of a usage error" 2 "$status"
holds "$(kvgate detach --all)" '^no gates$'
no_pins

# Others' gates stay.
mkdir "$CG/one" "$CG/two"
attach "$CG/one"
attach "$CG/two"
kvgate detach "$CG/one"
same "programs on the other" $COUNT "$(programs "$CG/two" | wc -l)"
attach "$CG/one"

# By its last path, where the cgroup is gone.
rmdir "$CG/one"
holds "$(kvgate detach "$CG/one")" "/one$"

attach "$CG"
mkdir -p "$SCRATCH/bpf/cgroup-1/maps" "$SCRATCH/bpf/cgroup-2"
rmdir "$CG/two"
kvgate detach --all
no_pins
wait_for 5 no_programs || fail "programs are left: $(programs "$CG")"
reached tcp 203.0.113.9 443

# A half-made set of the cgroup itself does not stand in the way.
id=$(stat -c %i "$CG")
mkdir -p "$SCRATCH/bpf/cgroup-$id/maps"
attach "$CG"
refused tcp 203.0.113.9 443
kvgate detach "$CG"
no_pins
