#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `monitor` shows what gates refuse as it happens, to several watchers at once, each with filters of its own;
# it goes on across a reload, ends when the agent does, and without an agent says what is missing. With --file
# it follows a record across rotation.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

said=$("$KVGATE" monitor --run-dir "$SCRATCH/run" 2>&1) && fail "there is no agent to watch"
holds "$said" "no agent listens on $SCRATCH/run/control: start 'kvgate agent', or name a file"

CONFIGURE="audit: { file: $SCRATCH/record.jsonl }"
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent

# watch NAME OPTION...: $SCRATCH/NAME holds what it prints
declare -A WATCHERS=()
watch() {
	spawn "$KVGATE" monitor --run-dir "$SCRATCH/run" "${@:2}" >"$SCRATCH/$1" 2>"$SCRATCH/$1.err"
	WATCHERS[$1]=$REPLY
}
watch words
watch json --json --profile one --gate "/$SANDBOX-app" --reason destination
watch other --destination 203.0.113.128/25
watching() { [[ $(ss -xH | grep -c "ESTAB.*$SCRATCH/run/control") == "$1" ]]; }
wait_for 5 watching 3 || fail "they do not watch: $(ss -x | grep "$SCRATCH")"

said=$("$KVGATE" monitor --run-dir "$SCRATCH/run" --reason why 2>&1) && fail "a reason that is none is taken"
holds "$said" "'why' is no reason"

refused tcp 203.0.113.2 443
wait_for 3 grep -q "refused .* 1x  tcp 203.0.113.2:443 .* destination .* /$SANDBOX-app (one)" "$SCRATCH/words" ||
	fail "not seen: $(<"$SCRATCH/words")"
wait_for 3 grep -q '"ip":"203.0.113.2"' "$SCRATCH/json" || fail "not seen as JSON"
same "the line of the watcher" "$(grep 203.0.113.2 "$SCRATCH/record.jsonl")" "$(<"$SCRATCH/json")"
refused tcp 203.0.113.200 443
wait_for 3 grep -q "203.0.113.200:443" "$SCRATCH/other" || fail "not seen by its destination"
! grep -q 203.0.113.2:443 "$SCRATCH/other" || fail "it sees what it did not ask for"

ask reload >/dev/null
refused tcp 203.0.113.4 443
wait_for 3 grep -q "203.0.113.4:443" "$SCRATCH/words" || fail "a reload ends the watching"

kill -TERM "${WATCHERS[other]}"
wait "${WATCHERS[other]}" || fail "SIGTERM should end it well"
wait_for 5 watching 2 || fail "the agent keeps who has gone"

spawn "$KVGATE" monitor --file "$SCRATCH/record.jsonl" --all --destination 203.0.113.0/25 >"$SCRATCH/file"
FILE=$REPLY
wait_for 3 grep -q "203.0.113.4:443" "$SCRATCH/file" || fail "what the file holds is not shown"
mv "$SCRATCH/record.jsonl" "$SCRATCH/record.jsonl.1"
refused tcp 203.0.113.5 443
wait_for 5 grep -q "203.0.113.5:443" "$SCRATCH/file" || fail "rotation ends the following"
! grep -q 203.0.113.200 "$SCRATCH/file" || fail "the file is not filtered"
kill -INT "$FILE"
wait "$FILE" || fail "SIGINT should end it well"

stop_agent
for name in words json; do
	status=0
	wait "${WATCHERS[$name]}" || status=$?
	same "exit status when the agent ends" 1 "$status"
	grep -q "the agent has ended" "$SCRATCH/$name.err" || fail "$name does not say why it ends"
done
