#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A container of runc whose first action is to send is gated before that, with an agent and without one;
# without the hook the same packet gets out.
. "$(dirname "$0")/lib.sh"
holds_first runc
