#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `attach --audit-file` leaves one recorder that belongs to no terminal, follows log rotation, is
# replaced by the next one, and has written every refusal when `detach` returns, or when the cgroup is
# gone; with "-" it records to stdout until it is told to stop, and the gate stays.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program jq
new_cgroup app && CG=$REPLY
mkdir "$SCRATCH/run"
attach() { kvgate attach --run-dir "$SCRATCH/run" --ranges "$RANGES" --resolver none --crl-hosts none "$@"; }
detach() { kvgate detach --run-dir "$SCRATCH/run" "$@"; }
recorder() { cat "$SCRATCH"/run/*.recorder; }
try() { inside_cgroup "$CG" bash -c "echo >/dev/tcp/203.0.113.9/$1" 2>/dev/null || true; }
has() { grep -q "\"port\":$2}" "$SCRATCH/$1"; }

attach --audit-file "$SCRATCH/one" "$CG"
first=$(recorder)
same "its name" kvgate-record "$(cat "/proc/$first/comm")"
same "its terminal" 0 "$(cut -d' ' -f7 "/proc/$first/stat")"
same "its standard descriptors" "/dev/null" "$(readlink /proc/"$first"/fd/[012] | sort -u)"
try 1001
wait_for 5 has one 1001 || fail "nothing was recorded"
same "the gate in the record" "\"${CG#"$CGROUPS"}\"" "$(jq .kvgate.gate "$SCRATCH/one")"

mv "$SCRATCH/one" "$SCRATCH/one.1"
try 1002
wait_for 5 has one 1002 || fail "it did not follow the rotation"

attach --audit-file "$SCRATCH/two" "$CG"
second=$(recorder)
process_gone "$first" || fail "two recorders"
try 1003
wait_for 5 has two 1003
same "digest and generation" '2 true' \
	"$(jq -r '"\(.kvgate.generation) \(.kvgate.policy_digest | startswith("sha256:"))"' "$SCRATCH/two")"

for _ in {1..20}; do try 1004; done
detach "$CG"
process_gone "$second" || fail "the recorder lives on"
same "sum after detach" 21 "$(sum_of "$SCRATCH/two")"
same "what is left in the run folder" "" "$(ls "$SCRATCH/run" 2>/dev/null)"

# An audit file that cannot be written to is found before anything is gated.
said=$(attach --audit-file "$SCRATCH/none/file" "$CG" 2>&1) && fail "it was gated"
holds "$said" 'cannot write records'
same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"

spawn "$KVGATE" attach --bpffs-dir "$SCRATCH/bpf" --run-dir "$SCRATCH/run" --state-dir "$SCRATCH/state" --ranges "$RANGES" \
	--resolver none --crl-hosts none --audit-file - "$CG" >"$SCRATCH/three"
wait_for 5 recorder
try 1005
wait_for 5 has three 1005
kill "$REPLY"
wait "$REPLY"
same "sum on stdout" 1 "$(sum_of "$SCRATCH/three")"
holds "$(kvgate status)" 'healthy'

attach --audit-file "$SCRATCH/four" "$CG"
fourth=$(recorder)
try 1006
remove_cgroup "$CG"
wait_for 5 process_gone "$fourth" || fail "the recorder lives on without the cgroup"
same "sum after the cgroup" 1 "$(sum_of "$SCRATCH/four")"
detach --all
