"""The process of one side: trains when it is told to, for as long as it is told to, and else sleeps.

One JSON object a line, both ways. The first line on standard input is a `Work`; the answer `{}` says that the side is
set up. Each further line `{"seconds": t, "rounds": n}` asks for a window: at least t seconds and n rounds of training.
The answer is `{"images", "rounds", "seconds", "memory"}`, the last being the most bytes the process ever had. An
`{"error": sentence}` comes before an end that a person can do something about. The end of standard input is the
parent's, and then this process ends too, even within a window.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

SIDES = ("textbook", "ours", "ours, memory given back")
PERIOD = 0.25  # seconds between two looks whether the parent lives


def rounds(side: str, recipe: Recipe, threads: int) -> Iterator[int]:
    """Trains a recipe without an end; the real images read in each round.

    Raises:
        ValueError: the recipe cannot be trained, or its data not be had.
    """
    return _textbook(recipe, threads) if side == "textbook" else _ours(recipe, threads)


def _textbook(recipe: Recipe, threads: int) -> Iterator[int]:
    import torch

    from ganplay.benchmarks.plain import plain_networks
    from ganplay.benchmarks.textbook import loader, train

    torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    generator, discriminator = plain_networks(recipe)
    for report in train(recipe, generator, discriminator, loader(recipe)):
        yield report.images


def _ours(recipe: Recipe, threads: int) -> Iterator[int]:
    """The package's own loop, in a process set up as a run's worker sets itself up."""
    from ganplay.acceleration import choose, prepare
    from ganplay.trainer import train

    prepare(choose(recipe, threads))
    seen = 0
    for step in train(recipe):
        yield step.images - seen
        seen = step.images


def window(training: Iterator[int], seconds: float, least: int) -> dict[str, Any]:
    """Trains for at least so many seconds and rounds: `{"images", "rounds", "seconds"}`."""
    images = done = 0
    started = time.perf_counter()
    while done < least or time.perf_counter() - started < seconds:
        images += next(training)
        done += 1
    return {"images": images, "rounds": done, "seconds": time.perf_counter() - started}


def main() -> None:
    """The child's command; see the module."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not come between the answers
    _end_with_parent()
    try:
        _serve(answers)
    except ValueError as error:
        _answer(answers, {"error": str(error)})


def _serve(answers: TextIO) -> None:
    from ganplay import memory
    from ganplay.benchmarks.machine import peak_memory
    from ganplay.recipe import Recipe

    work = json.loads(sys.stdin.readline())
    if work["side"] == "ours":
        memory.keep()
    training = rounds(work["side"], Recipe.from_json(work["recipe"]), work["threads"])
    next(training)  # the first round sets everything up
    _answer(answers, {})
    for line in sys.stdin:
        asked = json.loads(line)
        _answer(answers, {**window(training, asked["seconds"], asked["rounds"]), "memory": peak_memory()})


def _answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _end_with_parent() -> None:
    """Ends this process once nobody can write to its standard input any more, whatever it is doing."""
    if not hasattr(select, "poll"):  # Windows: it ends when it has answered
        return
    watched = select.poll()
    watched.register(0, 0)  # nothing but the hang-up, which is always told

    def look() -> None:
        while not watched.poll(0):
            time.sleep(PERIOD)
        os._exit(0)

    threading.Thread(target=look, daemon=True, name="watch").start()


if __name__ == "__main__":
    main()
