#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent's file of records is rotated by its size, and by SIGUSR1 with the next line; the sum over all
# files is what was refused. A place for records that this machine does not have is named in `status`, and
# the others go on.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
new_cgroup app && CG=$REPLY
RECORD=$SCRATCH/denied.jsonl

CONFIGURE="audit: { file: $RECORD, max_size: 2k, keep: 3, fsync: line }"
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
for port in {1..6}; do
	refused tcp 203.0.113.9 "$port"
done
recorded() { [[ $(cat "$RECORD" "$RECORD".? 2>/dev/null | wc -l) == "$1" ]]; }
wait_for 5 recorded 6 || fail "$(ls -l "$SCRATCH")"
[[ -s $RECORD.1 ]] || fail "not rotated at 2k: $(ls -l "$SCRATCH")"
for file in "$RECORD" "$RECORD".?; do
	(($(stat -c %s "$file") <= 2048)) || fail "too long: $(ls -l "$SCRATCH")"
done

before=$(wc -l <"$RECORD")
kill -USR1 "$AGENT"
refused tcp 203.0.113.9 7
wait_for 5 recorded 7 || fail "$(ls -l "$SCRATCH")"
same "lines of the new file" 1 "$(wc -l <"$RECORD")"
same "lines of the file before" "$before" "$(wc -l <"$RECORD.1")"
same "dropped" 0 "$(metric 'kvgate_sink_dropped_total{sink="file"}')"
stop_agent
cat "$RECORD" "$RECORD".? >"$SCRATCH/all"
same "refused" 7 "$(sum_of "$SCRATCH/all")"

[[ ! -S /dev/log ]] || skip "there is a system logger here: the rest is not tried"
CONFIGURE="audit: { file: $RECORD, syslog: true }"
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
refused tcp 203.0.113.9 8
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" "problem .*there is no syslog here: '/dev/log'"
wait_for 5 grep -q '"port":8}' "$RECORD" || fail "the file has nothing"
stop_agent
