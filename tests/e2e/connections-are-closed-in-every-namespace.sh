#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A gate's processes may be in several network namespaces, one thread in another than the rest of its
# process: connections are closed in all of them, and kvgate stays in its own.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

# A second client beside the first, and a third.
for name in second third; do
	new_netns "$name" && declare "${name^^}=$REPLY"
	number=$((${number:-4} + 4))
	ip -n "$REPLY" link add eth0 type veth peer name "$name" netns "$SERVER"
	ip -n "$SERVER" address add "192.0.2.$((128 + number + 1))/30" dev "$name"
	ip -n "$REPLY" address add "192.0.2.$((128 + number + 2))/30" dev eth0
	ip -n "$SERVER" link set "$name" up
	ip -n "$REPLY" link set eth0 up
	ip -n "$REPLY" route add default via "192.0.2.$((128 + number + 1))"
done

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }
gate --allow 203.0.113.0/24=tcp/443

keep first "$CLIENT" "$CG" tcp 203.0.113.9 443
keep second "$SECOND" "$CG" tcp 203.0.113.9 443
cat >"$SCRATCH/thread.py" <<'PYTHON'
import ctypes, errno, os, socket, sys, threading
def enter():
    fd = os.open(sys.argv[1], os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    conn = socket.create_connection(("203.0.113.9", 443), 2)
    conn.settimeout(None)
    conn.recv(100)
    print("held", flush=True)
    try:
        conn.recv(100)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
thread = threading.Thread(target=enter)
thread.start()
thread.join()
PYTHON
# shellcheck disable=SC2016
spawn_inside "$CLIENT" "$CG" bash -c 'python3 "$1/thread.py" "$2" >"$1/thread"' thread \
	"$SCRATCH" "/run/netns/$THIRD"
wait_for 5 grep -q held "$SCRATCH/thread" || fail "the thread is not connected"

holds "$(gate)" '3 connections closed'
tell first && holds "$SAID" ECONNABORTED
tell second && holds "$SAID" ECONNABORTED
wait_for 2 grep -q ECONNABORTED "$SCRATCH/thread" || fail "the thread's connection is still there"
