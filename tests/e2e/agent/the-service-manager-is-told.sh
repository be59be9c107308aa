#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent tells the service manager when it is ready, when it reloads, how it is, that it is alive
# and that it ends; it is ready only when what is there is gated.
. "$(dirname "$0")/lib.sh"
need_agent
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY
WATCHDOG_USEC=400000 start_agent
is_gated "$CG" one || fail "ready, but $CG is not gated"
wait_for 5 told "STATUS=1 gates of 1 profiles" || fail "no status: $(<"$NOTIFIED")"
wait_for 5 told WATCHDOG=1 || fail "no sign of life: $(<"$NOTIFIED")"

: >"$NOTIFIED"
kill -HUP "$AGENT"
wait_for 5 told READY=1 || fail "the reload has no end: $(<"$NOTIFIED")"
told RELOADING=1 || fail "the reload was not told: $(<"$NOTIFIED")"
grep -Eq '^MONOTONIC_USEC=[0-9]+$' "$NOTIFIED" || fail "the reload has no time: $(<"$NOTIFIED")"

echo "moode: x" >>"$CONFIG"
wait_for 5 grep -q 'STATUS=.*UNHEALTHY: 1 problems' "$NOTIFIED" || fail "no news: $(<"$NOTIFIED")"
stop_agent
told STOPPING=1 || fail "the end was not told: $(<"$NOTIFIED")"
