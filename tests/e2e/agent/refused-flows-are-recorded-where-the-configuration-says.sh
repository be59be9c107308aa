#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the agent's gates refuse becomes JSON lines in audit.file and words for the journal; after a
# reload, in the file that it names then. The sum of the lines is what was refused.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

CONFIGURE="audit: { file: $SCRATCH/one.jsonl, journal: true }"
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
refused tcp 203.0.113.2 443
refused tcp 203.0.113.2 443
wait_for 5 grep -q '"reason":"destination"' "$SCRATCH/one.jsonl" || fail "nothing was recorded"
wait_log 'refused tcp 203.0.113.2:443 \(destination\) by '

CONFIGURE="audit: { file: $SCRATCH/two.jsonl }"
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
ask reload >/dev/null
refused tcp 203.0.113.3 443
wait_for 5 grep -q '"ip":"203.0.113.3"' "$SCRATCH/two.jsonl" || fail "the new file has nothing"
stop_agent
same "refused" 2 "$(sum_of "$SCRATCH/one.jsonl")"
same "refused after the reload" 1 "$(sum_of "$SCRATCH/two.jsonl")"

CONFIGURE="audit: { file: $SCRATCH/missing/three.jsonl }"
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
wait_log "cannot write records to '$SCRATCH/missing/three.jsonl': No such file"
refused tcp 203.0.113.2 443
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" 'problem .*cannot write records'
mkdir "$SCRATCH/missing"
wait_log 'records go to file from now on' 15
refused tcp 203.0.113.4 443
wait_for 5 grep -q '"ip":"203.0.113.4"' "$SCRATCH/missing/three.jsonl" || fail "it is not tried again"
kvgate status >/dev/null || fail "still unhealthy: $(kvgate status)"
stop_agent
