#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One command, one table: what kvgate's commands cost, from exec on.

Every repetition runs each case once, in turn, so that a busy moment of the machine meets them all;
medians are shown. "times true" is the ratio to /bin/true in the same run: it holds across machines
where milliseconds do not.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
KVGATE = os.environ["KVGATE"]
DATA = pathlib.Path(os.environ["KVGATE_TEST_DATA"])
SCRATCH = pathlib.Path(os.environ["BENCH_SCRATCH"])
CGROUP = pathlib.Path(os.environ["BENCH_CGROUP"])
PLACES = ["--bpffs-dir", f"{SCRATCH}/bpf", "--state-dir", f"{SCRATCH}/state"]

SETTLE_SECONDS = 0.5  # the kernel frees 100,000 prefixes after detach has returned


class Case:
    def __init__(self, name, command, goal_ms=None, goal_mb=None, before=None, first_byte=False):
        self.name, self.command, self.before = name, command, before
        self.goal_ms, self.goal_mb, self.first_byte = goal_ms, goal_mb, first_byte
        self.ms, self.mb = [], []

    def repeat(self):
        if self.before:
            self.before()
        start = time.monotonic()
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            child.stdout.read(1 if self.first_byte else -1)
            first = time.monotonic()
            errors = child.stderr.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"bench: {' '.join(map(str, self.command))}: {errors.decode()}")
        self.ms.append(((first if self.first_byte else time.monotonic()) - start) * 1000)
        self.mb.append(usage.ru_maxrss / 1024)

    def result(self, base):
        ms, mb = statistics.median(self.ms), statistics.median(self.mb)
        missed = (self.goal_ms or ms) < ms or (self.goal_mb or mb) < mb
        return {"name": self.name, "ms": round(ms, 2), "ms_min": round(min(self.ms), 2),
                "ms_max": round(max(self.ms), 2), "peak_mb": round(mb, 1),
                "times_true": round(ms / base, 1), "goal_ms": self.goal_ms,
                "goal_mb": self.goal_mb, "met": None if not self.goal_ms else not missed}


def policy_of(name, ranges):
    path = SCRATCH / f"{name}.policy"
    subprocess.run([KVGATE, "compile", "--cloud", "public", "--resolver", "none", "--ranges", ranges,
                    "-o", path], check=True, stderr=subprocess.DEVNULL)
    return path


def synthetic(count):
    path = SCRATCH / f"ServiceTags_Public_20260101_{count}.json"
    with path.open("w", encoding="utf-8") as out:
        subprocess.run([HERE / "service_tags.py", str(count)], stdout=out, check=True)
    return policy_of(f"synthetic-{count}", path)


def newest_public():
    found = sorted((DATA / "service-tags").glob("ServiceTags_Public_20[0-9]*.json"))
    return found[-1] if found else None


def forget(path):
    """Out of the page cache: the next reader waits for the disk."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def cases():
    say = ["/bin/sh", "-c", "echo up"]
    yield Case("/bin/true", ["/bin/true"])
    yield Case("sh, to its first byte", say, first_byte=True)

    document = newest_public()
    if document:
        profile = ["--cloud", "public", "--resolver", "none", "--ranges", document]
        compiled = policy_of("public", document)
        destination = "20.190.128.5:443"
        yield Case(f"compile {document.name}", [KVGATE, "compile", *profile], 60, 40)
        yield Case("  the same, file not in the page cache", [KVGATE, "compile", *profile],
                   before=lambda: forget(document))
        yield Case("explain, from that document", [KVGATE, "explain", destination, *profile], 80)
        yield Case("explain, from its policy",
                   [KVGATE, "explain", destination, "--policy", compiled], 5)
    else:
        print(f"no range documents in {DATA}: compile and explain are left out", file=sys.stderr)

    small, large = synthetic(1000), synthetic(100000)
    yield Case("run, 1,000 prefixes, to the command's first byte",
               [KVGATE, "run", "--policy", small, *PLACES, "--", *say], 40, first_byte=True)
    yield Case("attach, 1,000 prefixes", [KVGATE, "attach", *PLACES, "--policy", small, CGROUP])
    yield Case("attach, 100,000 prefixes, until they are in force",
               [KVGATE, "attach", *PLACES, "--policy", large, CGROUP], 200, first_byte=True)
    yield Case("  reading those alone, as explain does",
               [KVGATE, "explain", "198.18.0.0:443", "--policy", large])
    yield Case("detach", [KVGATE, "detach", *PLACES, CGROUP])


def show(results):
    print(f"{'':<52}{'median':>9}{'min':>9}{'max':>9}{'times':>8}{'peak':>8}  goal")
    print(f"{'':<52}{'ms':>9}{'ms':>9}{'ms':>9}{'true':>8}{'MB':>8}")
    for row in results:
        goal = ""
        if row["goal_ms"]:
            size = f", {row['goal_mb']} MB" if row["goal_mb"] else ""
            goal = f"<= {row['goal_ms']} ms{size}: {'met' if row['met'] else 'MISSED'}"
        print(f"{row['name']:<52}{row['ms']:>9.2f}{row['ms_min']:>9.2f}{row['ms_max']:>9.2f}"
              f"{row['times_true']:>8.1f}{row['peak_mb']:>8.1f}  {goal}")
    print("The peak is never less than this script's own, which a child starts with.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repetitions", type=int, default=15)
    options = parser.parse_args()

    todo = list(cases())
    for _ in range(options.repetitions):
        for case in todo:
            case.repeat()
        time.sleep(SETTLE_SECONDS)
    base = statistics.median(todo[0].ms)
    results = [case.result(base) for case in todo]
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        show(results)
    return 1 if any(row["met"] is False for row in results) else 0


sys.exit(main())
