#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A container of podman, made and not yet started, is known by its name and by an annotation.
. "$(dirname "$0")/lib.sh"
known_box podman
