#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every line of the record is one JSON object with the agreed fields, whichever hook refused and
# whatever the process is called; the words on stderr tell of the same refusals.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443
prepare_run

cat >"$SCRATCH/client" <<'PYTHON'
#!/usr/bin/python3
import ctypes, socket

def refused(action):
    try:
        action()
    except PermissionError:
        return
    raise SystemExit("not refused")

tcp, udp, any4, any6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
prctl = ctypes.CDLL(None).prctl
refused(lambda: socket.socket(any4, tcp).connect(("203.0.113.9", 443)))
refused(lambda: socket.socket(any6, tcp).connect(("2001:db8:bad::9", 443)))
refused(lambda: socket.socket(any6, tcp).connect(("::ffff:203.0.113.10", 443)))
refused(lambda: socket.socket(any4, udp).sendto(b"x", ("203.0.113.9", 53)))
refused(lambda: socket.socket(any6, udp).sendto(b"x", ("2001:db8:bad::9", 53)))
refused(lambda: socket.socket(any4, socket.SOCK_RAW, socket.IPPROTO_ICMP))
prctl(15, b'\xff"\n\x1b[2J', 0, 0, 0)
refused(lambda: socket.socket(any4, tcp).connect(("198.51.100.1", 8443)))
PYTHON
chmod +x "$SCRATCH/client"
client "${RUN[@]}" --audit-file "$SCRATCH/record" --user nobody -- bash "$SCRATCH/none" 2>/dev/null || true
[[ ! -s $SCRATCH/record ]] || fail "records without a refusal: $(cat "$SCRATCH/record")"
chmod 755 "$SCRATCH"
client "${RUN[@]}" --audit-file "$SCRATCH/record" -- "$SCRATCH/client" 2>"$SCRATCH/words" ||
	fail "$(cat "$SCRATCH/words")"

python3 - "$SCRATCH/record" "${CG#"$CGROUPS"}" <<'PYTHON'
import datetime, json, re, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 7, lines
hooks = {}
for line in lines:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["@timestamp"])
    then = datetime.datetime.strptime(line["@timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")
    age = datetime.datetime.utcnow() - then
    assert abs(age.total_seconds()) < 60, age
    event, kvgate = line["event"], line["kvgate"]
    assert event["kind"] == "event" and event["category"] == ["network"]
    assert event["type"] == ["denied"] and event["action"] == "egress-refused"
    assert event["outcome"] == "failure"
    assert line["network"]["direction"] == "egress"
    assert line["process"]["pid"] > 1 and line["process"]["name"]
    assert line["user"]["id"] == "0"
    assert kvgate["gate"].startswith(sys.argv[2] + "/kvgate-run-")
    assert kvgate["cgroup_id"] > 0 and kvgate["profile"] == "adhoc"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", kvgate["policy_digest"])
    assert kvgate["generation"] == 1 and kvgate["mode"] == "enforce" and kvgate["count"] == 1
    hooks.setdefault(kvgate["hook"], []).append(line)
assert {"connect4", "connect6", "sendmsg4", "sendmsg6", "sock_create"} == set(hooks), set(hooks)
seen = {(line["network"].get("transport"), line.get("destination", {}).get("ip"),
         line.get("destination", {}).get("port"), event_reason)
        for line in lines for event_reason in [line["event"]["reason"]]}
assert seen == {
    ("tcp", "203.0.113.9", 443, "destination"),
    ("tcp", "2001:db8:bad::9", 443, "destination"),
    ("tcp", "203.0.113.10", 443, "destination"),
    ("udp", "203.0.113.9", 53, "protocol"),
    ("udp", "2001:db8:bad::9", 53, "protocol"),
    ("icmp", None, None, "socket_type"),
    ("tcp", "198.51.100.1", 8443, "port"),
}, seen
PYTHON

same "lines of words" 7 "$(grep -c '^refused ' "$SCRATCH/words")"
holds "$(cat "$SCRATCH/words")" '^refused ipv4 icmp socket \(socket_type\) by client\[[0-9]+\]$'
holds "$(cat "$SCRATCH/words")" '^refused tcp 198\.51\.100\.1:8443 \(port\) by \?"\?\?\[2J\[[0-9]+\]$'

# "-" is stdout, and several runs add to one file.
client "${RUN[@]}" --quiet --audit-file - -- "$SCRATCH/client" | python3 -c '
import json, sys
sys.exit(len([json.loads(line) for line in sys.stdin]) != 7)'
client "${RUN[@]}" --quiet --audit-file "$SCRATCH/record" -- "$SCRATCH/client"
same "lines of two runs" 14 "$(wc -l <"$SCRATCH/record")"
nothing_left
