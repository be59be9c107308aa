#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/record.schema.json knows every reason and hook of the tables, takes the lines that docs/record.md
# shows, and refuses lines that are wrong in one thing.

. "$(dirname "$0")/lib.sh"
cd "$TOP"

python3 -c 'import jsonschema' 2>/dev/null || { echo "SKIP: needs python3-jsonschema"; exit 77; }

# words TABLE: the labels of a table of include/kvg_event.h
words() {
	sed -n "/define $1(/,/^\$/p" include/kvg_event.h | tr -d '\\\n' |
		grep -oE 'X\([A-Z0-9_]+,[[:space:]]*"[^"]+"' | sed 's/.*"\(.*\)"/\1/' | grep -vx allowed | sort
}

# known PATH: what the schema admits for a field of a refusal
known() {
	python3 -c 'import json, sys
schema = json.load(open("docs/record.schema.json"))["$defs"]["refusal"]
for name in sys.argv[1].split("."):
    schema = schema["properties"][name]
print("\n".join(sorted(schema["enum"])))' "$1"
}

diff <(words KVG_REASONS) <(known event.reason) || fail "the schema has other reasons"
diff <(words KVG_HOOKS) <(known kvgate.hook) || fail "the schema has other hooks"

diff <(words KVG_FOLDEDS) <(known kvgate.folded) || fail "the schema has other words for what is folded"

lines=$SCRATCH/lines
grep '^{"@timestamp"' docs/record.md >"$lines"
[[ $(tests/e2e/check-records "$lines") == 3 ]] || fail "the samples of docs/record.md are not valid"

good=$(head -n 1 "$lines")
# refuses PATTERN REPLACEMENT
refuses() {
	[[ ${good/"$1"/"$2"} != "$good" ]] || fail "'$1' is not in the sample"
	echo "${good/"$1"/"$2"}" >"$lines"
	! tests/e2e/check-records "$lines" >/dev/null 2>&1 || fail "the schema takes $2"
}
refuses '"reason":"destination"' '"reason":"whim"'
refuses '"count":1' '"count":0'
refuses '"count":1' '"count":1,"unheard":1'
refuses '"port":443' '"port":"443"'
refuses '"ip":"203.0.113.9"' '"ip":"203.0.113.999"'
refuses '"hook":"connect4",' ''
refuses '123456Z' '123456+00:00'
refuses '"pid":4242' '"pid":0'
