# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Tests of `kvgate fetch`: a TLS server on loopback with a CA of the test's own, and a folder of
# documents. Sourced instead of ../lib.sh; nothing here needs root.

# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[[ -x $KVGATE ]] || skip "no $KVGATE: run make first"
need_program python3
need_program openssl
for proxy in http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY; do
	unset "$proxy"
done

FETCH=$E2E/fetch
WEB=$SCRATCH/web     # what the server has
STATE=$SCRATCH/state # --state-dir
IN_USE=$STATE/ranges
CONFIG=$SCRATCH/kvgate.yaml
mkdir "$WEB"
touch "$WEB/asked"

# certificate NAME SUBJECT_ALT_NAME DAYS: $SCRATCH/NAME.pem and .key, signed by the CA
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
		-keyout "$SCRATCH/$1.key" -out "$SCRATCH/$1.csr" 2>"$SCRATCH/openssl" ||
		fail "openssl: $(<"$SCRATCH/openssl")"
	openssl x509 -req -in "$SCRATCH/$1.csr" -CA "$SCRATCH/ca.pem" -CAkey "$SCRATCH/ca.key" \
		-CAcreateserial -days "$3" -extfile <(echo "subjectAltName=$2") \
		-out "$SCRATCH/$1.pem" 2>"$SCRATCH/openssl" || fail "openssl: $(<"$SCRATCH/openssl")"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
	-subj "/CN=test CA" -keyout "$SCRATCH/ca.key" -out "$SCRATCH/ca.pem" 2>"$SCRATCH/openssl" ||
	fail "openssl: $(<"$SCRATCH/openssl")"

# serve_web CERTIFICATE [OPTION...]: REPLY is the port
serve_web() {
	local name=$1 port=$SCRATCH/port-$1-$RANDOM
	shift
	# shellcheck disable=SC2016
	spawn bash -c 'exec "$@" >"$0"' "$port" "$FETCH/server" "$WEB" "$SCRATCH/$name.pem" \
		"$SCRATCH/$name.key" "$@"
	wait_for 10 grep -q . "$port" || fail "the server does not start"
	REPLY=$(<"$port")
}

certificate good DNS:localhost,IP:127.0.0.1 1
serve_web good && PORT=$REPLY
URL=https://127.0.0.1:$PORT

# configure: URLS is what is said of the public cloud, MORE a line below "ranges:"
URLS="service_tags: $URL/page, m365: none"
MORE=
configure() {
	{
		echo "ranges:"
		echo "  ca_file: $SCRATCH/ca.pem"
		echo "  urls: [ { cloud: public, $URLS } ]"
		echo "  $MORE"
		echo "profiles: [ { name: app } ]"
	} >"$CONFIG"
}
configure

# answers LINE...: of the server from now on, see server
answers() { printf '%s\n' "$@" >"$WEB/answers"; }

# tags NAME CHANGE_NUMBER [TAG=PREFIX,...]: a document of the public cloud for the server
tags() { "$FETCH/document" tags Public "$2" "${@:3}" >"$WEB/$1"; }

# page NAME DAY...: a details page that links to the documents of these days
page() {
	local day
	echo "<html><body><p>Azure IP Ranges</p>"
	for day in "${@:2}"; do
		echo "<a href=\"$URL/files/ServiceTags_Public_$day.json\">download</a>"
	done
	echo "</body></html>"
} >"$WEB/$1"

# fetches STATUS [OPTION...]: runs it; $SAID is what it printed
fetches() {
	local expected=$1 status=0
	shift
	SAID=$("$KVGATE" fetch --config "$CONFIG" --state-dir "$STATE" --timeout 5 "$@" 2>&1) ||
		status=$?
	[[ $status == "$expected" ]] || fail "fetch ended with $status, not $expected: $SAID"
}

# in_use NAME...: exactly these documents are in use, and no rest of a download is there
in_use() {
	same "in use" "$*" "$(cd "$IN_USE" && find . -maxdepth 1 -name '*.json' ! -name '.*' -printf '%P\n' |
		sort | tr '\n' ' ' | sed 's/ $//')"
	same "unfinished" "" "$(find "$IN_USE/.tmp" "$IN_USE" -maxdepth 1 -name '*.??????' 2>/dev/null)"
}

# compiles: what is in use makes a policy
compiles() {
	"$KVGATE" compile --ranges "$IN_USE" --resolver none --crl-hosts none >"$SCRATCH/policy" ||
		fail "what is in use cannot be compiled"
}

# asked PATTERN: how many requests match
asked() { grep -cE "$1" "$WEB/asked" || true; }

OLD=20260105
NEW=20260112
VAULTS=198.51.100.0/28,198.51.100.16/28,198.51.100.32/28,198.51.100.48/28,198.51.100.64/28

# start_with_old: the document of $OLD is in use, and the page offers that of $NEW
start_with_old() {
	tags old.json 1 "AzureKeyVault=$VAULTS"
	tags new.json 2 "AzureKeyVault=$VAULTS,198.51.100.80/28"
	page old-page $OLD
	page new-page $OLD $NEW
	answers "/page file old-page" "/files/ServiceTags_Public_$OLD.json file old.json one"
	fetches 0
	in_use "ServiceTags_Public_$OLD.json"
	answers "/page file new-page" "/files/ServiceTags_Public_$OLD.json file old.json one" \
		"/files/ServiceTags_Public_$NEW.json file new.json two"
}

# old_stays: nothing was taken
old_stays() {
	in_use "ServiceTags_Public_$OLD.json"
	cmp -s "$WEB/old.json" "$IN_USE/ServiceTags_Public_$OLD.json" || fail "the old document changed"
	compiles
}
