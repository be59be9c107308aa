#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `run` ends as CMD does, 128+N if signal N killed it, and as env(1) does where CMD cannot start; it
# hands arguments, standard input and output through as they are.
. "$(dirname "$0")/lib.sh"
need_kvgate
prepare_run

ends_with() {
	local expected=$1 status=0
	shift
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
	same "exit status of ${*: -1}" "$expected" "$status"
}

ends_with 0 "${RUN[@]}" -- true
ends_with 1 "${RUN[@]}" -- false
ends_with 7 "${RUN[@]}" -- bash -c 'exit 7'
ends_with 255 "${RUN[@]}" -- bash -c 'exit 255'
# shellcheck disable=SC2016 # the inner shell expands it
ends_with 137 "${RUN[@]}" -- bash -c 'kill -KILL $$'
# shellcheck disable=SC2016
ends_with 143 "${RUN[@]}" -- bash -c 'kill -TERM $$'

ends_with 127 "${RUN[@]}" -- "$SCRATCH/none"
holds "$(cat "$SCRATCH/err")" "none': No such file"
ends_with 126 "${RUN[@]}" -- "$SCRATCH"
ends_with 125 "${RUN[@]}"
ends_with 125 "${RUN[@]}" --no-such-option -- true
ends_with 125 "${RUN[@]}" --ranges "$SCRATCH/none" -- true
ends_with 125 "${RUN[@]}" --user no-such-user -- true
holds "$(cat "$SCRATCH/err")" "no-such-user"
ends_with 125 "${RUN[@]}" --audit-file "$SCRATCH/none/file" -- true
ends_with 125 "${RUN[@]}" --cgroup-parent /no-such-cgroup -- true

same "arguments" "--mode,audit,a b,," \
	"$("${RUN[@]}" -- bash -c 'printf "%s," "$@"' bash --mode audit 'a b' '')"
same "standard input" "hello" "$(echo hello | "${RUN[@]}" -- cat)"
nothing_left
