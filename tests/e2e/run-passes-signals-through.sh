#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is sent to kvgate arrives at CMD; what a terminal sends to both arrives once; a stopped CMD is
# a stopped kvgate, as a shell's job control wants it; what was ignored stays ignored.
. "$(dirname "$0")/lib.sh"
need_kvgate
prepare_run

state() { sed -n 's/^State:\s*\(.\).*/\1/p' "/proc/$1/status"; }
is_in_state() { [[ $(state "$2") == "$1" ]]; }

# shellcheck disable=SC2016 # the inner shell expands it
spawn env --default-signal=INT,QUIT "${RUN[@]}" -- bash -c '
	for name in HUP INT QUIT USR1 USR2 ALRM WINCH TERM; do
		trap "echo $name >>\"$1\"" "$name"
	done
	echo $$ >>"$1"
	while :; do sleep 0.02; done' bash "$SCRATCH/said"
pid=$REPLY
wait_for 5 test -s "$SCRATCH/said"
child=$(cat "$SCRATCH/said")
for name in HUP INT QUIT USR1 USR2 ALRM WINCH TERM; do
	kill -s "$name" "$pid"
	wait_for 3 grep -qx "$name" "$SCRATCH/said" || fail "$name did not arrive"
done

kill -TSTP "$pid"
wait_for 3 is_in_state T "$child" || fail "CMD was not stopped"
wait_for 3 is_in_state T "$pid" || fail "kvgate was not stopped"
kill -CONT "$pid"
wait_for 3 is_in_state S "$pid" || fail "kvgate was not continued"
is_continued() { ! is_in_state T "$child"; }
wait_for 3 is_continued || fail "CMD was not continued"

kill -KILL "$child"
status=0
wait "$pid" || status=$?
same "exit status" 137 "$status"

# Ctrl-C at a terminal: the kernel tells both, kvgate does not tell CMD again.
cat >"$SCRATCH/terminal.py" <<'PYTHON'
import os, pty, sys, time

pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b""
def wait_for(text):
    global said
    while text not in said:
        said += os.read(fd, 1024)
wait_for(b"ready")
os.write(fd, b"\x03")
wait_for(b"INT")
time.sleep(0.3) # a second one would have come by now
os.write(fd, b"end\n")
wait_for(b"bye")
_, status = os.waitpid(pid, 0)
print(said.count(b"INT"), os.waitstatus_to_exitcode(status))
PYTHON
same "interrupts and exit status" "1 5" "$(timeout 20 python3 "$SCRATCH/terminal.py" "${RUN[@]}" -- \
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"INT\n")) # print() cannot interrupt itself
os.write(1, b"ready\n")
sys.stdin.readline()
print("bye", flush=True)
sys.exit(5)')"

# As nohup(1) leaves it: ignored for kvgate means ignored for CMD.
same "ignored" "SIGHUP SIGPIPE" "$(env --ignore-signal=HUP,PIPE "${RUN[@]}" -- python3 -c 'import signal
import ctypes
status = open("/proc/self/status").read()
ignored = int(status.split("SigIgn:")[1].split()[0], 16)
print(*[s.name for s in (signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE) if ignored >> (s - 1) & 1])')"
same "blocked" 0000000000000000 "$("${RUN[@]}" -- sed -n 's/^SigBlk:\s*//p' /proc/self/status)"
nothing_left
