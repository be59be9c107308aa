# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What tests of the OCI hook are written with, on top of ../agent/lib.sh: containers of real runtimes, in
# the client's network namespace, whose first action is to send. What a runtime puts on disk or mounts is
# gone with the test's own mounts; the layout of cgroups there is always the pure one.
#
#	. "$(dirname "$0")/lib.sh"
#	need_runtime runc
#	configure < <(profile_for 'labels: { who: "vault" }')
#	start_box vault
#	first_was refused
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

# shellcheck source=../agent/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../agent/lib.sh"

RUNTIME=
BOX=$SANDBOX-box
STAGE=createRuntime # of the hook; "" for a container without one
HOOK_STATE=$SCRATCH/state # where the hook looks for policies without an agent
DNS=                # podman: the name server in the container's resolv.conf
RESOLV=             # others: file that is mounted as its resolv.conf
ARGS=()             # what the container runs; the usual first packet if it is empty

# need_runtime NAME: with it, a network, an agent's places, and a root file system
need_runtime() {
	RUNTIME=$1
	need_program "$RUNTIME"
	need_program jq
	[[ -x /bin/busybox ]] || skip "needs /bin/busybox"
	ldd /bin/busybox >/dev/null 2>&1 && skip "needs a busybox that is linked statically"
	need_agent
	on_exit restore_controllers "$(<"$CGROUPS/cgroup.subtree_control")"
	new_network
	serve tcp/443 udp/9000
	new_cgroup app && CG=$REPLY
	ROOT=$SCRATCH/root
	mkdir -p "$ROOT"/{bin,proc,dev,etc,tmp} "$SCRATCH/out"
	cp /bin/busybox "$ROOT/bin"
	ln -s busybox "$ROOT/bin/kvgate"
	on_exit remove_box
}

# Runtimes hand controllers down to the cgroups that they make, and do not take them back.
restore_controllers() {
	local controller
	for controller in $(<"$CGROUPS/cgroup.subtree_control"); do
		[[ " $1 " == *" $controller "* ]] || echo "-$controller" >"$CGROUPS/cgroup.subtree_control"
	done
}

# profile_for SELECT: profile "vault" lets 203.0.113.1 through, and nothing else
profile_for() {
	cat <<-YAML
		  - name: vault
		    resolvers: [none]
		    crl: { hosts: none }
		    allow: [ { prefix: 203.0.113.1/32, service: tcp/443 } ]
		    select: [ { $1 } ]
	YAML
}

# keep_policy: what an agent leaves behind that has been here once
keep_policy() {
	start_agent
	stop_agent
	[[ -s $SCRATCH/state/policies/vault.json ]] || fail "no policy was kept"
}

# hook_command: the hook and its options, one a line
hook_command() {
	printf '%s\n' kvgate oci-hook --config "$CONFIG" --state-dir "$HOOK_STATE" \
		--run-dir "$SCRATCH/run" --bpffs-dir "$SCRATCH/bpf"
}

# The first thing it does: a packet each way, and then it tells how that was.
first_arguments() {
	local here=/out
	[[ $RUNTIME != podman ]] || here=/tmp
	# shellcheck disable=SC2016
	ARGS=(/bin/busybox sh -c '
		busybox nc -w 2 203.0.113.2 443 </dev/null >"$0/other" 2>&1
		busybox nc -w 2 203.0.113.1 443 </dev/null >"$0/vault" 2>&1
		busybox touch "$0/tried"
		exec busybox sleep 1000' "$here")
}

# make_bundle WHO: an OCI bundle with the hook; its annotation says who it is
make_bundle() {
	BUNDLE=$SCRATCH/bundle
	mkdir -p "$BUNDLE"
	hook_command | jq --raw-input --slurp --arg root "$ROOT" --arg out "$SCRATCH/out" --arg who "$1" \
		--arg stderr "$SCRATCH/out/stderr" --arg cgroup "${CG#"$CGROUPS"}/$BOX" --arg netns "/run/netns/$CLIENT" \
		--arg stage "$STAGE" --arg path "$KVGATE" --arg resolv "$RESOLV" --argjson capabilities "${CAPABILITIES:-[]}" '
		(. / "\n" | map(select(. != ""))) as $hook | {
			ociVersion: "1.0.2",
			root: {path: $root},
			annotations: {who: $who, "run.oci.hooks.stderr": $stderr},
			process: {
				user: {uid: 0, gid: 0}, cwd: "/", args: $ARGS.positional, env: ["PATH=/bin"],
				capabilities: {
					bounding: $capabilities, effective: $capabilities, permitted: $capabilities
				}
			},
			mounts: ([
				{destination: "/proc", type: "proc", source: "proc"},
				{destination: "/out", type: "none", source: $out, options: ["bind", "rw"]}
			] + (if $resolv == "" then [] else [{
				destination: "/etc/resolv.conf", type: "none", source: $resolv,
				options: ["bind", "rw"]
			}] end)),
			hooks: (if $stage == "" then {} else {($stage): [{path: $path, args: $hook}]} end),
			linux: {
				namespaces: [{type: "pid"}, {type: "mount"}, {type: "network", path: $netns}],
				cgroupsPath: $cgroup
			}
		}' --args -- "${ARGS[@]}" >"$BUNDLE/config.json"
	# shellcheck disable=SC2094
	mkdir -p "$ROOT/out"
}

# make_hooks_dir: what podman and CRI-O read, made of the file that comes with kvgate
make_hooks_dir() {
	rm -rf "$SCRATCH/hooks.d"
	mkdir "$SCRATCH/hooks.d"
	[[ $STAGE ]] || return 0
	hook_command | jq --raw-input --slurp --slurpfile shipped "$TOP/packaging/oci/kvgate.json" \
		--arg path "$KVGATE" --arg stage "$STAGE" '
		$shipped[0] + {stages: [$stage],
			hook: {path: $path, args: (. / "\n" | map(select(. != "")))}}
		' >"$SCRATCH/hooks.d/kvgate.json"
}

podman() {
	command podman --root "$SCRATCH/podman" --runroot "$SCRATCH/podman.run" --tmpdir "$SCRATCH/podman.tmp" \
		--storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime "${OCI:-runc}" \
		--hooks-dir "$SCRATCH/hooks.d" "$@"
}

run_by_podman() {
	make_hooks_dir
	podman run --detach --name "$BOX" --cgroup-parent "${CG#"$CGROUPS"}" --network "ns:/run/netns/$CLIENT" \
		${DNS:+--dns "$DNS"} --pids-limit 0 --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --annotation "who=$1" \
		-v "$SCRATCH/out:/tmp" --rootfs "$ROOT" "${ARGS[@]}" </dev/null
}

run_by_runc() {
	make_bundle "$1"
	runc --root "$SCRATCH/oci" run --detach --bundle "$BUNDLE" "$BOX" </dev/null
}

run_by_crun() {
	make_bundle "$1"
	crun --root "$SCRATCH/oci" --cgroup-manager=cgroupfs run --detach --bundle "$BUNDLE" "$BOX" </dev/null
}

# try_box WHO: starts a container; SAID is what its runtime says; Return: whether it runs
try_box() {
	local status=0
	rm -f "$SCRATCH"/out/*
	((${#ARGS[@]})) || first_arguments
	"run_by_$RUNTIME" "$1" >"$SCRATCH/oci.log" 2>&1 || status=$?
	# crun keeps to itself what hooks print, unless the annotation says where to.
	SAID=$(cat "$SCRATCH/oci.log" "$SCRATCH/out/stderr" 2>/dev/null || true)
	return "$status"
}

# start_box WHO: it must start, and INSIDE is its cgroup
start_box() {
	try_box "$1" || fail "the container does not start: $SAID"
	wait_for 20 test -e "$SCRATCH/out/tried" || fail "it does nothing: $SAID"
	INSIDE=$(find "$CG" -mindepth 1 -maxdepth 1 -name "*$(box_id)" | grep -v conmon)
	[[ -d $INSIDE ]] || fail "its cgroup is not below $CG: $(find "$CG" -type d)"
}

# stays_out WHO TEXT: it must not start, and the runtime shows this text
stays_out() {
	! try_box "$1" || fail "the container was started"
	[[ ! -e $SCRATCH/out/tried ]] || fail "the container ran"
	holds "$SAID" "$2"
	remove_box
}

box_id() {
	if [[ $RUNTIME == podman ]]; then
		podman inspect --format '{{.ID}}' "$BOX"
	else
		echo "$BOX"
	fi
}

# first_was refused|reached: what came of its first packet; the vault is always reached
first_was() {
	holds "$(<"$SCRATCH/out/vault")" "^hello$"
	if [[ $1 == reached ]]; then
		holds "$(<"$SCRATCH/out/other")" "^hello$"
		return
	fi
	holds "$(<"$SCRATCH/out/other")" "Operation not permitted"
	is_gated "$INSIDE" vault || fail "$INSIDE is not gated: $(gates)"
	! grep -q " 203.0.113.2$" "$SERVED" || fail "it got out: $(<"$SERVED")"
}

# remove_box: as its user would
remove_box() {
	case $RUNTIME in
	podman) podman rm --force --time 0 "$BOX" >/dev/null ;;
	crun) crun --root "$SCRATCH/oci" --cgroup-manager=cgroupfs delete --force "$BOX" ;;
	*) runc --root "$SCRATCH/oci" delete --force "$BOX" ;;
	esac
} 2>/dev/null

# refusals CGROUP: what was refused there, as "COUNT FLOW"
refusals() {
	{ kvgate status --json || true; } | jq -r --arg cgroup "${1#"$CGROUPS"}" '
		.gates[] | select(.cgroup == $cgroup) | .refused_flows[] | "\(.count) \(.flow)"'
}

# holds_first RUNTIME: whatever the agent does, its container is gated before its first packet
holds_first() {
	local record=$SCRATCH/denied.jsonl
	need_runtime "$1"
	CONFIGURE="audit: { file: $record }"
	configure < <(profile_for 'labels: { who: "vault" }')
	keep_policy

	# Without the hook the same packet gets out: the network is up in time.
	STAGE=
	start_box vault
	first_was reached
	remove_box
	: >"$SERVED"

	# No agent: the hook gates by itself.
	for STAGE in prestart createRuntime; do
		start_box vault
		first_was refused
		same "refused" "1 tcp 203.0.113.2:443" "$(refusals "$INSIDE")"
		[[ $STAGE == createRuntime ]] || remove_box
	done

	# The next agent takes the gate over as it is, and records what was refused meanwhile.
	start_agent
	is_gated "$INSIDE" vault || fail "the agent removed the gate: $(gates)"
	same "generation" 1 "$(generation "$INSIDE")"
	CG=$INSIDE refused tcp 203.0.113.2 443
	CG=$INSIDE reached tcp 203.0.113.1 443
	wait_for 10 grep -q 203.0.113.2 "$record" || fail "nothing was recorded"
	remove_box
	wait_open "$INSIDE"

	# The agent gates it: the hook itself has no policy now.
	HOOK_STATE=$SCRATCH/nothing
	for STAGE in prestart createRuntime; do
		start_box vault
		first_was refused
		remove_box
	done
	stop_agent
}

# need_resolvers: the node asks 203.0.113.53, networks of containers have theirs in 10.89.0.0/24; all answer
need_resolvers() {
	serve_prefix 10.89.0.0/24
	spawn_in "$SERVER" "$E2E/serve" "$SCRATCH/asked" udp/53 tcp/53
	wait_for 5 grep -q '^ready' "$SCRATCH/asked" || fail "the name servers did not start"
	echo "nameserver 203.0.113.53" >"$SCRATCH/node.conf"
	# In the test's own mounts.
	mount --bind "$SCRATCH/node.conf" "$(realpath /etc/resolv.conf)"
}

# auto_profile SELECT: as profile_for, with the resolvers of the resolv.conf
auto_profile() { profile_for "$1" | sed 's/resolvers: .none./resolvers: [auto]/'; }

# answers ADDRESS, is_mute ADDRESS: to a client in the box, by UDP and TCP
answers() {
	CG=$INSIDE reached udp "$1" 53
	CG=$INSIDE reached tcp "$1" 53
}
is_mute() {
	CG=$INSIDE refused udp "$1" 53
	CG=$INSIDE refused tcp "$1" 53
}

# resolvers: of the box's gate, as status tells them
resolvers() {
	{ kvgate status --json || true; } | jq -r --arg cgroup "${INSIDE#"$CGROUPS"}" '
		.gates[] | select(.cgroup == $cgroup) | .resolvers | join(" ")'
}

# take_over ADDRESS...: who runs inside names others
take_over() {
	printf 'nameserver %s\n' "$@" >"/proc/$(head -n 1 "$INSIDE/cgroup.procs")/root/etc/resolv.conf"
}
