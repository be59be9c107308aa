#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Killed at any moment, it leaves the old document or the new one in use; the next one cleans up. Two at
# a time are one too many.
. "$(dirname "$0")/lib.sh"

start_with_old
FILE=/files/ServiceTags_Public_$NEW.json
run=("$KVGATE" fetch --config "$CONFIG" --state-dir "$STATE" --timeout 20 --now)

# two names that are put into use by turns, so that something happens each time
tags older.json 3 "AzureKeyVault=$VAULTS"
tags newer.json 4 "AzureKeyVault=$VAULTS,198.51.100.80/28"
killed=0
for i in {1..60}; do
	if ((i % 2)); then name=newer.json; else name=older.json; fi
	sed -i "s/\"changeNumber\": [0-9]*,$/\"changeNumber\": $((10 + i)),/" "$WEB/$name"
	answers "/page file new-page" "$FILE file $name"
	"${run[@]}" >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((i % 5))$((RANDOM % 10))"
	! kill -KILL "$pid" 2>/dev/null || killed=$((killed + 1))
	wait "$pid" 2>/dev/null || true
	compiles
done
((killed > 5)) || fail "only $killed of 60 were killed"

answers "/page file new-page" "$FILE file new.json"
sed -i 's/"changeNumber": [0-9]*,$/"changeNumber": 99,/' "$WEB/new.json"
fetches 0
in_use "ServiceTags_Public_$NEW.json"

# while one hangs, another is told so
answers "/page hang"
spawn "${run[@]}"
busy() { [[ $(asked "^/page") -gt $before ]]; }
before=$(asked "^/page")
wait_for 5 busy || before=0
fetches 1
holds "$SAID" "another fetch is at work in '$IN_USE'"
