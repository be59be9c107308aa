# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# A sandbox for tests, demo and benches: namespaces, cgroups, mounts and processes whose names hold
# the process id, all undone by one EXIT trap, also after a failure or a signal.
#
# To be sourced by bash. A function that makes something leaves its name in REPLY.

set -euo pipefail
export LC_ALL=C

# shellcheck disable=SC2034 # for those who source this
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SANDBOX=kvg$$
SCRATCH=$(mktemp -d "/tmp/$SANDBOX.XXXXXX")
UNDO=()
PATIENCE=${KVGATE_TEST_PATIENCE:-1} # a factor on limits of time, for slow machines: a whole number

# on_exit COMMAND...: run it when the sandbox is left; the last one said runs first
on_exit() {
	UNDO+=("$(printf '%q ' "$@")")
}

sandbox_leave() {
	local status=$? i
	trap - EXIT
	trap '' HUP INT TERM
	set +e
	for ((i = ${#UNDO[@]} - 1; i >= 0; i--)); do
		eval "${UNDO[i]}"
	done
	rm -rf "$SCRATCH"
	exit "$status"
}
trap sandbox_leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for SECONDS COMMAND...: until the command succeeds; fails if it does not in time
wait_for() {
	local end=$((SECONDS + $1 * PATIENCE + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}

# spawn COMMAND...: in the background, ended with the sandbox; REPLY is its pid. No shell function:
# the pid would be that of a shell which waits for what must be ended.
spawn() {
	"$@" &
	REPLY=$!
	on_exit end_process "$REPLY"
}

end_process() {
	kill "$1"
	wait_for 3 process_gone "$1" || kill -KILL "$1"
	wait "$1"
} 2>/dev/null

process_gone() {
	! kill -0 "$1" || grep -q '^State:.Z' "/proc/$1/status"
}

# --- cgroups -----------------------------------------------------------------------------------

# Where cgroup v2 is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified in a hybrid layout.
cgroup_root() {
	awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) == "cgroup2") { print $5; exit } }' \
		/proc/self/mountinfo
}
CGROUPS=$(cgroup_root)

# A denying program on the root cgroup cuts the whole machine off: a slip must end here.
check_cgroup() {
	if [[ -z $CGROUPS || $1 != "$CGROUPS"/?* || $1 == *..* || $1 == */ ]]; then
		echo "sandbox: '$1' is not a cgroup of a sandbox" >&2
		exit 99
	fi
}

# new_cgroup NAME: REPLY is its folder; NAME may lie below one that was made before
new_cgroup() {
	REPLY=$CGROUPS/$SANDBOX-$1
	check_cgroup "$REPLY"
	mkdir "$REPLY"
	on_exit remove_cgroup "$REPLY"
}

# Ends what is inside, then removes it and all below.
remove_cgroup() {
	local inner
	check_cgroup "$1"
	[[ -d $1 ]] || return 0
	find "$1" -depth -type d | while read -r inner; do
		wait_for 5 empty_cgroup "$inner"
		rmdir "$inner"
	done
}

empty_cgroup() {
	local pids
	pids=$(cat "$1/cgroup.procs")
	[[ -z $pids ]] || { xargs -r kill -KILL <<<"$pids"; return 1; }
}

# inside_cgroup FOLDER COMMAND...
inside_cgroup() {
	check_cgroup "$1"
	bash -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' inside_cgroup "$@"
}

# new_bpffs: REPLY is the folder of a bpffs of the sandbox's own, where no other gates are
new_bpffs() {
	REPLY=$SCRATCH/bpf
	mkdir "$REPLY"
	mount -t bpf "$SANDBOX" "$REPLY"
	on_exit umount "$REPLY"
}

# --- network namespaces ------------------------------------------------------------------------

# new_netns NAME: REPLY is its full name; loopback is up
new_netns() {
	REPLY=$SANDBOX-$1
	ip netns add "$REPLY"
	on_exit remove_netns "$REPLY"
	ip -n "$REPLY" link set lo up
}

remove_netns() {
	ip netns pids "$1" | xargs -r kill -KILL
	ip netns del "$1"
}

# inside_netns NAME COMMAND...: unlike `ip netns exec` it leaves cgroups and bpffs in sight
inside_netns() {
	local name=$1
	shift
	nsenter --net="/run/netns/$name" -- "$@"
}

# join_networks: eth0 of either is an end of one veth
join_networks() { ip -n "$CLIENT" link add eth0 type veth peer name eth0 netns "$SERVER"; }

# new_network: two namespaces, $CLIENT and $SERVER, with a veth between them and no way out.
# Every address of the documentation prefixes (RFC 5737, RFC 3849) is the server's; the client is
# 192.0.2.2 and 2001:db8::2.
new_network() {
	new_netns client && CLIENT=$REPLY
	new_netns server && SERVER=$REPLY
	join_networks

	ip -n "$CLIENT" address add 192.0.2.2/24 dev eth0
	ip -n "$CLIENT" address add 2001:db8::2/64 dev eth0 nodad
	ip -n "$SERVER" address add 192.0.2.1/24 dev eth0
	ip -n "$SERVER" address add 2001:db8::1/64 dev eth0 nodad
	ip -n "$SERVER" link set eth0 up
	ip -n "$CLIENT" link set eth0 up
	wait_for 5 no_tentative "$CLIENT"
	wait_for 5 no_tentative "$SERVER"

	serve_prefix 198.51.100.0/24
	serve_prefix 203.0.113.0/24
	serve_prefix 2001:db8::/32
	# The client's own address lies in it; "local" is asked first, so the exception belongs there.
	ip -n "$SERVER" route add 2001:db8::2/128 dev eth0 table local
}

# Until duplicate address detection is over, neighbours of IPv6 are not found.
no_tentative() { [[ -z $(ip -n "$1" -6 address show tentative) ]]; }

# serve_prefix PREFIX: the server has every address of it, and the client knows the way
serve_prefix() {
	local via=192.0.2.1
	[[ $1 != *:* ]] || via=2001:db8::1
	ip -n "$SERVER" route add local "$1" dev lo
	ip -n "$CLIENT" route add "$1" via "$via"
}

# spawn_in NAME COMMAND...: as spawn, and the pid is the command's own
spawn_in() {
	local name=$1
	shift
	spawn nsenter --net="/run/netns/$name" -- "$@"
}

client() { inside_netns "$CLIENT" "$@"; }
server() { inside_netns "$SERVER" "$@"; }
