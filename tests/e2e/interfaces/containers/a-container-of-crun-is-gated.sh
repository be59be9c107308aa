#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A container of crun, root inside it with CAP_NET_RAW, reaches what the policy holds and nothing else, by
# sockets or by frames; the record says so. Detach, or its end and then detach, leaves nothing.
. "$(dirname "$0")/lib.sh"
holds_box crun
