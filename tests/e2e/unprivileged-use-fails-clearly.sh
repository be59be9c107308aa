#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Without privileges `run`, `attach` and `detach` end with an error that says what is missing, CMD is
# not started, and nothing is left; what needs no privilege works.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program setpriv
prepare_run
chmod 755 "$SCRATCH"
# Neither may be in the way: a folder that a user cannot enter would be another fault.
install -m 755 "$KVGATE" "$SCRATCH/kvgate"
cp -r "$RANGES" "$SCRATCH/ranges"
KVGATE=$SCRATCH/kvgate
OPTIONS=(--ranges "$SCRATCH/ranges" --resolver none --crl-hosts none)

plain() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; }

turned_down() {
	local expected=$1 status=0 said
	shift
	said=$(plain "$KVGATE" "$@" 2>&1) || status=$?
	same "exit status of $1" "$expected" "$status"
	holds "$said" 'root|CAP_BPF'
	same "lines of $1" 1 "$(wc -l <<<"$said")"
}

turned_down 125 run --bpffs-dir "$SCRATCH/bpf" "${OPTIONS[@]}" -- touch "$SCRATCH/started"
turned_down 1 attach --bpffs-dir "$SCRATCH/bpf" "${OPTIONS[@]}" "$CG"
"$KVGATE" attach --bpffs-dir "$SCRATCH/bpf" --state-dir "$SCRATCH/state" "${OPTIONS[@]}" "$CG"
turned_down 1 detach --bpffs-dir "$SCRATCH/bpf" --all
turned_down 1 detach --bpffs-dir "$SCRATCH/bpf" "$CG"
"$KVGATE" detach --bpffs-dir "$SCRATCH/bpf" --state-dir "$SCRATCH/state" "$CG"
[[ ! -e $SCRATCH/started ]] || fail "CMD was started"

# A bpffs and a cgroup that the user may write to are not enough.
chmod 777 "$SCRATCH/bpf"
chown -R 65534 "$CG"
turned_down 125 run --bpffs-dir "$SCRATCH/bpf" --cgroup-parent "${CG#"$CGROUPS"}" "${OPTIONS[@]}" -- \
	touch "$SCRATCH/started"
[[ ! -e $SCRATCH/started ]] || fail "CMD was started"
nothing_left

plain "$KVGATE" compile "${OPTIONS[@]}" >/dev/null
plain "$KVGATE" explain "${OPTIONS[@]}" 198.51.100.1:443 >/dev/null
