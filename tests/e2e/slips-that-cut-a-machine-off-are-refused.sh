#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The root of the hierarchy, an empty path, the cgroup of kvgate and of process 1 are not gated.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_cgroup app && CG=$REPLY

attach() { kvgate attach --ranges "$RANGES" --resolver none "$@"; }
turned_down() {
	local said
	said=$(attach "$1" 2>&1) && fail "'$1' was gated"
	holds "$said" "$2"
	same "what is pinned" "" "$(ls "$SCRATCH/bpf/kvgate" 2>/dev/null)"
}

turned_down "" 'empty cgroup path'
turned_down / 'root of the cgroup hierarchy'
turned_down "$CGROUPS" 'root of the cgroup hierarchy'
turned_down "$CGROUPS/" 'root of the cgroup hierarchy'
turned_down "${CG#"$CGROUPS"}/.." 'root of the cgroup hierarchy'
turned_down "$CG/none" 'no cgroup'

mkdir "$CG/self"
said=$(inside_cgroup "$CG/self" "$KVGATE" attach --bpffs-dir "$SCRATCH/bpf" --ranges "$RANGES" \
	--resolver none "$CG" 2>&1) && fail "kvgate gated itself"
holds "$said" 'kvgate itself'
