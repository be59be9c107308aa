#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A gate below another one: only what both allow gets through, whichever came first.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443 tcp/8443
new_cgroup outer && OUTER=$REPLY
mkdir "$OUTER/inner"
CG=$OUTER/inner

# gate CGROUP EXTRA...
gate() { kvgate attach --ranges "$RANGES" --resolver none "${@:2}" "$1"; }

gate "$OUTER" --allow 203.0.113.1/32=tcp/443 --allow 203.0.113.3/32=tcp/443
gate "$CG" --allow 203.0.113.2/32=tcp/443 --allow 203.0.113.3/32=tcp/443
reached tcp 203.0.113.3 443
refused tcp 203.0.113.1 443
refused tcp 203.0.113.2 443

CG=$OUTER reached tcp 203.0.113.1 443
CG=$OUTER refused tcp 203.0.113.2 443

# The inner gate alone, then the outer one again, above a living one.
kvgate detach "$OUTER"
reached tcp 203.0.113.2 443
gate "$OUTER" --allow 203.0.113.1/32=tcp/443
refused tcp 203.0.113.2 443
reached tcp 198.51.100.1 443
