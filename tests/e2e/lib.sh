# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What end-to-end tests are written with. A test is a bash script whose file name is its claim:
#
#	. "$(dirname "$0")/lib.sh"
#	need_kvgate
#	new_network
#	serve tcp/443 udp/53
#	new_cgroup app && CG=$REPLY
#	kvgate attach --allow 203.0.113.0/24=tcp/443 ... "$CG"
#	reached tcp 203.0.113.9 443
#	refused tcp 203.0.113.9 80
#
# It ends with 0, or fails at the first command that does. `skip` says why it cannot run.

# shellcheck source=../../tools/sandbox.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/sandbox.sh"

KVGATE=${KVGATE:-$TOP/build/kvgate}
E2E=$TOP/tests/e2e
# shellcheck disable=SC2034
RANGES=$TOP/tools/demo/ranges # sample documents: the claims of tests may count on their content
CG= # the cgroup that gated(), reached() and refused() work in

trap 'echo "FAIL: line $LINENO: $BASH_COMMAND" >&2' ERR

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

skip() {
	echo "SKIP: $*"
	exit 77
}

need_root() { [[ $EUID == 0 ]] || skip "needs root"; }
need_program() { command -v "$1" >/dev/null || skip "needs $1"; }

# Root, a built kvgate, cgroup v2, and a bpffs of the test's own: it sees no other gates.
need_kvgate() {
	need_root
	[[ -x $KVGATE ]] || skip "no $KVGATE: run make first"
	[[ -n $CGROUPS ]] || skip "no cgroup v2 is mounted"
	new_bpffs || skip "bpffs cannot be mounted"
}

# need_closing: a kernel that closes connections for kvgate
need_closing() {
	[[ $("$KVGATE" doctor) =~ yes\ +SOCK_DESTROY ]] || skip "this kernel has no SOCK_DESTROY"
}

# has_lsm: are there sockets that the BPF LSM refuses?
has_lsm() { [[ $("$KVGATE" doctor) =~ yes\ +BPF\ LSM ]]; }

# kvgate COMMAND...: pins, policies and locks are the test's own
kvgate() {
	local places=()
	case $1 in
	attach | detach | explain | run | status)
		places=(--bpffs-dir "$SCRATCH/bpf" --state-dir "$SCRATCH/state") ;;&
	attach | detach | status) places+=(--run-dir "$SCRATCH/run") ;;
	esac
	"$KVGATE" "$1" "${places[@]}" "${@:2}"
}

# serve SERVICE...: e.g. tcp/443: answers on every address of the server; $SERVED lists what came
serve() {
	SERVED=$SCRATCH/served
	spawn_in "$SERVER" "$E2E/serve" "$SERVED" "$@"
	wait_for 5 grep -q '^ready' "$SERVED" || fail "the server did not start"
}

# gated COMMAND...: in the client's namespace and inside $CG
gated() { client_in "$CG" "$@"; }
client_in() {
	local cgroup=$1
	check_cgroup "$cgroup"
	shift
	inside_cgroup "$cgroup" nsenter --net="/run/netns/$CLIENT" -- "$@"
}

# reached PROTOCOL ADDRESS PORT: an answer comes back
reached() {
	local said
	said=$(gated "$E2E/probe" "$@") || fail "$* should have been reached: $said"
}

# refused PROTOCOL ADDRESS PORT: EPERM, and at once: a packet that is lost in silence is sent again after 1 s
refused() {
	local said name ms
	said=$(gated "$E2E/probe" "$@") && fail "$* should have been refused: $said"
	read -r name ms <<<"$said"
	[[ $name == EPERM ]] || fail "$* should have given EPERM: $said"
	((${ms%.*} < 800 * PATIENCE)) || fail "$* should have been refused at once: $said"
}

# spawn_inside NETNS CGROUP COMMAND...: in the background; CGROUP "-" is none; REPLY is its pid
spawn_inside() {
	local netns=/run/netns/$1 cgroup=$2
	shift 2
	if [[ $cgroup == - ]]; then
		spawn nsenter --net="$netns" -- "$@"
		return
	fi
	check_cgroup "$cgroup"
	# shellcheck disable=SC2016
	spawn bash -c 'echo 0 >"$1/cgroup.procs"; netns=$2; shift 2; exec nsenter --net="$netns" -- "$@"' \
		spawn_inside "$cgroup" "$netns" "$@"
}

# in_cgroup PID FOLDER
in_cgroup() { [[ $(sed -n 's/^0:://p' "/proc/$1/cgroup") == "${2#"$CGROUPS"}" ]]; }

# keep NAME NETNS CGROUP PROTOCOL ADDRESS PORT: a connection that stays open; CGROUP "-" is none
declare -A KEPT=() TOLD=()
keep() {
	local fd files=$SCRATCH/kept-$1
	mkfifo "$files.in"
	# shellcheck disable=SC2016
	spawn_inside "$2" "$3" bash -c '"$1" --stay --timeout 1 "${@:3}" <"$2.in" >"$2.out"' \
		keep "$E2E/probe" "$files" "${@:4}"
	exec {fd}>"$files.in"
	KEPT[$1]=$fd
	TOLD[$1]=1
	wait_for 5 grep -q . "$files.out" || fail "$1 does not come about"
	holds "$(<"$files.out")" reached
}

# tell NAME: sends a line over it; SAID is what came of it: "answered MS", or the errno's name and MS
tell() {
	echo hello >&"${KEPT[$1]}"
	((++TOLD[$1]))
	wait_for 5 has_lines "$SCRATCH/kept-$1.out" "${TOLD[$1]}" || fail "$1 says nothing"
	# shellcheck disable=SC2034
	SAID=$(sed -n "${TOLD[$1]}p" "$SCRATCH/kept-$1.out")
}

# has_lines FILE COUNT: as many, or more
has_lines() { (($(wc -l <"$1") >= $2)); }

# hold NAME NETNS CGROUP [--count N] PROTOCOL ADDRESS PORT: silent connections; $HELD is its file, to
# which their ends are written
hold() {
	local count=1
	HELD=$SCRATCH/held-$1
	[[ $4 != --count ]] || count=$5
	# shellcheck disable=SC2016
	spawn_inside "$2" "$3" bash -c '"$1" "${@:3}" >"$2"' hold "$E2E/hold" "$HELD" "${@:4}"
	wait_for 10 has_lines "$HELD" "$count" || fail "$1: $(tail -n 1 "$HELD")"
}

# ends_of FILE: how the connections of hold() have ended so far, "COUNT NAME", one word each line
ends_of() { grep -v '^held' "$1" | sort | uniq -c | awk '{ print $1, $2 }'; }

# same WHAT EXPECTED ACTUAL
same() { [[ $2 == "$3" ]] || fail "$1: expected '$2', got '$3'"; }

# holds TEXT PATTERN: a line of TEXT matches the extended regular expression
holds() { grep -Eq -- "$2" <<<"$1" || fail "'$2' is not in: $1"; }

# prepare_run: "${RUN[@]}" is `kvgate run` by the sample documents; its cgroups are below $CG
prepare_run() {
	new_cgroup run && CG=$REPLY
	# shellcheck disable=SC2034 # for those who source this
	RUN=("$KVGATE" run --bpffs-dir "$SCRATCH/bpf" --cgroup-parent "${CG#"$CGROUPS"}"
		--ranges "$RANGES" --resolver none --crl-hosts none)
}

# nothing_left: neither pins, nor cgroups below $CG, nor processes in it
nothing_left() {
	same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"
	same "cgroups" "" "$(find "$CG" -mindepth 1 -type d)"
	same "processes" "" "$(cat "$CG/cgroup.procs")"
}

# sum_of FILE: what the lines of the record add up to
sum_of() {
	python3 -c 'import json, sys
print(sum(json.loads(line)["kvgate"]["count"] for line in open(sys.argv[1])))' "$1"
}
