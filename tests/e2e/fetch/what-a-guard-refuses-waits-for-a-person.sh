#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Documents that take too much away, lack what is needed, are older or of another cloud are kept aside
# with the reason; --accept takes those that are a person's decision.
. "$(dirname "$0")/lib.sh"

start_with_old
FILE=/files/ServiceTags_Public_$NEW.json
REFUSED=$IN_USE/refused

# refused_as PATTERN NAME: the server's file NAME is refused
refused_as() {
	answers "/page file new-page" "$FILE file $2"
	fetches 1
	holds "$SAID" "ServiceTags_Public_$NEW.json is refused: .*$1"
	old_stays
	cmp "$WEB/$2" "$REFUSED/ServiceTags_Public_$NEW.json"
	same "reasons" "ServiceTags_Public_$NEW.json service-tags-public.reason" \
		"$(cd "$REFUSED" && echo *)"
}

# 2 of 5 are 40 %
tags shrunk.json 2 AzureKeyVault=198.51.100.0/28,198.51.100.16/28,198.51.100.32/28
refused_as "takes away 2 of the 5 IPv4 prefixes of 'AzureKeyVault' \(40 %, and max_shrink is 30 %\)" shrunk.json
holds "$SAID" "look at '$REFUSED/ServiceTags_Public_$NEW.json', and if it is right, 'kvgate fetch --accept'"
holds "$(<"$REFUSED/service-tags-public.reason")" "takes away 2 of the 5"

tags absent.json 2 AzureKeyVault=absent
refused_as "'AzureKeyVault', which profile 'app' needs, is absent" absent.json
: >"$WEB/asked"
fetches 1 --accept
holds "$SAID" "'AzureKeyVault', which profile 'app' needs, is absent; that cannot be accepted"
same "requests of --accept" 0 "$(asked .)"
old_stays
tags empty.json 2 AzureKeyVault=
refused_as "'AzureKeyVault', which profile 'app' needs, is empty" empty.json
"$FETCH/document" tags China 2 AzureKeyVault=$VAULTS >"$WEB/china.json"
refused_as "it is of the cloud 'china', and 'public' was asked for" china.json
fetches 1 --accept
old_stays
"$FETCH/document" m365 56 login.microsoftonline.com 192.0.2.0/24 >"$WEB/m365.json"
refused_as "it holds m365-endpoints, and service-tags were asked for" m365.json

# the same prefixes in other pieces take nothing away
tags pieces.json 2 AzureKeyVault=198.51.100.0/26,198.51.100.64/29,198.51.100.72/29
answers "/page file new-page" "$FILE file pieces.json"
fetches 0
same "report" "service-tags of public: ServiceTags_Public_$NEW.json replaces ServiceTags_Public_$OLD.json: nothing that a profile needs has changed" "$SAID"
same "what was refused before" "" "$(ls "$REFUSED")"

# older by its name, and then accepted all the same
answers "/page file old-page" "/files file old.json"
fetches 1
holds "$SAID" "it is older than 'ServiceTags_Public_$NEW.json', which is in use"
in_use "ServiceTags_Public_$NEW.json"
fetches 0 --accept
in_use "ServiceTags_Public_$OLD.json"
cmp "$WEB/old.json" "$IN_USE/ServiceTags_Public_$OLD.json"
compiles
same "what was refused" "" "$(ls "$REFUSED")"
fetches 0 --accept
holds "$SAID" "nothing was refused"

# a lower change number on the same day
tags lower.json 0 "AzureKeyVault=$VAULTS,198.51.100.80/28"
answers "/page file old-page" "/files file lower.json"
fetches 1
holds "$SAID" "its change number 0 is below 1"
old_stays

# the shrunk one, looked at and accepted; half as many is what the configuration may allow, too
answers "/page file new-page" "$FILE file shrunk.json"
fetches 1
fetches 0 --accept
holds "$SAID" "AzureKeyVault loses 2 IPv4 prefixes"
in_use "ServiceTags_Public_$NEW.json"
tags less.json 3 AzureKeyVault=198.51.100.0/28,198.51.100.16/28
answers "/page file new-page" "$FILE file less.json"
fetches 1
MORE="max_shrink: 50%" configure
fetches 0
cmp "$WEB/less.json" "$IN_USE/ServiceTags_Public_$NEW.json"

# a document that was refused and then tampered with is not taken
tags gone.json 4 AzureKeyVault=198.51.100.0/28,203.0.113.0/24
MORE="max_shrink: 0%" configure
answers "/page file new-page" "$FILE file gone.json"
fetches 1
echo " " >>"$REFUSED/ServiceTags_Public_$NEW.json"
fetches 1 --accept
holds "$SAID" "what was refused cannot be read"
cmp "$WEB/less.json" "$IN_USE/ServiceTags_Public_$NEW.json"

# regions: only what a profile needs is looked at
sed -i 's/{ name: app }/{ name: app, regions: [ westeurope ] }/' "$CONFIG"
tags regional.json 5 AzureKeyVault=198.51.100.0/28 AzureKeyVault.WestEurope=198.51.100.0/28
answers "/page file new-page" "$FILE file regional.json"
fetches 1
holds "$SAID" "'AzureKeyVault.westeurope', which profile 'app' needs, is absent"
