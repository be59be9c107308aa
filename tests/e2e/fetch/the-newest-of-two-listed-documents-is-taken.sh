#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The newest document of the page is put into use, the one before it is kept, and what changed is said
# in one line.
. "$(dirname "$0")/lib.sh"

start_with_old
fetches 0
in_use "ServiceTags_Public_$NEW.json"
same "report" "service-tags of public: ServiceTags_Public_$NEW.json replaces ServiceTags_Public_$OLD.json: AzureKeyVault gains 1 IPv4 prefix" "$SAID"
compiles
cmp "$WEB/old.json" "$IN_USE/previous/ServiceTags_Public_$OLD.json"

# diff finds both, and a folder with a previous one in it is no trouble for anybody
status=0
said=$("$KVGATE" diff --resolver none --crl-hosts none "$IN_USE/previous" "$IN_USE") || status=$?
same "diff" 1 "$status"
holds "$said" "gains 1 IPv4 prefix of AzureKeyVault"
said=$("$KVGATE" compile --ranges "$IN_USE" --resolver none --crl-hosts none 2>&1 >"$SCRATCH/policy")
same "notes" "" "$said"

# a second time nothing is new, and nothing is sent again
: >"$WEB/asked"
fetches 0
same "report" "service-tags of public: ServiceTags_Public_$NEW.json is the newest" "$SAID"
same "conditional requests" 1 "$(asked "$NEW.json \"two\" kvgate/")"

# JSON says the same
tags new.json 3 "AzureKeyVault=$VAULTS,198.51.100.80/28,2001:db8::/64"
answers "/page file new-page" "/files/ServiceTags_Public_$NEW.json file new.json three"
fetches 0 --json
python3 - "$SAID" <<'END'
import json, sys
[document] = json.loads(sys.argv[1])["documents"]
assert document["result"] == "updated", document
assert document["kind"] == "service-tags" and document["cloud"] == "public", document
assert document["file"] == document["replaced"] == "ServiceTags_Public_20260112.json", document
assert document["change_number"] == 3 and len(document["sha256"]) == 64, document
[vaults] = [c for c in document["changes"] if c["name"] == "AzureKeyVault"]
assert vaults["added"] == {"ipv4": 0, "ipv6": 1}, vaults
END
in_use "ServiceTags_Public_$NEW.json"
same "previous" "ServiceTags_Public_$NEW.json" "$(ls "$IN_USE/previous")"
