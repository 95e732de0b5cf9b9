"""`ganplay bench`."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import ganplay
from ganplay.benchmarks import LONG, PARTS, about

if TYPE_CHECKING:
    from ganplay.benchmarks.machine import Machine

MOST_SECONDS, MOST_WINDOWS, MOST_THREADS = 3_600, 1_000, 1_024


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    width = max(map(len, PARTS))
    parser.epilog = (
        f"Parts, all but {', '.join(LONG)} by default:\n"
        + "\n".join(f"  {part.ljust(width)}  {about(part)}" for part in PARTS)
        + "\n\nThe sides of a comparison take turns, so that a busy machine slows both: trust the ratios.\n"
        "Each table is printed when its part is done; Ctrl-C ends the rest.\n"
        "Example: ganplay bench training --recipes quick-digits,duke-dcgan --seconds 10 --json figures.json"
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to measure, see below")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each side of each row (default 20)")
    parser.add_argument("--windows", type=int, default=5, help="turns that those seconds are divided into (default 5)")
    parser.add_argument("--threads", type=int, help="processor threads, all cores by default")
    parser.add_argument("--recipes", default="", help="recipes that training is measured on, with commas")
    parser.add_argument(
        "--precision", choices=("auto", "fp32", "bf16"), help="of our side of training (default auto, and fp32 too)"
    )
    parser.add_argument("--json", type=Path, help="also write every single figure to this JSON file")
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")


def execute(options: argparse.Namespace) -> int:
    _check(options)
    parts = options.parts or [part for part in PARTS if part not in LONG]
    names = tuple(name for name in options.recipes.split(",") if name)

    from ganplay.benchmarks import Options, measure, report
    from ganplay.benchmarks.machine import machine
    from ganplay.recipes import recipe
    from ganplay.runs.limits import cores

    for name in names:
        recipe(name)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)  # better now than after minutes
    here, when = machine(), time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    threads = cores() if options.threads is None else options.threads
    asked = Options(
        options.seconds, threads, _say, options.windows, names, (options.precision,) if options.precision else ()
    )
    print(_heading(here, threads, when), flush=True)
    found = {}
    for part in parts:
        table = measure(part, asked)
        found[part] = {"part": part, **report.plain(table)}
        print("\n" + (report.markdown(table) if options.markdown else report.text(table)), flush=True)
        if options.json is not None:
            content = {
                "date": when, "ganplay": ganplay.__version__, "machine": vars(here), "threads": threads,
                "seconds": options.seconds, "windows": options.windows, "tables": list(found.values()),
            }  # fmt: skip
            options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if options.json is not None:
        print(f"\n{options.json}: written")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuses what cannot be measured, before anything heavy is imported."""
    for part in options.parts:
        if part not in PARTS:
            raise ValueError(f"There is no part '{part}' of the benchmark; choose among {', '.join(PARTS)}.")
    if not (math.isfinite(options.seconds) and 0 < options.seconds <= MOST_SECONDS):
        raise ValueError(f"--seconds is {options.seconds:g}; it must be above 0, at most {MOST_SECONDS:,}.")
    for name, value, most in (("windows", options.windows, MOST_WINDOWS), ("threads", options.threads, MOST_THREADS)):
        if value is not None and not 1 <= value <= most:
            raise ValueError(f"--{name} is {value}; it must be a whole number from 1 to {most:,}.")


def _heading(here: Machine, threads: int, when: str) -> str:
    busy = "" if here.load is None else f", load {here.load:g} at the start"
    return (
        f"{here.processor} ({here.instructions}), {here.cores} cores, {threads} threads used{busy}; "
        f"PyTorch {here.torch}, Python {here.python}, {here.system}; {when}"
    )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
