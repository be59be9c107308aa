#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A page that says nothing: the path below which the documents have been for years is asked day by day.
. "$(dirname "$0")/lib.sh"

day() { date -u -d "$1 days ago" +%Y%m%d; }
URLS="service_tags: $URL/page, fallback: $URL/files, m365: none"
configure
tags old.json 1 "AzureKeyVault=$VAULTS"
tags new.json 2 "AzureKeyVault=$VAULTS,198.51.100.80/28"

answers "/page status 404" "/files/ServiceTags_Public_$(day 9).json file old.json one"
fetches 0
in_use "ServiceTags_Public_$(day 9).json"

# the newest counts, and days before that of the document in use are not asked for
answers "/page status 503" "/files/ServiceTags_Public_$(day 9).json file old.json one" \
	"/files/ServiceTags_Public_$(day 2).json file new.json two"
: >"$WEB/asked"
fetches 0
in_use "ServiceTags_Public_$(day 2).json"
same "requests" 3 "$(asked ^/files)"
fetches 0
holds "$SAID" "is the newest"
same "requests" 6 "$(asked ^/files)"

# nothing there either: four weeks back and no further, then both are said
answers "/page status 404"
rm -r "$STATE"
: >"$WEB/asked"
fetches 1
holds "$SAID" "/page' answers 404; nor does '$URL/files' have a document of the last 28 days"
same "requests" 28 "$(asked ^/files)"

# a server that is down is not asked 28 times
: >"$WEB/asked"
answers "/page status 404" "/files status 500"
fetches 1
same "requests" 1 "$(asked ^/files)"

# one that wants to be left alone is left alone
answers "/page status 429" "/files file new.json"
fetches 1
same "requests" 1 "$(asked ^/files)"
