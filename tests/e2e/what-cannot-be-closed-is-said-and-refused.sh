#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where kvgate cannot find out which network namespaces the client is in, the gate is put in force all
# the same; what may have stayed open is said, and its packets are refused.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG" 2>&1; }
gate --allow 203.0.113.9/32=tcp/443
keep lost "$CLIENT" "$CG" tcp 203.0.113.9 443

# In a pid namespace of its own, kvgate sees no process of the client.
BARE=$KVGATE
KVGATE=$SCRATCH/kvgate
cat >"$KVGATE" <<SCRIPT
#!/bin/bash
exec unshare --pid --fork --mount-proc "$BARE" "\$@"
SCRIPT
chmod +x "$KVGATE"
said=$(gate)
holds "$said" 'note: not every connection .* cannot be seen from this pid namespace'
holds "$said" 'generation 2$'
tell lost && holds "$SAID" ETIMEDOUT
holds "$("$BARE" status --bpffs-dir "$SCRATCH/bpf")" 'tcp 203\.0\.113\.9:443'
