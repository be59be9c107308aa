#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where the BPF LSM is on, sockets of families that leave the machine without IP cannot be made behind a
# gate, known or unknown ones; those that stay on the machine can. What the kernel makes for itself is
# left alone, and so is who is not behind the gate.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program jq
has_lsm || skip "the BPF LSM is off, kept from us, or knows no cgroups yet (Linux 6.0)"
new_network
new_cgroup app && CG=$REPLY
new_cgroup other && OTHER=$REPLY
RECORD=$SCRATCH/record

cat >"$SCRATCH/make.py" <<'PYTHON'
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for family in range(1, 46):
    for kind in (1, 2, 3, 5, 10):  # stream, dgram, raw, seqpacket, packet
        fd = libc.socket(family, kind, 0)
        error = ctypes.get_errno()
        print(family, kind, "made" if fd >= 0 else errno.errorcode[error])
        if fd >= 0:
            os.close(fd)
PYTHON
make_all() { client_in "$1" python3 "$SCRATCH/make.py"; }
gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }

before=$(make_all "$CG")
holds "$before" '^17 3 made$'
gate --audit-file "$RECORD"
holds "$(kvgate status)" '^  lsm +on$'
same "lsm" true "$(kvgate status --json | jq '.gates[0].lsm')"

# unix, inet, inet6, netlink, alg: as before, but for what sock_create refuses of IP.
behind=$(make_all "$CG")
stays='^(1|16|38) '
same "families that stay on the machine" "$(grep -E "$stays" <<<"$before")" "$(grep -E "$stays" <<<"$behind")"
for made in '2 1' '2 2' '10 1' '10 2'; do
	holds "$behind" "^$made made$"
done
refused_ones=$(grep -Ev '^(1|2|10|16|38) ' <<<"$behind")
same "all other families" EPERM "$(awk '{ print $3 }' <<<"$refused_ones" | sort -u)"
(($(wc -l <<<"$refused_ones") == 40 * 5)) || fail "not all were tried: $refused_ones"
same "who is not gated" "$before" "$(make_all "$OTHER")"

recorded() { jq -r 'select(.kvgate.hook == "sock_create") | "\(.network.type) \(.event.reason)"' "$RECORD"; }
complete() { [[ $(recorded) == *"packet packet_socket"* && $(recorded) == *"xdp socket_type"* ]]; }
wait_for 5 complete || fail "not recorded: $(recorded)"
for name in vsock bluetooth can tipc rds smc; do
	holds "$(recorded)" "^$name socket_type$"
done

# A child cgroup is behind the gate, too; in audit mode it is only said; detach ends it.
mkdir "$CG/below" && on_exit remove_cgroup "$CG/below"
same "in a child cgroup" "17 3 EPERM" "$(make_all "$CG/below" | grep '^17 3')"
gate --mode audit
same "in audit mode" "17 3 made" "$(make_all "$CG" | grep '^17 3')"
kvgate detach "${CG#"$CGROUPS"}"
same "without a gate" "17 3 made" "$(make_all "$CG" | grep '^17 3')"

# run, and its words.
prepare_run
said=$(client "${RUN[@]}" -- python3 "$SCRATCH/make.py" 2>&1 >/dev/null || true)
holds "$said" '^refused packet socket \(packet_socket\) by python3\[[0-9]+\]$'
holds "$said" '^refused vsock socket \(socket_type\) by python3\[[0-9]+\]$'
nothing_left
