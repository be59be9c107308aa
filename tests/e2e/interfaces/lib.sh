# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What tests of gated interfaces are written with, on top of ../attacks/lib.sh: the client is a
# container's, and between it and the server is a host that only switches. kvgate runs there, so that
# the server's watch sees which frames passed.
#
#	. "$(dirname "$0")/lib.sh"
#	container tcp/443
#	gate
#	reached tcp "$GOOD4" 443

# shellcheck source=../attacks/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../attacks/lib.sh"

HOST=       # the network namespace of the host
INSIDE=     # a process of the container
PORT=client # the host's side of the container's veth
export OTHER=203.0.113.99 # an address that no policy holds

# Instead of sandbox.sh's: a veth each, and a switch.
join_networks() {
	new_netns host && HOST=$REPLY
	ip -n "$HOST" link add br0 type bridge
	ip -n "$CLIENT" link add eth0 type veth peer name "$PORT" netns "$HOST"
	ip -n "$SERVER" link add eth0 type veth peer name server netns "$HOST"
	ip -n "$HOST" link set "$PORT" master br0
	ip -n "$HOST" link set server master br0
	ip -n "$HOST" link set "$PORT" up
	ip -n "$HOST" link set server up
	ip -n "$HOST" link set br0 up
}

# container SERVICE...: client, host and server; the services, and the watch, are the server's
container() {
	arena "$@"
	spawn_inside "$CLIENT" "$CG" sleep 1000
	INSIDE=$REPLY
	wait_for 5 is_inside "$INSIDE"
	SIDECAR=
}

is_inside() { [[ $(readlink "/proc/$1/ns/net") == "net:[$(stat -L -c %i "/run/netns/$CLIENT")]" ]]; }

# kvgate COMMAND...: as in ../lib.sh, on the host
kvgate() {
	local places=()
	case $1 in
	attach | detach | explain | run | status)
		places=(--bpffs-dir "$SCRATCH/bpf" --state-dir "$SCRATCH/state") ;;&
	attach | detach | status) places+=(--run-dir "$SCRATCH/run") ;;
	esac
	inside_netns "${HOST:?}" "$KVGATE" "$1" "${places[@]}" "${@:2}"
}

# gate: the usual policy, on the cgroup and on the interfaces
gate() { gate_on "$CG" --pid "$INSIDE"; }
# gate_by OPTION...: with more options
gate_by() { gate_on "$CG" --pid "$INSIDE" "$@"; }

# attach OPTION...: by a policy of its own
attach() {
	kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@"
}

# sidecar COMMAND...: in the container's network namespace, but not behind the gate
sidecar() {
	if [[ -z $SIDECAR ]]; then
		new_cgroup sidecar && SIDECAR=$REPLY
	fi
	client_in "$SIDECAR" "$@"
}

# On the interface a neighbour is one that has a cgroup.
beside() { sidecar "$@"; }

# refuses TEXT COMMAND...: it fails with a message that holds the text, and changes nothing
refuses() {
	local said text=$1
	shift
	said=$("$@" 2>&1) && fail "not refused: $*"
	holds "$said" "$text"
	nothing_attached
}

# nothing_attached: neither pins, which hold the links, nor filters, nor a qdisc made for them
nothing_attached() {
	same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"
	same "qdiscs" "" "$(tc -n "$HOST" qdisc show dev "$PORT" | grep -v noqueue || true)"
}
