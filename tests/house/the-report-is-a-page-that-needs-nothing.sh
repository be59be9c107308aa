#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `report` in a real browser, light and dark: it renders, asks for nothing, says nothing on the console, and
# names that are HTML stay names. Lines that are no records are named, counted and passed over, and the exit
# status says so; rotated files are read with the configured one, each line once.
. "$(dirname "$0")/lib.sh"

KVGATE=${BUILD:-$TOP/build}/kvgate
same() { [[ $2 == "$3" ]] || fail "$1: expected '$2', not '$3'"; }
# number KEY FILE: of the report's JSON
number() { python3 -c 'import json, sys
value = json.load(open(sys.argv[2]))
for key in sys.argv[1].split("."):
    value = value[key]
print(value)' "$1" "$2"; }
cd "$SCRATCH"

"$TOP/tools/report/sample" --lines 3000 >all.jsonl
total=$(python3 -c 'import json, sys
print(sum(json.loads(line)["kvgate"]["count"] for line in sys.stdin))' <all.jsonl)

# Rotation: the oldest has the highest number.
head -1000 all.jsonl >r.jsonl.2
sed -n 1001,2000p all.jsonl >r.jsonl.1
tail -1000 all.jsonl >r.jsonl
cat >kvgate.yaml <<-YAML
	audit: { file: $SCRATCH/r.jsonl }
	profiles: [ { name: one, allow: [ { prefix: 192.0.2.1/32, service: tcp/443 } ], select: [ { cgroup: /none } ] } ]
YAML
"$KVGATE" report --config kvgate.yaml --json >numbers.json
same "lines of all three" 3000 "$(number lines numbers.json)"
same "their sum" "$total" "$(($(number refused numbers.json) + $(number would_refuse numbers.json)))"
same "the oldest first" "$SCRATCH/r.jsonl.2" "$(python3 -c 'import json
print(json.load(open("numbers.json"))["files"][0]["file"])')"
"$KVGATE" report --since 2025-11-24T00:00:00 --until 2025-11-24T06:00 --json all.jsonl >part.json
same "lines of a quarter of a day" 750 "$(number lines part.json)"

# Torn lines, bytes that are no UTF-8, and names that are HTML.
cp all.jsonl bad.jsonl
{
	printf '{"@timestamp":"2025-11-24T0\n\377\376\n<script>alert(1)</script>\n'
	for field in '"process":{"pid":1,"name":NAME}' '"destination":{"ip":"192.0.2.9","port":1,"domain":NAME}'; do
		printf '{"@timestamp":"2025-11-24T11:00:00Z","event":{"action":"egress-refused","reason":NAME},%s,"kvgate":{"gate":NAME,"profile":NAME,"count":900000}}\n' \
			"$field" | sed 's|NAME|"<script>document.title=1</script><img src=x onerror=alert(1)>"|g'
	done
	printf '{"@timestamp":"2025-11-24T11:00'
} >>bad.jsonl
status=0
said=$("$KVGATE" report -o page.html bad.jsonl 2>&1) || status=$?
same "exit status with bad lines" 1 "$status"
for line in 3001 3002 3003 3006; do
	grep -q "bad.jsonl:$line: no record, passed over" <<<"$said" || fail "line $line is not named: $said"
done
! grep -q '<script' page.html || fail "a name became a script"
status=0
"$KVGATE" report missing.jsonl all.jsonl --json >rest.json 2>said || status=$?
same "exit status with a missing file" 1 "$status"
grep -q "cannot read 'missing.jsonl'" said || fail "the missing file is not named"
same "lines of the other one" 3000 "$(number lines rest.json)"
status=0
"$KVGATE" report --since yesterday all.jsonl >/dev/null 2>said || status=$?
same "exit status of a wrong time" 2 "$status"

command -v chromium >/dev/null || { echo "SKIP: needs chromium; the rest holds"; exit 77; }
for scheme in "" --dark; do
	"$TOP/tools/report/browse" page.html $scheme --evaluate '({
		title: document.title,
		scripts: document.scripts.length,
		images: document.images.length,
		rows: document.querySelectorAll("table").length,
		bars: document.querySelectorAll("svg[role=img] rect").length > 10,
		axis: [...document.querySelectorAll("svg text")].some(t => t.textContent.includes("Nov")),
		named: document.body.innerText.includes("<script>document.title=1</script>"),
		background: getComputedStyle(document.body).backgroundColor,
		wide: document.documentElement.scrollWidth <= innerWidth })' >seen.json
	same "requests of the page $scheme" "[]" "$(number requests seen.json)"
	same "console of the page $scheme" "[]" "$(number console seen.json)"
	same "title $scheme" "Refused flows - kvgate report" "$(number value.title seen.json)"
	same "scripts $scheme" 0 "$(number value.scripts seen.json)"
	same "images $scheme" 0 "$(number value.images seen.json)"
	same "tables $scheme" 4 "$(number value.rows seen.json)"
	for what in bars axis named wide; do
		same "$what $scheme" True "$(number "value.$what" seen.json)"
	done
	number value.background seen.json >>backgrounds
done
same "backgrounds" 2 "$(sort -u backgrounds | wc -l)"
