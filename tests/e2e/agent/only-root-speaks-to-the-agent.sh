#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another user can neither open the agent's socket nor, let in by its mode, is answered; and what root sends that
# is no request is answered, and harms nothing.
. "$(dirname "$0")/lib.sh"
need_agent
need_program setpriv
configure < <(profile one 203.0.113.1 "/$SANDBOX-app*")
start_agent
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
socket=$SCRATCH/run/control
chmod 755 "$SCRATCH" "$SCRATCH/run"

same "mode" 600 "$(stat -c %a "$socket")"
said=$("${as_nobody[@]}" "$E2E/agent/ask" "$socket" reload 2>&1) && fail "nobody was answered: $said"
holds "$said" "PermissionError"
chmod 666 "$socket"
holds "$("${as_nobody[@]}" "$E2E/agent/ask" "$socket" reload)" '"result":"refused"'
chmod 600 "$socket"

python3 - "$socket" <<'PYTHON'
import json, random, socket, sys

def send(message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(20)
        client.connect(sys.argv[1])
        client.send(message)
        return json.loads(client.recv(1 << 20))

random.seed(4)
state = {"request": "gate", "pid": 1, "id": "c", "bundle": "/b"}
broken = [b"\0", b"{", b"[" * 60000, b" " * 65537, b'{"request":"gate"}', b'{"request":"none"}']
broken += [json.dumps({**state, **wrong}).encode() for wrong in (
    {}, {"pid": 0}, {"pid": -1}, {"pid": 1 << 40}, {"pid": 4194304}, {"pid": "2"}, {"id": ""},
    {"bundle": "b"}, {"annotations": []})]
broken += [random.randbytes(random.randrange(1, 60000)) for _ in range(200)]
for message in broken:
    answer = send(message)
    assert answer["result"] == "failed" and answer["problem"], (message[:80], answer)

# Those who only connect, and those who do not wait, are in nobody's way.
silent = []
for _ in range(60):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(sys.argv[1])
    silent.append(client)
for _ in range(200):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(sys.argv[1])
    client.send(b'{"request":"status"}')
    client.close()
assert send(b'{"request":"ping"}')["result"]
PYTHON
process_gone "$AGENT" && fail "the agent has ended: $(<"$LOG")"
new_cgroup app-later && wait_gated "$REPLY" one
stop_agent
