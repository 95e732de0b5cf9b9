"""`ganplay verify`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganplay.stories.checking import Check

MOST_SEEDS = 1_000
FAILED = 1


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = (
        "A story is offered when its claim holds on at least nine seeds of ten; the exit code is 1 when one does not.\n"
        "Example: ganplay verify d-too-strong clip-sizes --seeds 10 --markdown"
    )
    parser.add_argument("stories", nargs="*", metavar="STORY", help="which to verify (default all)")
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 0 on (default 10)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default 1)")
    parser.add_argument("--page", help="only the stories of this page")
    parser.add_argument("--markdown", action="store_true", help="print a table in Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also add what was found to this file")


def execute(options: argparse.Namespace) -> int:
    if not 1 <= options.seeds <= MOST_SEEDS:
        raise ValueError(f"--seeds is {options.seeds}; it must be 1 to {MOST_SEEDS:,}.")
    if options.first < 0:
        raise ValueError(f"--first is {options.first}; it must be 0 or more.")
    if not 1 <= options.threads <= 64:
        raise ValueError(f"--threads is {options.threads}; it must be 1 to 64.")

    import torch

    from ganplay.stories import stories
    from ganplay.stories.checking import check
    from ganplay.stories.verified import record

    names = options.stories or list(stories)
    chosen = [story for story in (stories[name]() for name in names) if options.page in (None, story.page)]
    if not chosen:
        raise ValueError(f"No story belongs to the page '{options.page}'.")
    torch.set_num_threads(options.threads)
    seeds = range(options.first, options.first + options.seeds)
    if options.markdown:
        print("| story | holds | training | mean (smallest to largest) | seconds a seed |\n|---|---:|---|---|---:|")
    checks: list[Check] = []
    for story in chosen:
        reason = story.unavailable()
        if reason:
            print(f"ganplay: {story.kind} is left out: {reason}", file=sys.stderr)
            continue
        checks.append(check(story, seeds))
        print(rows(checks[-1]) if options.markdown else text(checks[-1]), flush=True)
    if options.json:
        record(checks, options.json)
    return 0 if all(one.passed for one in checks) else FAILED


def rows(one: Check) -> str:
    """A row of the table for each training of a story."""
    count, lines = len(one.verdicts), []
    for training, measured in one.spread().items():
        values = ", ".join(f"{name} {_range(*values)}" for name, values in measured.items())
        lines.append((training, values))
    first = (f"`{one.story.kind}`", f"{one.held} of {count}")
    seconds = f"{one.seconds / count:.1f}"
    cells = [(*(first if not place else ("", "")), *line, "" if place else seconds) for place, line in enumerate(lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells or [(*first, "", "", seconds)])


def text(one: Check) -> str:
    """A story in lines: how often it held, what was measured, and the evidence of the seeds on which it did not."""
    count = len(one.verdicts)
    lines = [f"{one.story.kind}: holds on {one.held} of {count} seeds, {one.seconds / count:.1f} s a seed"]
    for training, measured in one.spread().items():
        lines += [f"  {training}: {name} {_range(*values)}" for name, values in measured.items()]
    failed = [pair for pair in zip(one.seeds, one.verdicts, strict=True) if not pair[1].holds]
    return "\n".join([*lines, *(f"  not on seed {seed}: {verdict.evidence}" for seed, verdict in failed)])


def _range(mean: float, low: float, high: float) -> str:
    return f"{mean:.3g} ({low:.3g} to {high:.3g})"
