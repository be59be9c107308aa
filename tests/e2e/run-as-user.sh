#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `run --user` starts CMD as that user, with its groups and environment and no way back to root, and
# behind the same gate.
. "$(dirname "$0")/lib.sh"
need_kvgate
prepare_run
user=nobody

same "user" "$(id -u $user)" "$("${RUN[@]}" --user $user -- id -u)"
same "groups" "$(id -G $user)" "$("${RUN[@]}" --user $user -- id -G)"
same "environment" "$user $user $(getent passwd $user | cut -d: -f6)" \
	"$("${RUN[@]}" --user $user -- bash -c 'echo "$USER $LOGNAME $HOME"')"
same "ids and capabilities" "65534 65534 65534 65534 0000000000000000" \
	"$("${RUN[@]}" --user $user -- awk '/^Uid/ { u = $2 " " $3 " " $4 " " $5 }
		/^CapEff/ { print u, $2 }' /proc/self/status)"

said=$("${RUN[@]}" --user $user --audit-file "$SCRATCH/record" -- \
	bash -c 'echo >/dev/tcp/203.0.113.9/443' 2>&1) && fail "it was not refused"
holds "$said" '^refused tcp 203\.0\.113\.9:443 \(destination\) by bash\['
same "user in the record" '"65534"' "$(jq -c .user.id "$SCRATCH/record")"
nothing_left
