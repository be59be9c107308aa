#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The configuration as a volume of Kubernetes: kvgate.yaml -> ..data/kvgate.yaml, ..data -> a folder
# with a time in its name, and a new one takes its place by a rename. The same bytes are no reload.
. "$(dirname "$0")/lib.sh"
need_agent
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY
VOLUME=$SCRATCH/etc

# swap NAME: what is in $SCRATCH/new.yaml becomes the volume's content
swap() {
	mkdir "$VOLUME/..$1"
	cp "$SCRATCH/new.yaml" "$VOLUME/..$1/kvgate.yaml"
	ln -s "..$1" "$VOLUME/..data_tmp"
	mv -T "$VOLUME/..data_tmp" "$VOLUME/..data"
	find "$VOLUME" -mindepth 1 -maxdepth 1 -name '..2*' ! -name "..$1" -exec rm -r {} +
}

mv "$CONFIG" "$SCRATCH/new.yaml"
swap 2026_01
ln -s ..data/kvgate.yaml "$CONFIG"
start_agent
is_gated "$CG" one || fail "not gated"

sed -i 's/name: one/name: two/' "$SCRATCH/new.yaml"
swap 2026_02
wait_gated "$CG" two
same "reloads" 1 "$(metric kvgate_config_reloads_total)"

swap 2026_03
sed -i 's/name: two/name: three/' "$SCRATCH/new.yaml"
swap 2026_04
wait_gated "$CG" three
same "reloads" 2 "$(metric kvgate_config_reloads_total)"
stop_agent
