# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What tests of discovery are written with, on top of ../interfaces/containers/lib.sh: real cgroups, real
# containers, and `observe`, which prints what the agent's watch sees.

# shellcheck source=../interfaces/containers/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../interfaces/containers/lib.sh"

OBSERVE=$BUILD/tests/e2e/discover/observe

# observe [RUN VAR_LIB]: from now on, what happens to cgroups of the test's own is in $SEEN
observe() {
	need_root
	[[ -n $CGROUPS ]] || skip "no cgroup v2 is mounted"
	[[ -x $OBSERVE ]] || skip "no $OBSERVE: run make attacks first"
	SEEN=$SCRATCH/seen
	# shellcheck disable=SC2016
	spawn bash -c 'exec "$1" "$2" "$3" "${@:5}" >"$4"' observe "$OBSERVE" "$CGROUPS" "/$SANDBOX" "$SEEN" "$@"
	wait_for 5 grep -q '^ready' "$SEEN" || fail "the watch does not begin"
}

# seen SIGN CGROUP: the line that says so, or nothing
seen() { grep "^{.*\"sign\":\"[$1]\",\"cgroup\":\"${2#"$CGROUPS"}\"" "$SEEN"; }

# known_box RUNTIME: its container is known by its name and annotation as soon as its first process is there
known_box() {
	RUNTIME=$1
	need_program "$RUNTIME"
	need_program jq
	[[ -n $CGROUPS ]] || skip "no cgroup v2 is mounted"
	on_exit restore_controllers "$(<"$CGROUPS/cgroup.subtree_control")"
	new_netns client && CLIENT=$REPLY
	new_cgroup box && CG=$REPLY
	mkdir -p "$SCRATCH"/{run,lib/containers}
	ln -s "$SCRATCH/oci" "$SCRATCH/run/$RUNTIME"
	ln -s "$SCRATCH/podman" "$SCRATCH/lib/containers/storage"
	make_root
	on_exit remove_box
	"make_known_$RUNTIME"

	observe "$SCRATCH/run" "$SCRATCH/lib"
	seen + "$CG" >"$SCRATCH/line" || fail "the container's cgroup is not seen: $(<"$SEEN")"
	same "runtime" "$RUNTIME" "$(jq -r .runtime "$SCRATCH/line")"
	same "container" "$BOX" "$(jq -r .container "$SCRATCH/line")"
	same "incomplete" false "$(jq -r .incomplete "$SCRATCH/line")"
	same "label" vault "$(jq -r '.labels["example.com/app"]' "$SCRATCH/line")"
}

annotate() { jq '.annotations = {"example.com/app": "vault"}' "$BUNDLE/config.json" >"$SCRATCH/config"; }

make_known_oci() {
	make_bundle "${CG#"$CGROUPS"}/$BOX"
	annotate
	mv "$SCRATCH/config" "$BUNDLE/config.json"
	oci create --bundle "$BUNDLE" "$BOX" </dev/null >"$SCRATCH/oci.log" 2>&1 ||
		skip "$RUNTIME makes no container here: $(<"$SCRATCH/oci.log")"
	CG=$CG/$BOX
}

make_known_crun() {
	OCI=(crun --cgroup-manager=cgroupfs)
	make_known_oci
}

make_known_runc() {
	OCI=(runc)
	make_known_oci
}

create_known_podman() {
	podman create --name "$BOX" --annotation example.com/app=vault --cgroup-parent "${CG#"$CGROUPS"}" \
		--network none --pids-limit 0 --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
		--pidfile "$SCRATCH/box.pid" -v /usr:/usr:ro --rootfs "$ROOT" "${FIRST[@]}" || return 1
	podman init "$BOX"
}

make_known_podman() {
	if ! create_known_podman >"$SCRATCH/oci.log" 2>&1; then
		skip "podman makes no container here: $(<"$SCRATCH/oci.log")"
	fi
	CG=$CGROUPS$(sed -n 's/^0:://p' "/proc/$(<"$SCRATCH/box.pid")/cgroup")
}
