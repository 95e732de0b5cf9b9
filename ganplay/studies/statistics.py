"""Which differences are more than chance: every switch against the base, seed by seed.

With scores b_s of the base and x_s of a switch, the difference is the mean of d_s = x_s - b_s over the n seeds that
both finished, and its spread the standard deviation s of the d_s. It "exceeds the spread" when |mean| > s, which is
|t| > sqrt(n) of the paired t test, t = mean / (s / sqrt(n)): with few seeds chance alone does that quite often, and so
the share in which it would is given, beside the test's p values, corrected for the number of comparisons by Holm's
method (Scandinavian Journal of Statistics 6, 1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ganplay.studies.outcome import Outcome, curves, spread
from ganplay.studies.plan import BASE

SURE = 0.05  # corrected p below which a difference is called sure


@dataclass(frozen=True)
class Line:
    """One row of the table: a variant at the moment that is compared.

    Attributes:
        scores: by seed, of the trials that finished.
        diverged: trials that did not.
        mean, spread: of the scores.
        differences: to the base with the same seed; empty for the base.
        difference, difference_spread: their mean and standard deviation.
        p, corrected: of the paired t test, and by Holm's method.
    """

    name: str
    title: str
    scores: dict[int, float]
    diverged: int
    mean: float | None
    spread: float | None
    differences: dict[int, float]
    difference: float | None = None
    difference_spread: float | None = None
    p: float | None = None
    corrected: float | None = None

    @property
    def exceeds(self) -> bool:
        """True when the difference is larger than its spread over the seeds."""
        return self.difference_spread is not None and abs(self.difference or 0.0) > self.difference_spread

    @property
    def sure(self) -> bool:
        """True when the corrected p is below `SURE`."""
        return self.corrected is not None and self.corrected < SURE

    @property
    def verdict(self) -> str:
        """What the numbers say, in a few words. Smaller scores are better."""
        if self.name == BASE:
            return ""
        if self.difference_spread is None:
            return f"{self.diverged} diverged" if self.diverged else "too few seeds yet"
        if not self.exceeds:
            return "within the spread"
        way = "better" if self.difference < 0 else "worse"
        return f"{way}, beyond chance" if self.sure else f"{way}, exceeds the spread"


@dataclass(frozen=True)
class Table:
    """The lines of a study at one moment.

    Attributes:
        mark: images seen, None while nothing can be compared.
        real: mean score of real data, None while unknown.
        real_spread: its standard deviation over the seeds.
    """

    mark: int | None
    lines: tuple[Line, ...]
    real: float | None
    real_spread: float | None

    @property
    def comparisons(self) -> list[Line]:
        """The switches that can be judged."""
        return [line for line in self.lines if line.p is not None]

    @property
    def by_chance(self) -> float:
        """How many of the comparisons would exceed the spread if no switch did anything, on average."""
        return sum(two_sided(math.sqrt(n), n - 1) for n in (len(line.differences) for line in self.comparisons))

    def most(self) -> Line | None:
        """The switch with the largest difference in units of its spread, None before there is one."""
        return max(self.comparisons, key=lambda line: strength(line), default=None)


def compare(outcome: Outcome, smooth: bool = True) -> Table:
    """Every variant at the last moment at which all finished trials were scored."""
    marks = outcome.marks()
    mark = marks[-1] if marks else None
    made, over = curves(outcome, smooth), {(one.name, one.seed) for one in outcome.trials if one.state == "finished"}
    scores = {
        name: {seed: dict(line)[mark] for seed, line in lines.items() if (name, seed) in over}
        for name, lines in made.items()
    }
    lines = [_line(outcome, variant.name, variant.title, scores) for variant in outcome.plan.variants]
    real = outcome.real
    return Table(mark, tuple(_corrected(lines)), sum(real) / len(real) if real else None, spread(real))


def _line(outcome: Outcome, name: str, title: str, scores: dict[str, dict[int, float]]) -> Line:
    own, base = scores[name], scores[BASE]
    diverged = sum(trial.state == "failed" for trial in outcome.of(name))
    mean = math.fsum(own.values()) / len(own) if own else None
    differences = {} if name == BASE else {seed: own[seed] - base[seed] for seed in own if seed in base}
    found = Line(name, title, own, diverged, mean, spread(own.values()), differences)
    if not differences:
        return found
    difference, deviation = math.fsum(differences.values()) / len(differences), spread(differences.values())
    return replace(found, difference=difference, difference_spread=deviation, p=paired_p(list(differences.values())))


def _corrected(lines: Sequence[Line]) -> list[Line]:
    known = [line for line in lines if line.p is not None]
    corrected = dict(zip((line.name for line in known), holm([line.p for line in known]), strict=True))
    return [replace(line, corrected=corrected.get(line.name)) for line in lines]


def strength(line: Line) -> float:
    """A difference in units of its spread."""
    if not line.difference_spread:
        return math.inf if line.difference else 0.0
    return abs(line.difference) / line.difference_spread


def paired_p(differences: Sequence[float]) -> float | None:
    """Two-sided p of the t test that the mean of these differences is 0; None of fewer than two."""
    deviation = spread(differences)
    if deviation is None:
        return None
    mean, count = math.fsum(differences) / len(differences), len(differences)
    if deviation == 0:
        return 1.0 if mean == 0 else 0.0
    return two_sided(abs(mean) / deviation * math.sqrt(count), count - 1)


def two_sided(t: float, degrees: int) -> float:
    """P(|T| > t) of Student's distribution with a whole number of degrees of freedom.

    The finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4, with theta = atan(t / sqrt(degrees)).
    """
    theta = math.atan2(t, math.sqrt(degrees))
    term = math.cos(theta) if degrees % 2 else 1.0
    total, first = 0.0, degrees % 2
    for index in range(first, degrees - 1, 2):
        if index > first:
            term *= math.cos(theta) ** 2 * (index - 1) / index
        total += term
    inside = math.sin(theta) * total if not degrees % 2 else 2 / math.pi * (theta + math.sin(theta) * total)
    return min(1.0, max(0.0, 1.0 - inside))


def holm(p: Sequence[float]) -> list[float]:
    """The p values corrected for their number: the chance of a single false alarm among all stays below each."""
    corrected, largest = [0.0] * len(p), 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        largest = max(largest, min(1.0, (len(p) - place) * p[index]))
        corrected[index] = largest
    return corrected
