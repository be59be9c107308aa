# SPDX-License-Identifier: BSD-2-Clause
"""commands: what kvgate's commands cost, from exec on, and how peers load the same prefixes.

Compared with /bin/true: the ratio holds across machines where milliseconds do not.
"""
import os
import subprocess
import time

import prefixes
from table import Case, Row

NAME, REPETITIONS = "commands", 15
SETTLE_SECONDS = 0.5  # the kernel frees 100,000 prefixes after detach has returned


def newest_public(place):
    found = sorted((place.data / "service-tags").glob("ServiceTags_Public_20[0-9]*.json"))
    return found[-1] if found else None


def forget(path):
    """Out of the page cache: the next reader waits for the disk."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def execute(command, before=None, first_byte=False):
    """Returns ms and MB. The peak is never less than this script's own, which a child starts with."""
    if before:
        before()
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.read(1 if first_byte else -1)
        first = time.monotonic()
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"bench: {' '.join(map(str, command))}: {errors.decode()}")
    return ((first if first_byte else time.monotonic()) - start) * 1000, usage.ru_maxrss / 1024


class Part:
    def __init__(self, place):
        self.place, self.left_out = place, []
        self.places = ["--bpffs-dir", f"{place.bpffs}/commands", "--state-dir", f"{place.scratch}/state"]

    @staticmethod
    def case(name, command, base="/bin/true", chain=None, **options):
        rows = [Row(NAME, name, "ms", base and f"{NAME}: {base}"), Row(NAME, f"{name}, peak", "MB")]
        return Case(rows, lambda: execute(command, **options), chain)

    def documents(self, kvgate):
        document = newest_public(self.place)
        if not document:
            self.left_out.append(f"compile and explain: no range documents in {self.place.data}")
            return
        profile = ["--cloud", "public", "--resolver", "none", "--ranges", document]
        policy = self.place.scratch / "public.policy"
        subprocess.run([kvgate, "compile", *profile, "-o", policy], stderr=subprocess.DEVNULL, check=True)
        to = "20.190.128.5:443"
        yield self.case("compile, newest Public document", [kvgate, "compile", *profile])
        yield self.case("compile, the same not in the page cache", [kvgate, "compile", *profile],
                        before=lambda: forget(document))
        yield self.case("explain, from the document", [kvgate, "explain", to, *profile])
        yield self.case("explain, from the policy", [kvgate, "explain", to, "--policy", policy])

    def gates(self, kvgate):
        """In the order in which they must run: attach, flip, flip to many, detach."""
        few, others, many = (prefixes.folder(self.place, n) / "policy" for n in (500, 501, 50000))
        cgroup = self.place.cgroups["commands"]
        attach = [kvgate, "attach", *self.places, "--policy"]
        yield self.case("run, 1,000 prefixes, to the first byte",
                        [kvgate, "run", "--policy", few, *self.places, "--", "/bin/sh", "-c", "echo up"],
                        "sh, to its first byte", first_byte=True)
        yield self.case("attach, 1,000 prefixes", [*attach, few, cgroup], chain="gate")
        yield self.case("attach again, 1,000 others: a flip", [*attach, others, cgroup], chain="gate")
        yield self.case("attach, 100,000 prefixes in force", [*attach, many, cgroup], chain="gate",
                        first_byte=True)
        yield self.case("explain, reading 100,000 prefixes",
                        [kvgate, "explain", "198.18.0.0:443", "--policy", many])
        yield self.case("detach", [kvgate, "detach", *self.places, cgroup], chain="gate")

    def peers(self):
        """The same prefixes into nftables' set and into ipset's, in a namespace without rules."""
        for count in (1000, 10000, 100000):
            folder = prefixes.folder(self.place, count // 2)
            nft, ipset = folder / "load.nft", folder / "load.ipset"
            self.write_peers(folder, nft, ipset)
            inside = ["unshare", "--net", "--"]
            yield self.case(f"nft -f, {count:,} prefixes", [*inside, "nft", "-f", nft], "unshare --net")
            yield self.case(f"ipset restore, {count:,} prefixes",
                            [*inside, "ipset", "-file", ipset, "restore"], "unshare --net")

    @staticmethod
    def write_peers(folder, nft, ipset):
        lists = {family: (folder / family).read_text(encoding="utf-8").split()
                 for family in ("ipv4", "ipv6")}
        nft.write_text("table inet gate {\n" + "".join(
            f"set {family} {{ type {family}_addr; flags interval\nelements = {{ {','.join(its)} }} }}\n"
            for family, its in lists.items()) + "}\n", encoding="utf-8")
        ipset.write_text("".join(
            f"create {family} hash:net family {'inet' if family == 'ipv4' else 'inet6'} "
            f"hashsize {max(64, len(its))} maxelem 1048576\n"
            + "".join(f"add {family} {one}\n" for one in its)
            for family, its in lists.items()), encoding="utf-8")

    def cases(self, _wanted):
        kvgate = self.place.kvgate
        yield self.case("/bin/true", ["/bin/true"], None)
        yield self.case("sh, to its first byte", ["/bin/sh", "-c", "echo up"], first_byte=True)
        yield self.case("unshare --net", ["unshare", "--net", "--", "/bin/true"])
        yield from self.documents(kvgate)
        yield from self.gates(kvgate)
        yield from self.peers()

    def close(self):
        pass
