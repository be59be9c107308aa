# SPDX-License-Identifier: BSD-2-Clause
"""What attacks in Python are written with; see lib.sh.

EVIL4 and EVIL6 are no policy's, and others in each run; GOOD4 and GOOD6 may have tcp/443 and udp/9000.
"""
import contextlib
import ctypes
import errno
import os
import socket
import struct
import sys

EVIL4, EVIL6 = os.environ["EVIL4"], os.environ["EVIL6"]
GOOD4, GOOD6 = os.environ["GOOD4"], os.environ["GOOD6"]
OWN4, OWN6 = "192.0.2.2", "2001:db8::2"
ROUND = os.environ["ROUND"]

LIBC = ctypes.CDLL(None, use_errno=True)


def loot(tag):
    """What the attacker wants to get out; the watch knows it by its tag."""
    return f"stolen:{tag}:{ROUND};".encode()


def honest(tag):
    """What may well arrive."""
    return f"honest:{tag}:{ROUND};".encode()


@contextlib.contextmanager
def attempt(what):
    """The system may say no, and the attacker goes on."""
    try:
        yield
        print(what, "done")
    except OSError as error:
        print(what, errno.errorcode.get(error.errno, error))


def ready():
    """Sockets are open: wait until the world has changed."""
    print("ready", flush=True)
    sys.stdin.readline()


def skip(reason):
    print("SKIP:", reason)
    sys.exit(77)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp(address, timeout=1):
    sock = socket.socket(family_of(address), socket.SOCK_STREAM)
    sock.settimeout(timeout)
    return sock


def udp(address):
    return socket.socket(family_of(address), socket.SOCK_DGRAM)


def sockaddr4(address, port):
    """struct sockaddr_in, for calls by ctypes."""
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(address))


def check(result):
    """For calls by ctypes: -1 becomes OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def disconnect(sock):
    """connect(2) to AF_UNSPEC."""
    check(LIBC.connect(sock.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16))


# --- packets by hand ---------------------------------------------------------------------------


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(destination, protocol, body, source=OWN4, options=b"", fragment=0, version=4):
    """An IPv4 packet; fragment is the 16-bit field of flags and offset."""
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH4s4s", version << 4 | words, 0, words * 4 + len(body), 4711, fragment,
                         64, protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    header += options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def ip6(destination, following, body, source=OWN6):
    return struct.pack("!IHBB16s16s", 6 << 28, len(body), following, 64,
                       socket.inet_pton(socket.AF_INET6, source),
                       socket.inet_pton(socket.AF_INET6, destination)) + body


def pseudo(source, destination, protocol, size):
    if ":" in destination:
        return (socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination)
                + struct.pack("!II", size, protocol))
    return socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!HH", protocol, size)


def udp_body(destination, port, data, source=None, sport=4711):
    source = source or (OWN6 if ":" in destination else OWN4)
    size = 8 + len(data)
    header = struct.pack("!HHHH", sport, port, size, 0)
    total = checksum(pseudo(source, destination, 17, size) + header + data)
    return header[:6] + struct.pack("!H", total or 0xFFFF) + data


def tcp_body(destination, port, data=b"", source=None, sport=4711, flags=0x02):
    source = source or (OWN6 if ":" in destination else OWN4)
    header = struct.pack("!HHIIBBHHH", sport, port, 1000, 0, 5 << 4, flags, 65535, 0, 0)
    total = checksum(pseudo(source, destination, 6, 20 + len(data)) + header + data)
    return header[:16] + struct.pack("!H", total) + header[18:] + data
