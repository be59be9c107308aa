#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A version first, the document only if it is another one, one GUID for this machine, and not more than
# once an hour.
. "$(dirname "$0")/lib.sh"

URLS="service_tags: none, m365: $URL/m365/"
configure
"$FETCH/document" m365 56 login.microsoftonline.com 192.0.2.0/25,2001:db8::/48 >"$WEB/one.json"
"$FETCH/document" m365 56 login.microsoftonline.com 192.0.2.0/24,2001:db8::/48 >"$WEB/two.json"
echo '{"instance": "Worldwide", "latest": "2026010500"}' >"$WEB/version-one"
echo '[{"instance": "China", "latest": "2026020300"}, {"instance": "Worldwide", "latest": "2026013000"}]' >"$WEB/version-two"
ONE=("/m365/version/Worldwide?ClientRequestId= file version-one"
	"/m365/endpoints/Worldwide?ClientRequestId= file one.json")
TWO=("/m365/version/Worldwide?ClientRequestId= file version-two"
	"/m365/endpoints/Worldwide?ClientRequestId= file two.json")

answers "${ONE[@]}"
fetches 0
same "report" "m365-endpoints of public: endpoints_worldwide_2026010500.json is the first: 56 gains 1 IPv4 and 1 IPv6 prefixes" "$SAID"
in_use endpoints_worldwide_2026010500.json
same "mode of the GUID's file" "-rw-r--r--" "$(stat -c %A "$STATE/client-id")"

# within the hour nobody is asked; a person may
: >"$WEB/asked"
answers "${TWO[@]}"
fetches 0
same "requests" 0 "$(asked .)"
answers "${ONE[@]}"
fetches 0 --now
same "requests for the version" 1 "$(asked ^/m365/version)"
same "requests for the document" 0 "$(asked ^/m365/endpoints)"

answers "${TWO[@]}"
fetches 0 --now
in_use endpoints_worldwide_2026013000.json
same "GUIDs" 1 "$(grep -o 'ClientRequestId=[0-9a-f-]*' "$WEB/asked" | sort -u | grep -cE '=[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$')"

# the set that identities need is gone, or the document is another cloud's
echo '{"instance": "Worldwide", "latest": "2026030100"}' >"$WEB/version-three"
"$FETCH/document" m365 17 login.partner.microsoftonline.cn 192.0.2.0/24 >"$WEB/china.json"
answers "/m365/version file version-three" "/m365/endpoints file china.json"
fetches 1 --now
holds "$SAID" "it is of the cloud 'china', and 'public' was asked for"
in_use endpoints_worldwide_2026013000.json

# versions that are none
for version in '{"latest": "20260101"}' '{"latest": "../../../x"}' '{"latest": 2026010100}' '<html>' ''; do
	echo "$version" >"$WEB/version-bad"
	answers "/m365/version file version-bad" "/m365/endpoints file one.json"
	fetches 1 --now
	holds "$SAID" "names no version of ten digits"
done

# 429 for the document: an hour
answers "/m365/version file version-three" "/m365/endpoints status 429"
fetches 1 --now
holds "$SAID" "answers 429, which asks to be left alone: it will not be asked for 3600 s"
in_use endpoints_worldwide_2026013000.json
