# SPDX-License-Identifier: BSD-2-Clause
"""Cases, what they gave in each repetition, and the table of it.

Every repetition of a part runs each of its cases once, in turn, so that a busy moment of the machine meets
them all. What a case is compared with is compared within each repetition; medians are shown.
"""
import itertools
import random
import statistics

RATIO, NET = "ratio", "net"


class Row:
    """One number of a case: its values in the order of the repetitions."""

    def __init__(self, part, name, unit, base=None, compare=RATIO):
        self.part, self.name, self.unit = part, name, unit
        self.base, self.compare = base, compare
        self.values = []

    @property
    def key(self):
        return f"{self.part}: {self.name}"

    def median(self):
        return statistics.median(self.values)

    def compared(self, other, compare):
        """The median over the repetitions of this with another row's value of the same repetition."""
        pairs = zip(self.values, other.values)
        return statistics.median((a - b if compare == NET else a / b) for a, b in pairs)

    def quartiles(self):
        if len(self.values) < 2:
            return self.values * 2
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return [low, high]

    def as_json(self, rows):
        low, high = self.quartiles()
        result = {"part": self.part, "name": self.name, "unit": self.unit, "n": len(self.values),
                  "median": round(self.median(), 3), "q1": round(low, 3), "q3": round(high, 3),
                  "min": round(min(self.values), 3), "max": round(max(self.values), 3)}
        if self.base in rows:
            base = rows[self.base]
            result |= {"base": base.name, "net": round(self.compared(base, NET), 3)}
            if base.median():
                result["ratio"] = round(self.compared(base, RATIO), 4)
        return result


class Case:
    """Something that is done once each repetition and gives a value for each of its rows.

    Those of a chain are only what they say they are when all of it is done, in its order. Neighbours with
    the same mix are done in another order each time, as one case may leave the caches to the next.
    """

    def __init__(self, rows, sample, chain=None, mix=None):
        self.rows, self.sample, self.chain, self.mix = rows, sample, chain, mix

    def repeat(self):
        values = self.sample()
        for row, value in zip(self.rows, values if isinstance(values, tuple) else (values,)):
            row.values.append(value)


def mixed(cases, repetition):
    """In the order of this repetition; the same in the next run."""
    dice, result = random.Random(repetition), []
    for mix, neighbours in itertools.groupby(cases, lambda case: case.mix):
        neighbours = list(neighbours)
        if mix:
            dice.shuffle(neighbours)
        result += neighbours
    return result


def number(value):
    return f"{value:,.0f}" if abs(value) >= 10000 else f"{value:.2f}" if abs(value) < 1000 \
        else f"{value:,.1f}"


def show_part(part, rows, everything):
    print(f"\n{part}\n{'':<56}{'':>4}{'median':>11}{'q1':>11}{'q3':>11}  against")
    for row in rows:
        low, high = row.quartiles()
        against, base = "", everything.get(row.base)
        if base:
            difference = row.compared(base, row.compare)
            sign = f"{difference:+.1f}" if row.compare == NET else f"x {difference:.3f}"
            against = f"{sign:>9}  {base.name}"
        print(f"{row.name:<56}{row.unit:>4}{number(row.median()):>11}{number(low):>11}"
              f"{number(high):>11}  {against}")


def show_goals(goals):
    print(f"\n{'goals':<70}{'is':>9}{'goal':>12}")
    for goal in goals:
        print(f"{goal['name']:<70}{goal['value']:>9.2f}{goal['sign']:>4}{goal['limit']:>8g}  "
              f"{'met' if goal['met'] else 'MISSED'}")
