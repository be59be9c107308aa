#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# After 429 or 503 with Retry-After the server is not asked again before its time, unless a person
# says so, or the clock shows that the time was never agreed on.
. "$(dirname "$0")/lib.sh"

start_with_old
answers "/page status 429 Retry-After 120"
fetches 1
holds "$SAID" "answers 429, which asks to be left alone: it will not be asked for 120 s"
old_stays

: >"$WEB/asked"
fetches 1
holds "$SAID" "asked to be left alone for another (1[01][0-9]|120) s"
same "requests" 0 "$(asked .)"
fetches 1 --now
same "requests" 1 "$(asked .)"

# without a time it is an hour, a year is a day, a second a minute
answers "/page status 429"
fetches 1 --now
holds "$SAID" "for 3600 s"
answers "/page status 503 Retry-After 31536000"
fetches 1 --now
holds "$SAID" "for 86400 s"
answers "/page status 429 Retry-After 1"
fetches 1 --now
holds "$SAID" "for 60 s"

# 503 without a time is a failure like others
answers "/page status 503"
fetches 1 --now
holds "$SAID" "answers 503; what is here"

# the clock went back by years: what was agreed on is void
answers "/page status 429"
fetches 1 --now
python3 - "$IN_USE/.fetch.json" <<'END'
import json, sys
memory = json.load(open(sys.argv[1]))
memory["service-tags public"]["not_before"] += 10 * 365 * 86400
json.dump(memory, open(sys.argv[1], "w"))
END
answers "/page file new-page" "/files/ServiceTags_Public_$NEW.json file new.json two"
fetches 0
in_use "ServiceTags_Public_$NEW.json"

# a memory that is damaged costs a download, no more
: >"$WEB/asked"
echo "{" >"$IN_USE/.fetch.json"
fetches 0
same "requests without an ETag" 1 "$(asked "$NEW.json - ")"
fetches 0
same "requests with an ETag" 1 "$(asked "$NEW.json \"two\"")"
