# SPDX-License-Identifier: BSD-2-Clause
"""packets: what one packet costs in a test run, against an empty program. See packets.c for the cases:

layer (the cgroup's packet hook, or the program on an interface), family, kind, prefixes of that family.
living: one destination, as a connection that lasts; first and udp: 4,096 destinations in turn; refused: one
destination that no prefix holds, recorded; refused-many: 4,096 of them.
"""
import pathlib
import subprocess

import prefixes
from table import NET, Case, Row

NAME, REPETITIONS, SETTLE_SECONDS = "packets", 15, 0


class Part:
    def __init__(self, place):
        self.place, self.left_out, self.child = place, [], None

    def systemd(self):
        """Their own program, pinned; by name."""
        pin = self.place.bpffs / "systemd-1000"
        done = subprocess.run([self.place.here / "peers/systemd-program", self.place.cgroups["systemd"],
                               prefixes.folder(self.place, 1000), pin], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            self.left_out.append(f"systemd: {done.stderr.strip()}")
            return []
        return [f"systemd IPAddressAllow IPv4 living 1000={pin}"]

    def cases(self, wanted):
        others = self.systemd() if wanted(f"{NAME}: systemd IPAddressAllow IPv4 living 1000") else []
        program = pathlib.Path(self.place.build, "tools/bench/packets")
        self.child = subprocess.Popen([program, *others], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        for line in self.ask_list():
            name, base = line.rstrip("\n").split("\t")
            row = Row(NAME, name, "ns", f"{NAME}: {base}" if base else None, NET)
            yield Case([row], lambda name=name: float(self.ask(name)), mix=NAME)

    def ask(self, what):
        self.child.stdin.write(what + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit("bench: packets ended")
        return line

    def ask_list(self):
        lines = [self.ask("list")]
        while (line := self.child.stdout.readline()) != ".\n":
            lines.append(line)
        return lines

    def close(self):
        if self.child:
            self.child.stdin.close()
            self.child.wait()
