#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Error pages, empty and damaged answers: each is said by name, and the document in use stays in use.
. "$(dirname "$0")/lib.sh"

start_with_old
FILE=/files/ServiceTags_Public_$NEW.json
echo "<html><head><title>503 Service Unavailable</title></head></html>" >"$WEB/html"
: >"$WEB/empty"
echo '{"error": {"code": "ServerBusy"}}' >"$WEB/other.json"
head -c 700 "$WEB/new.json" >"$WEB/half.json"
sed 's/198.51.100.80\/28/198.51.100.81\/28/' "$WEB/new.json" >"$WEB/host-bits.json"

# says PATTERN ANSWER...: the answer for the new document makes fetch fail and say so
says() {
	local pattern=$1
	shift
	answers "/page file new-page" "$FILE $*"
	fetches 1
	holds "$SAID" "$pattern"
	holds "$SAID" "what is here stays in use"
	old_stays
}

says "HTML, not JSON: a failed download" file html
says "the file is empty" file empty
says "neither service tags nor Microsoft 365 endpoints" file other.json
says "ServiceTags_Public_$NEW.json': .*near end of file|premature end" file half.json
says "has host bits|198.51.100.81/28" file host-bits.json
says "end of response with [0-9]+ bytes missing|transfer closed" cut new.json
says "answers 500" status 500
says "answers 404" status 404
says "answers 204" status 204

# the page itself
answers "/page file html"
fetches 1
holds "$SAID" "neither service tags nor a page that links to those of the cloud 'public'"
answers "/page status 500"
fetches 1
holds "$SAID" "/page' answers 500"
"$FETCH/document" tags China 7 AzureKeyVault=$VAULTS >"$WEB/china.json"
page china-page $NEW
sed -i s/_Public_/_China_/ "$WEB/china-page"
answers "/page file china-page" "/files file china.json"
fetches 1
holds "$SAID" "nor a page that links to those of the cloud 'public'"
old_stays

# a page that links out of its own house is not followed there
sed "s#$URL/files#https://localhost:$PORT/files#" "$WEB/new-page" >"$WEB/elsewhere"
answers "/page file elsewhere" "/files file new.json"
fetches 1
holds "$SAID" "links to 'https://localhost:.*', which is not followed"
old_stays

# the newer of two that are listed is not there yet: the one in use is the newest that is
answers "/page file new-page" "/files/ServiceTags_Public_$OLD.json file old.json one"
fetches 0
old_stays

# and when all is well again, it is taken
answers "/page file new-page" "$FILE gzip new.json"
fetches 0
in_use "ServiceTags_Public_$NEW.json"
