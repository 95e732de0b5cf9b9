"""`ganplay export`."""

from __future__ import annotations

import argparse
from pathlib import Path

SAMPLES = 10_000


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("run", help="a run's id")
    parser.add_argument("folder", type=Path, help="the folder to write: a new one, or an empty one")
    parser.add_argument("--name", default="", help="what the card calls it; the folder's name by default")
    parser.add_argument("--discriminator", action="store_true", help="write the discriminator too")
    parser.add_argument(
        "--scores", action=argparse.BooleanOptionalAction, default=True,
        help="measure the stored weights, which needs the data and takes minutes",
    )  # fmt: skip
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"of each score (default {SAMPLES:,})")


def execute(options: argparse.Namespace) -> int:
    from ganplay.commands.progress import Bar
    from ganplay.environment import size_text
    from ganplay.evaluation import FEWEST, MOST
    from ganplay.export import export_run
    from ganplay.runs import store

    if not FEWEST <= options.samples <= MOST:
        raise ValueError(f"samples is {options.samples:,}; it must be {FEWEST:,} to {MOST:,}.")
    run = store.find(options.run)
    with Bar() as bar:
        folder = export_run(
            run, options.folder, name=options.name, discriminator=options.discriminator,
            samples=options.samples if options.scores else 0, progress=bar.show,
        )  # fmt: skip
    print(folder)
    for path in sorted(folder.iterdir()):
        print(f"  {path.name}: {size_text(path.stat().st_size)}")
    return 0
