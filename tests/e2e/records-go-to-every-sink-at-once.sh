#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One refusal is in the file, in the journal with its fields, at the system logger as words and JSON, and on
# stderr; a process that calls itself by line breaks forges no field and no line.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program python3
new_network
serve tcp/443
prepare_run

cat >"$SCRATCH/client" <<'PYTHON'
#!/usr/bin/python3
import ctypes, socket
ctypes.CDLL(None).prctl(15, b"x\nKVGATE_GATE=", 0, 0, 0)
try:
    socket.socket().connect(("203.0.113.9", 443))
except PermissionError:
    raise SystemExit(0)
raise SystemExit("not refused")
PYTHON
chmod 755 "$SCRATCH" "$SCRATCH/client"
client "$E2E/with-loggers" "$SCRATCH/heard" "${RUN[@]}" --audit-file "$SCRATCH/record" --audit-to journal \
	--audit-to syslog -- "$SCRATCH/client" 2>"$SCRATCH/words" || fail "$(cat "$SCRATCH/words")"

same "lines of words" 1 "$(grep -c '^refused tcp 203\.0\.113\.9:443 (destination) by ' "$SCRATCH/words")"
same "lines of words in all" 1 "$(wc -l <"$SCRATCH/words")"
python3 - "$SCRATCH/record" "$SCRATCH/heard" "$(<"$SCRATCH/words")" <<'PYTHON'
import json, re, sys

(record,) = [json.loads(line) for line in open(sys.argv[1])]
heard = [json.loads(line) for line in open(sys.argv[2])][1:]
words = sys.argv[3]
assert len(heard) == 2, heard
(entry,) = [one for one in heard if "syslog" not in one]
(text,) = [one["syslog"] for one in heard if "syslog" in one]

kvgate = record["kvgate"]
expected = {
    "MESSAGE": words, "PRIORITY": "4", "SYSLOG_IDENTIFIER": "kvgate",
    "KVGATE_REASON": "destination", "KVGATE_DESTINATION": "203.0.113.9", "KVGATE_PORT": "443",
    "KVGATE_PROTOCOL": "tcp", "KVGATE_HOOK": "connect4", "KVGATE_MODE": "enforce",
    "KVGATE_COUNT": "1", "KVGATE_GATE": kvgate["gate"], "KVGATE_PROFILE": kvgate["profile"],
    "KVGATE_POLICY_DIGEST": kvgate["policy_digest"],
    "KVGATE_PID": str(record["process"]["pid"]), "KVGATE_UID": record["user"]["id"],
    "KVGATE_COMM": "x\nKVGATE_GATE=",
}
for name, value in expected.items():
    assert entry.get(name) == value, (name, value, entry.get(name))
assert re.fullmatch("[0-9a-f]{32}", entry["MESSAGE_ID"])

head, _, body = text.partition("@cee: ")
assert re.fullmatch(r"<84>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d kvgate\[\d+\]: ", head), head
assert "\n" not in text, text
line = json.loads(body)
assert line.pop("message") == words
assert line == record, (line, record)
PYTHON
nothing_left
