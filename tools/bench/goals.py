# SPDX-License-Identifier: BSD-2-Clause
"""How fast it must be. A goal is looked at where everything that it is about was measured."""
from table import NET, RATIO

AT_MOST, AT_LEAST = "<=", ">="


class Goal:
    """One or two rows; with two, the first is compared with the second."""

    def __init__(self, name, sign, limit, row, base=None, compare=RATIO, over=None):
        self.name, self.sign, self.limit = name, sign, limit
        self.row, self.base, self.compare, self.over = row, base, compare, over

    def value(self, rows):
        value = rows[self.row].median() if not self.base else \
            rows[self.row].compared(rows[self.base], self.compare)
        if not self.over:
            return value
        other = rows[self.over].compared(rows[self.base], self.compare)
        return value / other if other > 0 else float("inf")

    def judge(self, rows):
        needed = [name for name in (self.row, self.base, self.over) if name]
        if not all(name in rows for name in needed):
            return None
        value = self.value(rows)
        met = value <= self.limit if self.sign == AT_MOST else value >= self.limit
        return {"name": self.name, "value": round(value, 3), "sign": self.sign,
                "limit": self.limit, "met": met}


def net(name, limit, row, base):
    return Goal(name, AT_MOST, limit, f"packets: {row}", f"packets: {base}", NET)


def of_none(what, limit, row):
    return Goal(what, AT_LEAST, limit, f"live: {row}, no filter", f"live: {row}, kvgate 1,000")


def against_nftables(size, limit):
    return Goal(f"live, UDP, {size} prefixes: what kvgate adds, of what nftables adds", AT_MOST, limit,
                f"live: udp, connected, kvgate {size}", "live: udp, connected, no filter", NET,
                f"live: udp, connected, nftables {size}")


GOALS = [
    net("a packet of a living connection, 1,000 prefixes, net ns", 10,
        "cgroup IPv4 living 1000", "empty"),
    net("a first packet, 1,000 prefixes, rotating, net ns", 100,
        "cgroup IPv4 first 1000", "empty, rotating"),
    net("a first packet, 100,000 prefixes, rotating, net ns", 270,
        "cgroup IPv4 first 100000", "empty, rotating"),
    net("a datagram, 1,000 prefixes, rotating, net ns", 100,
        "cgroup IPv4 udp 1000", "empty, rotating"),
    net("a datagram, 100,000 prefixes, rotating, net ns", 270,
        "cgroup IPv4 udp 100000", "empty, rotating"),
    Goal("a refused packet, recorded, ns", AT_MOST, 150, "packets: cgroup IPv4 refused 1000",
         "packets: empty", NET),
    of_none("connect and close, rate against no filter", 0.96, "connect"),
    Goal("connect and close, rate against nftables, 1,000 prefixes", AT_LEAST, 1.06,
         "live: connect, nftables 1,000", "live: connect, kvgate 1,000"),
    against_nftables("1,000", 0.25),
    against_nftables("10,000", 0.1667),
    of_none("bulk, rate against no filter", 0.98, "bulk"),
    Goal("compile the newest Public document, ms", AT_MOST, 60, "commands: compile, newest Public document"),
    Goal("compile the newest Public document, peak MB", AT_MOST, 40,
         "commands: compile, newest Public document, peak"),
    Goal("attach, 100,000 prefixes in force, ms", AT_MOST, 150, "commands: attach, 100,000 prefixes in force"),
    Goal("run, 1,000 prefixes, to the command's first byte, ms", AT_MOST, 25,
         "commands: run, 1,000 prefixes, to the first byte"),
    Goal("explain, from the newest Public document, ms", AT_MOST, 80, "commands: explain, from the document"),
    Goal("explain, from its policy, ms", AT_MOST, 5, "commands: explain, from the policy"),
    Goal("another policy on 500 gates, 1,000 prefixes, ms", AT_MOST, 50,
         "agent: gates: another policy on all gates"),
    Goal("agent at rest, 500 gates, % of a core", AT_MOST, 0.1, "agent: at rest"),
    Goal("agent at rest, 500 gates, MB", AT_MOST, 15, "agent: memory"),
]


def judge(rows):
    return [result for result in (goal.judge(rows) for goal in GOALS) if result]
