#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The node agent from start to stop: 500 gates of 50 profiles, 10,000 prefixes each; see tools/bench/agent.

Several KVGATE take turns, so that all of them meet the same machine.
"""
import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CGROUP, SCRATCH = os.environ["BENCH_GATES"], os.environ["BENCH_SCRATCH"]
AGENT = os.environ["BENCH_AGENT"]
CONFIG, RANGES = SCRATCH + "/kvgate.yaml", SCRATCH + "/ranges"
GOALS = {"first start": 2000, "start again": 2000, "at rest": 0.1, "memory": 15}


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def prepare(args):
    """Profiles share a document, as they do on a node, and differ by a prefix of their own."""
    os.mkdir(RANGES)
    with open(RANGES + "/tags.json", "wb") as file:
        subprocess.run([HERE + "/service_tags.py", str(args.prefixes)], stdout=file, check=True)
    below = "/" + os.path.basename(CGROUP)
    profiles = "".join(
        f"  - name: profile{i}\n    resolvers: [none]\n    crl: {{ hosts: none }}\n"
        f"    allow: [ {{ prefix: 203.0.113.{i}/32, service: tcp/443 }} ]\n"
        f"    select: [ {{ cgroup: \"{below}/p{i}-*\" }} ]\n" for i in range(args.profiles))
    write(CONFIG, f"ranges: {{ refresh: 0, directory: {RANGES} }}\nprofiles:\n{profiles}")
    for i in range(args.gates):
        os.mkdir(f"{CGROUP}/p{i % args.profiles}-{i}")


def cpu_ms():
    """Of the agent's cgroup: its threads and children are in it, also those that have ended."""
    with open(AGENT + "/cpu.stat") as file:
        return int(file.readline().split()[1]) / 1e3


class Agent:
    """An agent that has said READY=1."""

    def __init__(self, kvgate, folder):
        address = folder + "/notify"
        options = ["--config", CONFIG, "--state-dir", folder + "/state", "--run-dir",
                   folder + "/run", "--bpffs-dir", SCRATCH + "/bpf/" + os.path.basename(folder)]
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ear.bind(address)
        ear.settimeout(60)
        start, cpu = time.monotonic(), cpu_ms()
        with open(folder + "/log", "w") as log:
            self.process = subprocess.Popen(
                [kvgate, "agent", *options], env=dict(os.environ, NOTIFY_SOCKET=address),
                stderr=log, preexec_fn=lambda: write(AGENT + "/cgroup.procs", str(os.getpid())))
        while b"READY=1" not in ear.recv(65536):
            pass
        self.took_ms = (time.monotonic() - start) * 1e3
        self.start_cpu_ms = cpu_ms() - cpu
        ear.close()
        os.unlink(address)

    def memory_mb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["VmRSS"].split()[0]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait():
            sys.exit("bench: the agent failed")


def measure(kvgate, args):
    """One life, from nothing; and the next one, that finds all there."""
    folder, values = SCRATCH + "/agent", {}
    os.mkdir(folder)
    agent = Agent(kvgate, folder)
    values["first start"] = agent.took_ms
    values["first start, cpu"] = agent.start_cpu_ms
    agent.stop()

    agent = Agent(kvgate, folder)
    values["start again"] = agent.took_ms
    values["start again, cpu"] = agent.start_cpu_ms
    if args.rest:
        time.sleep(15)  # the first round, and tidying
        before, start = cpu_ms(), time.monotonic()
        time.sleep(args.rest)
        values["at rest"] = (cpu_ms() - before) / (time.monotonic() - start) / 10
    values["memory"] = agent.memory_mb()
    agent.stop()
    subprocess.run([kvgate, "detach", "--all", "--bpffs-dir", SCRATCH + "/bpf/agent"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(folder)
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=500)
    parser.add_argument("--profiles", type=int, default=50)
    parser.add_argument("--prefixes", type=int, default=10000)
    parser.add_argument("--rest", type=int, default=60, help="seconds to watch it doing nothing")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("kvgate", nargs="*", default=[os.environ.get("KVGATE", "build/kvgate")])
    args = parser.parse_args()

    prepare(args)
    runs = {kvgate: [] for kvgate in args.kvgate}
    for _ in range(args.repeat):
        for kvgate, values in runs.items():
            values.append(measure(kvgate, args))
    missed = 0
    for kvgate, values in runs.items():
        print(f"{kvgate}: median of {args.repeat}, load {os.getloadavg()[0]:.1f}")
        for what in values[0]:
            unit = {"at rest": "%", "memory": "MB"}.get(what, "ms")
            value, goal = statistics.median(run[what] for run in values), GOALS.get(what)
            said = goal and f"  <= {goal}: {'met' if value <= goal else 'MISSED'}"
            print(f"  {what:<20}{value:10.2f} {unit:<3}{said or ''}")
            missed += bool(goal) and value > goal
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
