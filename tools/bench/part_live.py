# SPDX-License-Identifier: BSD-2-Clause
"""live: traffic between two network namespaces, both ends on one processor, against no filter.

What is shown is processor time of both ends for one operation: connect and be closed, a byte there and back,
a datagram of a connected socket (the packet hook alone) or of one that is not (the call is judged as well), a
datagram that is refused, 64 KiB of a stream. IPv4 destinations take turns over the prefixes. No datagram is
received: it ends at the server's interface.
"""
import pathlib
import subprocess

import prefixes
from table import NET, RATIO, Case, Row

NAME, REPETITIONS, SETTLE_SECONDS = "live", 31, 0  # many and short: neighbours in time are alike
SPREAD = 1000  # destinations

# name: (peer, prefixes, word for its script)
FILTERS = {
    "no filter": ("none", 0, ""),
    "empty program": ("empty", 0, ""),
    "kvgate 1,000": ("kvgate", 1000, ""),
    "kvgate 10,000": ("kvgate", 10000, ""),
    "kvgate 1,000, three nested": ("kvgate", 1000, "nested"),
    "kvgate 1,000, and interface": ("kvgate", 1000, "interface"),
    "systemd 1,000": ("systemd", 1000, ""),
    "systemd 10,000": ("systemd", 10000, ""),
    "nftables 1,000": ("nftables", 1000, ""),
    "nftables 10,000": ("nftables", 10000, ""),
    "nftables 1,000, conntrack": ("nftables", 1000, "conntrack"),
    "ipset 1,000": ("ipset", 1000, ""),
    "ipset 10,000": ("ipset", 10000, ""),
}

# name: (mode of traffic.c, operations of a sample, first destination, how it is compared)
MODES = {
    "connect": ("connect", 800, "198.18.0.0", RATIO),
    "connect, IPv6": ("connect", 800, "2001:db8::", RATIO),
    "pingpong": ("pingpong", 2000, "198.18.0.0", RATIO),
    "udp, connected": ("connected", 20000, "198.18.0.0", NET),
    "udp, connected, IPv6": ("connected", 20000, "2001:db8::", NET),
    "udp": ("udp", 20000, "198.18.0.0", NET),
    "refused": ("refused", 10000, "203.0.113.9", NET),
    "bulk": ("bulk", 600, "198.18.0.0", RATIO),
}
LETS_PASS = ("none", "empty")


class Part:
    def __init__(self, place):
        self.place, self.left_out, self.child = place, [], None
        self.up = {}

    def bring_up(self, names):
        for size in sorted({FILTERS[name][1] for name in names} - {0}):
            prefixes.folder(self.place, size)
        arguments = [f"f{i}={','.join(map(str, FILTERS[name]))}" for i, name in enumerate(names)]
        self.child = subprocess.Popen(
            [self.place.here / "live", self.place.scratch / "prefixes", *arguments], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.place.environment())
        for name in names:
            said = self.child.stdout.readline().split(maxsplit=1)
            if not said:
                raise SystemExit("bench: live ended")
            if said[1].startswith("-"):
                self.left_out.append(f"{name}: {said[1][2:].strip()}")
            else:
                self.up[name] = said[1].split()

    def sample(self, filtered, mode):
        kind, count, first, _ = MODES[mode]
        client, server, cgroup = self.up[filtered]
        step = max(2, 2 * FILTERS[filtered][1] // SPREAD)
        spread = 1 if mode == "refused" else SPREAD
        count = max(1, count // self.place.hurry)
        done = subprocess.run(
            [pathlib.Path(self.place.build, "tools/bench/traffic"), kind, client, server, cgroup,
             str(self.place.cpu), str(count), first, str(spread), str(step)],
            stdout=subprocess.PIPE, text=True, check=True)
        operations, _, used = done.stdout.split()
        return float(used) / float(operations)

    def cases(self, wanted):
        pairs = [(mode, name) for mode in MODES for name in FILTERS
                 if not (mode == "refused" and FILTERS[name][0] in LETS_PASS)
                 and wanted(f"{NAME}: {mode}, {name}")]
        modes = {mode for mode, _ in pairs}
        names = [name for name in FILTERS if any(name == one for _, one in pairs) or name == "no filter"]
        if pairs:
            self.bring_up(names)
        for mode in MODES:
            for name in FILTERS:
                if name not in self.up or mode not in modes:
                    continue
                if (mode, name) not in pairs and (name != "no filter" or mode == "refused"):
                    continue
                base = None if name == "no filter" or mode == "refused" else f"{NAME}: {mode}, no filter"
                row = Row(NAME, f"{mode}, {name}", "ns", base, MODES[mode][3])
                yield Case([row], lambda name=name, mode=mode: self.sample(name, mode), mix=mode)

    def close(self):
        if self.child:
            self.child.stdin.close()
            self.child.wait()
