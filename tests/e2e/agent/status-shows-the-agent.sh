#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `status` shows the agent that runs: its health, each profile's policy and where that is from, and all
# profiles that are for a cgroup; with the agent dead it shows the gates alone.
. "$(dirname "$0")/lib.sh"
need_agent
new_cgroup all && ALL=$REPLY
mkdir "$ALL/app" "$ALL/app/below"
configure < <(profile wide 203.0.113.1 "/$SANDBOX-all/*"
	profile app 203.0.113.2 "/$SANDBOX-all/app"
	profile idle 203.0.113.3 "/$SANDBOX-all/app/b*")

same "the agent before it runs" null "$(kvgate status --json |
	python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin).get("agent")))')"
start_agent
said=$(kvgate status)
holds "$said" "^agent +process $AGENT, healthy"
holds "$said" '^  profile +app: policy of documents, sha256:[0-9a-f]{12}$'
holds "$said" "^  matched +/$SANDBOX-all/app by app, also by wide$"
json=$(kvgate status --json)
same "agent" "[True, $AGENT, [], ['app', 'idle', 'wide']]" "$(python3 -c 'import json, sys
agent = json.load(sys.stdin)["agent"]
print([agent["healthy"], agent["pid"], agent["problems"], sorted(p["name"] for p in agent["profiles"])])' <<<"$json")"

end_agent KILL
said=$(kvgate status) || fail "gates hold, but status is unhealthy: $said"
! grep -q '^agent' <<<"$said" || fail "an agent that is dead is shown"
holds "$said" "/$SANDBOX-all/app  healthy"
