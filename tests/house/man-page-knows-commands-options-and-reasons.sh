#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the binary offers and counts stands in kvgate(8), and the words of the reasons are those of the table.

. "$(dirname "$0")/lib.sh"
cd "$TOP"

KVGATE=${BUILD:-$TOP/build}/kvgate
PAGE=$(sed -E 's/^\.\\".*//; s/\\-/-/g' packaging/man/kvgate.8)

commands=$("$KVGATE" --help | awk '/^  [a-z-]+ / { print $1 }')
[[ -n $commands ]] || fail "kvgate --help lists no commands"
for command in $commands; do
	grep -qE "^\.It Cm $command\b" <<<"$PAGE" || fail "the page does not know '$command'"
	for option in $("$KVGATE" "$command" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		grep -qE -- "Fl ([a-z] , )?-${option#--}\b" <<<"$PAGE" ||
			fail "the page does not know '$option' of '$command'"
	done
done

reasons=$(sed -n '/define KVG_REASONS/,/^$/p' include/kvg_event.h |
	tr -d '\\\n' | grep -oE '"[^"]+",[[:space:]]*"[^"]+"' | sed -E 's/",[[:space:]]*"/: /; s/"//g')
while IFS=: read -r word meaning; do
	[[ $word != allowed ]] || continue
	grep -A 1 "^\.It $word\$" <<<"$PAGE" | grep -qxF "${meaning# }" ||
		fail "the page does not say what '$word' means"
done <<<"$reasons"

metrics=$(grep -oE '"kvgate_[a-z_]+"' user/agent/metrics.h | tr -d '"')
[[ -n $metrics ]] || fail "user/agent/metrics.h lists no metrics"
for metric in $metrics; do
	grep -qE "\b$metric\b" <<<"$PAGE" || fail "the page does not know the metric '$metric'"
done
