#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# compile, explain and diff answer scripts by their exit status and by JSON, and people in words.
. "$(dirname "$0")/lib.sh"
[[ -x $KVGATE ]] || skip "no $KVGATE: run make first"
need_program python3

work=$SCRATCH

# tags FILE VAULT_PREFIX...: a small document of the public cloud
tags() {
	local file=$1
	shift
	python3 - "$file" "$@" <<'END'
import json, sys

def tag(name, region, prefixes):
    return {"name": name, "id": name, "properties": {
        "changeNumber": 1, "region": region, "regionId": 0, "platform": "Azure",
        "systemService": "", "addressPrefixes": prefixes, "networkFeatures": None}}

vaults = sys.argv[2:]
values = [tag("AzureActiveDirectory", "", ["192.0.2.0/26"]),
          tag("AzureResourceManager", "", ["192.0.2.64/28"]),
          tag("AzureKeyVault", "", vaults),
          tag("AzureKeyVault.WestEurope", "westeurope", vaults[-1:])]
json.dump({"changeNumber": 1, "cloud": "Public", "values": values}, open(sys.argv[1], "w"))
END
}

# ends EXPECTED COMMAND...: its exit status; what it prints is in $said
ends() {
	local expected=$1 status=0
	shift
	said=$("$KVGATE" "$@" 2>"$work/stderr") || status=$?
	[[ $status == "$expected" ]] ||
		fail "kvgate $*: ended with $status, not $expected: $(cat "$work/stderr")"
}

# json EXPRESSION: is true of the JSON in $said, as j
json() {
	python3 -c 'import json, sys; j = json.loads(sys.argv[1]); sys.exit(not eval(sys.argv[2]))' \
		"$said" "$1" || fail "not so: $1 in $said"
}

tags "$work/old.json" 198.51.100.0/28 198.51.100.32/28
tags "$work/new.json" 198.51.100.0/28 198.51.100.64/28
options=(--resolver none --crl-hosts none)

ends 0 compile "${options[@]}" --ranges "$work/old.json"
json 'j["kvgate_policy"] == 1 and len(j["rules"]) == 4'
json 'j["rules"][0] == {"prefix": "192.0.2.0/26", "allow": ["tcp/443"], "from": ["AzureActiveDirectory"]}'
first=$said
ends 0 compile "${options[@]}" --ranges "$work/old.json"
[[ $said == "$first" ]] || fail "two policies of one document differ"
ends 0 compile "${options[@]}" --ranges "$work/old.json" -o "$work/old.policy"
[[ -z $said && $(cat "$work/old.policy") == "$first" ]] || fail "-o wrote something else"
ends 0 compile "${options[@]}" --ranges "$work/new.json" -o "$work/new.policy"
ends 0 compile "${options[@]}" --ranges "$work/old.json" --format table
[[ $said == *"4 IPv4      0 IPv6  prefixes in all"* ]] || fail "table: $said"
ends 1 compile "${options[@]}" --cloud usgov --ranges "$work/old.json"
ends 1 compile "${options[@]}" --ranges "$work/old.json" -o "$work/no/such/folder"
ends 2 compile --cloud mars

ends 0 explain --policy "$work/old.policy" 192.0.2.5:443
[[ $said == *"192.0.2.5:443/tcp is allowed"*"AzureActiveDirectory"* ]] || fail "$said"
ends 0 explain --json --policy "$work/old.policy" 192.0.2.5:443
json 'j["verdict"] == "allowed" and j["reason"] is None and j["rule"]["prefix"] == "192.0.2.0/26"'
json 'list(j) == ["destination", "verdict", "reason", "rule", "digest"]'
ends 3 explain --json --policy "$work/old.policy" 192.0.2.5:80
json 'j["verdict"] == "refused" and j["reason"] == "port"'
ends 3 explain --json --policy "$work/old.policy" 198.51.100.48:443
json 'j["reason"] == "destination" and j["rule"] is None'
json 'j["nearest"]["prefix"] == "198.51.100.32/28"'
ends 3 explain "${options[@]}" --ranges "$work/old.json" 192.0.2.5:443/udp
[[ $said == *"refused (protocol)"* ]] || fail "$said"
ends 2 explain --policy "$work/old.policy" 192.0.2.5
ends 1 explain --policy "$work/old.json" 192.0.2.5:443

ends 0 diff "${options[@]}" "$work/old.json" "$work/old.json"
[[ $said == "no change for this client" ]] || fail "$said"
ends 1 diff "${options[@]}" "$work/old.json" "$work/new.json"
[[ $said == *"loses 1 IPv4 prefix of AzureKeyVault: 1 in WestEurope"* ]] || fail "$said"
[[ $said == *"in IPv4 addresses: 16 lost, 16 gained"* ]] || fail "$said"
ends 1 diff --json "$work/old.policy" "$work/new.policy"
json 'j["by_tag"] == {"AzureKeyVault": {"added": 1, "removed": 1}}'
json 'j["added"][0]["prefix"] == "198.51.100.64/28" and len(j["removed"]) == 1'
ends 2 diff "$work/old.policy" "$work/new.json"
ends 2 diff "${options[@]}" --cloud china "$work/old.json" "$work/new.json"
ends 2 diff "$work/old.json" "$work/absent"

ends 0 --version
ends 2
ends 2 frobnicate
