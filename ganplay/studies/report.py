"""What a study found as sentences and as a table, for the command line and the page."""

from __future__ import annotations

import math

from ganplay.studies.outcome import Outcome
from ganplay.studies.plan import BASE, count
from ganplay.studies.statistics import SURE, Line, Table, compare

COLUMNS = (
    "switch", "score, mean ± spread", "seeds", "difference to the base", "exceeds the spread", "p", "p, Holm",
    "verdict",
)  # fmt: skip


def cells(line: Line) -> tuple[str, ...]:
    """A line of the table as text, in the order of `COLUMNS`."""
    seeds = f"{len(line.scores)}" + (f", {line.diverged} diverged" if line.diverged else "")
    if line.name == BASE or line.difference is None:
        return line.title, _with_spread(line.mean, line.spread), seeds, "", "", "", "", line.verdict
    exceeds = "" if line.difference_spread is None else "yes" if line.exceeds else "no"
    return (
        line.title, _with_spread(line.mean, line.spread), seeds,
        _with_spread(line.difference, line.difference_spread, "+"), exceeds, _p(line.p), _p(line.corrected),
        line.verdict,
    )  # fmt: skip


def real_cells(table: Table) -> tuple[str, ...]:
    """The row of real data; empty while its score is unknown."""
    if table.real is None:
        return ()
    return ("real training data", _with_spread(table.real, table.real_spread), *[""] * (len(COLUMNS) - 2))


def rows(table: Table) -> list[tuple[str, ...]]:
    """All lines as text: the base, the switches with the largest difference first, real data."""
    base, *others = table.lines
    others.sort(key=lambda line: -abs(line.difference or 0.0))
    real = real_cells(table)
    return [*map(cells, [base, *others]), *([real] if real else [])]


def markdown(outcome: Outcome, smooth: bool = True) -> str:
    """The table as Markdown, with what it is about."""
    table = compare(outcome, smooth)
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows(table)]
    body = "\n".join(f"| {' | '.join(row)} |" for row in lines)
    return f"{heading(outcome, table, smooth)}\n\n{body}\n\n{verdict(table)}"


def text(outcome: Outcome, smooth: bool = True) -> str:
    """The table for a terminal."""
    table = compare(outcome, smooth)
    body = [COLUMNS, *rows(table)]
    widths = [max(len(row[place]) for row in body) for place in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in body]
    return "\n".join([heading(outcome, table, smooth), "", *lines, "", verdict(table)])


def heading(outcome: Outcome, table: Table, smooth: bool) -> str:
    """What was trained and what is compared, in one sentence or two."""
    plan = outcome.plan
    made = f"{plan.title}. {plan.recipe.dataset.title}, base {plan.base}, {len(plan.seeds)} seeds"
    if table.mark is None:
        return f"{made}; no training is finished yet."
    which = "smoothed over the last scores" if smooth else "single scores"
    return f"{made}. Score: {plan.score_name}, smaller is better, {which}, after {table.mark:,} images seen."


def verdict(table: Table) -> str:
    """Which differences are more than chance, with the count of comparisons."""
    known = table.comparisons
    if not known:
        return "Nothing can be compared yet: a switch needs two seeds that it and the base have finished."
    beyond = [line.title for line in known if line.exceeds]
    sure = [line.title for line in known if line.sure]
    chance = f"{table.by_chance:.1f}".rstrip("0").rstrip(".")
    first = (
        f"{len(beyond)} of {count(len(known))} {'differs' if len(beyond) == 1 else 'differ'} from the base by more "
        f"than the spread of that difference over the seeds ({'; '.join(beyond)})." if beyond else
        f"None of {count(len(known))} differs from the base by more than the spread of that difference over the seeds."
    )  # fmt: skip
    second = f" If no switch did anything, chance alone would make about {chance} do so."
    third = (
        f" Corrected for {_count(len(known))} (Holm, p < {SURE:g}), what remains is: {'; '.join(sure)}." if sure else
        f" Corrected for {_count(len(known))} (Holm, p < {SURE:g}), none remains: more seeds would be needed."
    )  # fmt: skip
    return first + second + third


def _count(comparisons: int) -> str:
    return "one comparison" if comparisons == 1 else f"{comparisons} comparisons"


def _with_spread(value: float | None, deviation: float | None, sign: str = "") -> str:
    if value is None:
        return ""
    return number(value, sign) + (f" ± {number(deviation)}" if deviation is not None else "")


def number(value: float, sign: str = "") -> str:
    """Three digits, never an exponent."""
    if abs(value) < 1e-6:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:{sign},.{digits}f}"


def _p(value: float | None) -> str:
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"
