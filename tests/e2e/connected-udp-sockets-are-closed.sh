#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A UDP socket that is connected to what the policy loses gets an error without sending anything; one
# that is connected to what stays does not.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
new_network
serve udp/53 udp/443
new_cgroup app && CG=$REPLY

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }
GOOD=(--allow 203.0.113.1/32=udp/53)
gate "${GOOD[@]}" --allow 203.0.113.9/32=udp/443 --allow 2001:db8:bad::9/128=udp/443
hold four "$CLIENT" "$CG" udp 203.0.113.9 443 && FOUR=$HELD
hold six "$CLIENT" "$CG" udp 2001:db8:bad::9 443 && SIX=$HELD
hold good "$CLIENT" "$CG" udp 203.0.113.1 53 && STAYS=$HELD

holds "$(gate "${GOOD[@]}")" '2 connections closed'
for file in "$FOUR" "$SIX"; do
	wait_for 1 has_lines "$file" 2 || fail "nobody told the application"
	same "end" "1 ECONNABORTED" "$(ends_of "$file")"
done
same "end of what is allowed" "" "$(ends_of "$STAYS")"
