#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Hanging, dripping and endless answers cost a bounded time and bounded memory.
. "$(dirname "$0")/lib.sh"

start_with_old
FILE=/files/ServiceTags_Public_$NEW.json

# says PATTERN SECONDS ANSWER...: with SECONDS as the limit, it ends in time and says why
says() {
	local pattern=$1 limit=$2 start=$SECONDS
	shift 2
	answers "/page file new-page" "$FILE $*"
	fetches 1 --timeout "$limit"
	holds "$SAID" "$pattern"
	((SECONDS - start <= 2 * limit * PATIENCE)) || fail "$*: took $((SECONDS - start)) s"
	old_stays
}

says "timed out|too slow" 2 hang
says "timed out|too slow" 2 drip new.json
says "sends more than 64 MiB" 20 large 65
says "sends more than 64 MiB" 20 bomb 70
says "sends more than 64 MiB" 20 endless

# 60 MiB are within what is allowed, and are only no document
says "the file is empty" 20 large 60

# the page, too
answers "/page hang"
fetches 1 --timeout 2
holds "$SAID" "timed out"
answers "/page bomb 70"
fetches 1 --timeout 20
holds "$SAID" "sends more than 64 MiB"
old_stays

# 60 MiB that are a document are one
python3 - "$WEB/new.json" "$WEB/large.json" <<'END'
import sys
text = open(sys.argv[1]).read()
open(sys.argv[2], "w").write(text + " " * (60 << 20))
END
answers "/page file new-page" "$FILE gzip large.json"
fetches 0 --timeout 60
in_use "ServiceTags_Public_$NEW.json"
