#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A gate whose program somebody detached is unhealthy although its pin is there; a gate whose cgroup
# was removed is, too; programs of others are listed.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program bpftool
new_cgroup app && CG=$REPLY
kvgate attach --ranges "$RANGES" --resolver none "$CG"
holds "$(kvgate status)" ' healthy'

links=$(find "$SCRATCH/bpf" -path '*/links/*/connect4')
bpftool link detach pinned "$links"
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" UNHEALTHY
holds "$said" 'connect4: the program is not in force'

kvgate detach "$CG"
kvgate attach --ranges "$RANGES" --resolver none "$CG"
kvgate status
rmdir "$CG"
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" 'the cgroup is gone'
kvgate detach --all
holds "$(kvgate status)" 'no gates'
