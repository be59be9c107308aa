#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# /metrics, /healthz and /readyz are read at metrics.listen, and nothing else can be done there; who only holds
# connections keeps nobody out. Another address comes into force with the configuration; a port that is in
# use is named, and taken as soon as it is free. Whatever happens there, gates hold.
. "$(dirname "$0")/lib.sh"
need_agent
need_program curl
need_program socat
own_address && AT=$REPLY
new_cgroup app && APP=$REPLY

# at PORT|none: the configuration of this test
at() {
	local listen=$AT:$1
	[[ $1 != none ]] || listen=none
	CONFIGURE="metrics: { listen: \"$listen\" }"
	configure < <(profile app 203.0.113.1 "/$SANDBOX-app")
}

# get PORT PATH [OPTION...]: the text; STATUS is HTTP's, 000 if nobody listens
get() {
	STATUS=$(curl -s --max-time 5 -o "$SCRATCH/got" -w '%{http_code}' "${@:3}" "http://$AT:$1$2") || true
	GOT=$(cat "$SCRATCH/got" 2>/dev/null) || true
	rm -f "$SCRATCH/got"
}
answers() { get "$@" && [[ $STATUS != 000 ]]; }
is_silent() { get "$@" && [[ $STATUS == 000 ]]; }
says() { get "$1" "$2" && [[ $STATUS == "$3" ]]; }

at 9435
start_agent
wait_gated "$APP" app

get 9435 /metrics
same "status of /metrics" 200 "$STATUS"
holds "$GOT" '^kvgate_gates{profile="app",mode="enforce"} 1$'
holds "$(curl -si "http://$AT:9435/metrics")" '^Content-Type: text/plain; version=0.0.4; charset=utf-8'
get 9435 /healthz
same "/healthz" "200 ok" "$STATUS $GOT"
get 9435 /readyz
same "/readyz" "200 ok" "$STATUS $GOT"
get 9435 /
same "status of /" 404 "$STATUS"
for method in POST PUT DELETE OPTIONS; do
	get 9435 /metrics -X "$method" -d x
	same "status of $method" 405 "$STATUS"
done
holds "$(ss -tlnH "src $AT")" "$AT:9435"
same "listeners" 1 "$(ss -tlnHp | grep -c "pid=$AGENT,")"

# Three times as many as there are places, and nothing is said on them.
holders() { for ((i = 0; i < 100; i++)); do exec {fd}<>"/dev/tcp/$AT/9435"; done; sleep 60; }
export AT
spawn bash -c "$(declare -f holders); holders"
wait_for 5 eval '(($(ss -tnH state established "src '"$AT"'" | wc -l) >= 20))' || fail "nobody holds connections"
get 9435 /metrics
same "status of /metrics beside those who hold connections" 200 "$STATUS"
end_process "$REPLY" || true

# What is wrong stays with `kvgate status`.
echo "profiles: [" >"$CONFIG"
wait_for 10 says 9435 /readyz 503 || fail "ready with a configuration that is refused: $STATUS"
same "/readyz" "1 problems: see kvgate status" "$GOT"
get 9435 /healthz
same "/healthz with a problem" "200 ok" "$STATUS $GOT"

# Another address; then one that somebody else has.
at 9436
wait_for 10 answers 9436 /readyz || fail "the new address is silent"
same "/readyz at the new address" "200 ok" "$STATUS $GOT"
get 9435 /healthz
same "status at the old address" 000 "$STATUS"

spawn socat "TCP-LISTEN:9437,bind=$AT,fork,reuseaddr" SYSTEM:'cat >/dev/null'
OTHER=$REPLY
wait_for 5 eval 'ss -tlnH "src '"$AT"'" | grep -q :9437' || fail "socat does not listen"
at 9437
wait_log "no metrics: cannot listen at $AT:9437: Address already in use"
get 9436 /healthz
same "status at an address that is not configured any more" 000 "$STATUS"
kvgate status >"$SCRATCH/status" && fail "status is healthy without metrics"
holds "$(<"$SCRATCH/status")" "cannot listen at $AT:9437"
is_gated "$APP" app || fail "a port in use opened a gate"
end_process "$OTHER" || true
wait_for 15 says 9437 /readyz 200 || fail "the address is free and was not taken"
same "lines about the port in use" 1 "$(grep -c 'Address already in use' "$LOG")"

at none
wait_for 10 is_silent 9437 /healthz || fail "listens although it shall not"
same "listeners" 0 "$(ss -tlnHp | grep -c "pid=$AGENT,")"
kvgate status >/dev/null || fail "not to listen is no problem"
stop_agent
