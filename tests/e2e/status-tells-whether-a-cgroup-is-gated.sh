#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `status CGROUP` is about the gates that judge a cgroup: its own and those above it. With --wait it is
# what starts a client only behind a gate.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_cgroup app && CG=$REPLY
mkdir "$CG/below"
NAME=${CG#"$CGROUPS"}

# tells STATUS [OPERAND...]: SAID is what it printed
tells() {
	local expected=$1 status=0
	shift
	SAID=$(kvgate status "$@" 2>&1) || status=$?
	same "exit status of status $*" "$expected" "$status"
}

tells 1 "$NAME"
same "a cgroup without a gate" "kvgate: '$NAME' is not gated, and no cgroup above it is" "$SAID"
tells 1 --wait 1 "$NAME"
tells 2 --wait 1
tells 2 --wait soon "$NAME"

kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$CG"
new_cgroup other && OTHER=$REPLY
kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$OTHER"
for name in "$NAME" "$CG" "$NAME/below"; do
	tells 0 "$name"
	same "gates that judge $name" "$NAME  healthy" "$(grep healthy <<<"$SAID")"
done
tells 1 "${NAME}2"
tells 1 "${NAME%/*}/"
SAID=$(inside_cgroup "$CG/below" "$KVGATE" status --bpffs-dir "$SCRATCH/bpf" --json self)
same "as JSON" "1 $NAME" "$(jq -r '"\(.gates | length) \(.gates[0].cgroup)"' <<<"$SAID")"

# A gate that comes is waited for.
kvgate detach "$CG"
spawn bash -c 'sleep 0.3; exec "$@"' attach "$KVGATE" attach --bpffs-dir "$SCRATCH/bpf" --state-dir \
	"$SCRATCH/state" --run-dir "$SCRATCH/run" --ranges "$RANGES" --resolver none --crl-hosts none "$CG"
tells 0 --wait 20 "$NAME/below"
