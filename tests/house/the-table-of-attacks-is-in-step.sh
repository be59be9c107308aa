#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/security.md names every attack that is tested, in its own words, and no other; a header that is
# wrong is seen; what a virtual machine found comes into the right row.

. "$(dirname "$0")/lib.sh"
"$TOP/tools/security-table" --check || fail "run tools/security-table"

mkdir -p "$SCRATCH"/{tools,docs,include,tests/e2e/attacks}
cp "$TOP/tools/security-table" "$SCRATCH/tools/"
cp "$TOP/include/kvg_event.h" "$SCRATCH/include/"
cd "$SCRATCH"
printf '<!-- %s: from tests -->\n<!-- end -->\n' attacks kernels >docs/security.md

# attack NAME WHAT STOPPED-BY REASON KERNELS
attack() {
	printf '#!/bin/bash\n# attack: %s\n# stopped-by: %s\n# reason: %s\n# kernels: %s\n' "${@:2}" \
		>"tests/e2e/attacks/$1.sh"
}

# sees WORDS: the table cannot be made, or is not in step
sees() {
	local said
	said=$(tools/security-table --check 2>&1) && fail "it did not see: $1"
	grep -qF -- "$1" <<<"$said" || fail "it did not say '$1', but: $said"
}

row() { grep -F "\`$1\`" docs/security.md; }

attack one 'connects' 'connect4, egress' destination all
sees 'not in step'
tools/security-table
tools/security-table --check
[[ $(row one) == '| connects | `connect4`, `egress` | `destination` | `one` | not run yet |' ]] ||
	fail "a wrong row: $(row one)"

attack one 'connects again' 'connect4, egress' destination all
sees 'not in step'
attack one connects connect5 destination all
sees "'connect5' is no word for '# stopped-by:'"
attack one connects connect4 allowed all
sees "'allowed' is no word for '# reason:'"
attack one connects connect4 destination some
sees "'# kernels:' is"
attack one connects connect4 '' all
sees "no line '# reason: ...'"

attack one connects connect4 destination all
attack two 'waits' 'none: it does nothing' 'none: nothing is sent' '>= 6.1: it is new'
attack three 'wins' connect4 destination all
cat >results.json <<'JSON'
{"kernels": [
 {"kernel": "5.10", "release": "5.10.0-1-cloud-amd64", "fault": null, "load_ms": 9.0,
  "features": [{"name": "cgroup.kill", "present": false}, {"name": "BPF LSM", "present": true}],
  "objects": [{"loaded": true, "programs": [{"program": "kvg_egress", "verified_insns": 17}]}],
  "tests": [{"suite": "e2e", "name": "one", "passed": 1, "failed": 0, "skipped": []},
   {"suite": "e2e", "name": "two", "passed": 0, "failed": 0, "skipped": ["two: needs Linux 6.1"]},
   {"suite": "e2e", "name": "three", "passed": 0, "failed": 1, "skipped": []}]},
 {"kernel": "6.1", "release": "6.1.0-1-cloud-amd64", "fault": null, "load_ms": 6.0,
  "features": [], "objects": [], "tests": [{"suite": "e2e", "name": "one", "passed": 1, "failed": 0, "skipped": []}]},
 {"kernel": "newest", "skipped": "no mirror"}]}
JSON
tools/security-table results.json
tools/security-table --check
[[ $(row one) == *' | 5.10, 6.1 |' ]] || fail "a wrong row: $(row one)"
[[ $(row two) == *'| it does nothing | nothing is sent | `two` | 5.10: not tried: needs Linux 6.1 |' ]] ||
	fail "a wrong row: $(row two)"
[[ $(row three) == *' | 5.10: **not held** |' ]] || fail "a wrong row: $(row three)"
for line in '|  | 5.10.0-1-cloud-amd64 | 6.1.0-1-cloud-amd64 |' '| `egress` | 17 | does not load |' \
	'| time to load the set | 1.5 | 1.0 |' '| tests passed | 1 of 2 | 1 of 1 |' \
	'| what it lacks | cgroup.kill | nothing |'; do
	grep -qF -- "$line" docs/security.md || fail "no row: $line"
done

# Without results the words change, and the kernels stay.
attack one 'connects at last' connect4 destination all
tools/security-table
[[ $(row one) == '| connects at last '*' | 5.10, 6.1 |' ]] || fail "a wrong row: $(row one)"
