"""`ganplay experiment`: the measurements behind the page "Vanishing gradients", as JSON."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

EXPERIMENTS = {
    "frozen": "freeze trained generators, train new discriminators, measure the gradient for both losses",
    "line": "train discriminators and critics between two Gaussians on a line, at every distance",
    "depth": "train deep critics and measure the gradient at every layer",
}
FROZEN = ("dcgan-digits-epoch-1", "dcgan-digits-epoch-10", "dcgan-digits-epoch-25")
ITERATIONS = 4_000  # of arXiv 1701.04862, figures 2 and 3
PERIOD = 0.3  # seconds between two words about the progress
Progress = Callable[[str, float], None]


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = "\n".join(f"{name:8} {text}" for name, text in EXPERIMENTS.items())
    parser.add_argument("name", choices=tuple(EXPERIMENTS), metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--seeds", default="0", help="with commas (default 0); line takes one")
    parser.add_argument(
        "--sources", default=",".join(FROZEN),
        help="for frozen: bundled checkpoints, runs' ids or folders, with commas (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help="for frozen (default %(default)s)")
    parser.add_argument("--out", type=Path, help="the JSON file to write; standard output by default")
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)  # a page reads it, and ends us with its server


def execute(options: argparse.Namespace) -> int:
    import torch

    from ganplay.commands.progress import Bar
    from ganplay.files import write_atomically

    seeds = _seeds(options.seeds)
    torch.set_num_threads(1)  # the networks are small, and the numbers depend on it in the last digits
    if options.progress:
        _end_with_standard_input()
    with Bar() as bar:
        report = _reporter(options.progress) if options.progress else bar.show
        if options.name == "frozen":
            sources = [source for source in options.sources.split(",") if source]
            results: Any = frozen(sources, seeds, options.iterations, report, allow_paths=not options.progress)
        else:
            results = (line if options.name == "line" else depth)(seeds, report)
    content = {"command": _command(options), "seeds": seeds, "results": results}
    text = json.dumps(content, separators=(",", ":")) + "\n"
    if options.out:
        write_atomically(options.out, text)
    else:
        print(text, end="")
    return 0


def frozen(
    sources: list[str], seeds: list[int], iterations: int, report: Progress, allow_paths: bool
) -> list[dict[str, Any]]:
    """One measurement for each source and seed.

    Args:
        allow_paths: as of `ganplay.sources.resolve`.
    """
    from ganplay.scenarios.frozen import measure
    from ganplay.sources import resolve

    pairs, found = [(source, seed) for source in sources for seed in seeds], []
    for index, (source, seed) in enumerate(pairs):
        generator = resolve(source, allow_paths)

        def share(sentence: str, part: float, index: int = index, source: str = source) -> None:
            report(f"{source}: {sentence}", (index + part) / len(pairs))

        taken = measure(generator.recipe, generator.module, iterations, seed=seed, progress=share)
        about = {"source": source, "title": generator.recipe.title, "images": generator.images, "seed": seed}
        found.append(about | taken.to_json())
    return found


def line(seeds: list[int], report: Progress) -> dict[str, Any]:
    """Every judge at every distance, for the first seed."""
    from ganplay.scenarios.optimal import train_all

    return train_all(seed=seeds[0], progress=report)


def depth(seeds: list[int], report: Progress) -> dict[str, dict[str, list[list[float]]]]:
    """By set of variants, by variant, for each seed the norm at every layer."""
    from ganplay.scenarios.depth import VARIANTS, deep_recipe, measured
    from ganplay.stories.training import train_all

    known: dict[Recipe, list[list[float]]] = {}  # by the recipe of the first seed: two sets share a training
    found: dict[str, dict[str, list[list[float]]]] = {}
    for index, (name, variants) in enumerate(VARIANTS.items()):
        for place, (label, changes) in enumerate(variants.items()):
            report(f"Training {label}", (index + place / len(variants)) / len(VARIANTS))
            recipes = [deep_recipe(seed, changes) for seed in seeds]
            if recipes[0] not in known:
                ends = zip(recipes, train_all(recipes), strict=True)
                norms = [measured(recipe, state.generator, state.discriminator) for recipe, (_, state) in ends]
                known[recipes[0]] = [[float(f"{norm:.4g}") for norm in one] for one in norms]
            found.setdefault(name, {})[label] = known[recipes[0]]
    return found


def _seeds(text: str) -> list[int]:
    try:
        seeds = [int(part) for part in text.split(",")]
    except ValueError:
        seeds = []
    if not 1 <= len(seeds) <= 100 or not all(0 <= seed < 2**31 for seed in seeds):
        raise ValueError(f"seeds is {text[:60]!r}; it must be 1 to 100 whole numbers from 0 up, with commas.")
    return seeds


def _command(options: argparse.Namespace) -> str:
    words = ["python -m ganplay experiment", options.name, "--seeds", options.seeds]
    if options.name == "frozen":
        words += ["--sources", options.sources, "--iterations", str(options.iterations)]
    return " ".join(words)


def _reporter(path: Path) -> Progress:
    """Writes a progress to disk, now and then."""
    from ganplay.files import write_atomically

    last = 0.0

    def report(sentence: str, share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= PERIOD:
            write_atomically(path, json.dumps({"sentence": sentence, "share": min(1.0, max(0.0, share))}))
            last = time.monotonic()

    return report


def _end_with_standard_input() -> None:
    """Ends this process as soon as nobody holds the pipe of its standard input any more: its server is gone."""
    from ganplay.processes import standard_input_ended

    def look() -> None:
        while not standard_input_ended():
            time.sleep(PERIOD)
        os._exit(1)

    threading.Thread(target=look, daemon=True, name="watch").start()
