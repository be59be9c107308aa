#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Without an agent, a container that a profile is for, or that may be one, does not start when it cannot be
# gated, and the runtime shows why in one line.
. "$(dirname "$0")/lib.sh"
need_runtime runc

# cannot WHO TEXT: by each runtime that is here
cannot() {
	for RUNTIME in runc crun podman; do
		ARGS=()
		! command -v "$RUNTIME" >/dev/null || stays_out "$@"
	done
	RUNTIME=runc
	ARGS=()
}

select='labels: { who: "vault" }'
configure < <(profile_for "$select")
cannot vault "container '.*' must not start: profile 'vault' is for it, no agent listens on .*, and no policy of the profile is kept in '$SCRATCH/state': start 'kvgate agent'"
[[ ! -e $SCRATCH/bpf/agent ]] || fail "something was put into the kernel"

keep_policy
head -c 100 "$SCRATCH/state/policies/vault.json" >"$SCRATCH/cut"
mv "$SCRATCH/state/policies/vault.json" "$SCRATCH/good"
mv "$SCRATCH/cut" "$SCRATCH/state/policies/vault.json"
cannot vault "the policy that is kept in '$SCRATCH/state' cannot be read"
mv "$SCRATCH/good" "$SCRATCH/state/policies/vault.json"

umount "$SCRATCH/bpf"
cannot vault "profile 'vault' is for it, .* cannot be gated: "
mount -t bpf "$SANDBOX" "$SCRATCH/bpf"

# Then nobody can say which containers a profile is for.
configure < <(profile_for "$select" | sed 's/resolvers/resolver/')
cannot other "must not start: no agent listens on .*, and $CONFIG:[0-9]+:[0-9]+: "
rm "$CONFIG"
cannot other "the configuration '$CONFIG' cannot be read: No such file"

configure < <(profile_for "$select")
start_box vault
first_was refused
