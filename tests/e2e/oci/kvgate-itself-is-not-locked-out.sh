#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A container of kvgate's own starts although a profile selects it and there is neither agent nor policy
# nor configuration: else nobody could bring the agent back. Only one that may remove gates passes for it.
. "$(dirname "$0")/lib.sh"
need_runtime runc
rm "$ROOT/bin/kvgate"
cat >"$ROOT/bin/kvgate" <<'SH'
#!/bin/busybox sh
busybox touch /out/tried
exec busybox sleep 1000
SH
chmod +x "$ROOT/bin/kvgate"
configure < <(profile_for "cgroup: \"/$SANDBOX-app/**\"")
ARGS=(/bin/kvgate agent)

CAPABILITIES='["CAP_BPF", "CAP_NET_ADMIN"]'
start_box any
is_open "$INSIDE" || fail "it is gated"
remove_box
mv "$CONFIG" "$CONFIG.away"
start_box any
remove_box
mv "$CONFIG.away" "$CONFIG"

CAPABILITIES='["CAP_NET_ADMIN"]'
stays_out any "profile 'vault' is for it"
CAPABILITIES='["CAP_BPF", "CAP_NET_ADMIN"]'
ARGS=()
stays_out any "profile 'vault' is for it"
