"""Whether the memory of a run stays flat: the resident set of a real worker over thousands of steps.

A queue of its own, in a home of its own that is deleted afterwards, trains each recipe as the pages would: curves,
pictures, scores and checkpoints go to a run's folder. The process that holds the queue reads the worker's resident set
whenever the worker has told how far it is. A straight line through what follows the warm-up says what a step leaves
behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganplay.benchmarks import Cell, Options, Table
from ganplay.paths import cache_folder
from ganplay.processes import child_environment

if TYPE_CHECKING:
    from ganplay.recipe import Recipe
    from ganplay.runs.folder import Run

QUICK, CONVOLUTIONAL = "toy-ring", "quick-digits"
STEPS, SHARE = 10_000, 5  # steps of the quick recipe; the others take a fifth of them
WARM_UP = 0.2  # share of the steps before the line begins
FEWEST_STEPS, FEWEST_SAMPLES = 100, 3  # a line through two points has no error
CHECKPOINT_SECONDS = 2.0  # so that a run of seconds makes some, as one of minutes does
PERIOD = 0.05  # seconds between two looks at the worker
COLUMNS = (
    "recipe", "steps", "readings behind the line", "MB after the warm-up", "MB at the end", "most MB",
    "slope, MB per 1,000 steps", "its standard error", "time a step, second half / first half",
)  # fmt: skip
NOTE = (
    "Resident set of a run's worker (10^6 bytes), with everything it writes: curves, pictures, scores, and checkpoints "
    f"{CHECKPOINT_SECONDS:g} s apart or more. The line is fitted by least squares to the readings after the first "
    f"{WARM_UP:.0%} of the steps; its error takes them for independent, which neighbours are not quite. The last "
    "column compares the worker's own clock in the two halves of the run."
)


@dataclass(frozen=True)
class Reading:
    """The worker at one moment: steps done, seconds of training by its own clock, bytes of its resident set."""

    steps: int
    seconds: float
    bytes: int


@dataclass(frozen=True)
class Line:
    """A straight line by least squares: slope and its standard error."""

    slope: float
    error: float


def measure(options: Options, *, steps: int = STEPS) -> Table:
    """One row for a recipe of small nets and one for a convolutional one, or for those that were asked for.

    Args:
        steps: rounds of the small nets; every other recipe takes a fifth of them.

    Raises:
        ValueError: a recipe is unknown, its run failed, there are too few steps, or the system is not Linux.
        ChildProcessError: the process that watches died.
    """
    if not Path("/proc/self/status").exists():
        raise ValueError("The memory of a worker is read from /proc, which this system does not have.")
    rows, raw = [], []
    for name in options.recipes or (QUICK, CONVOLUTIONAL):
        count = steps if name == QUICK else steps // SHARE
        if count < FEWEST_STEPS:
            raise ValueError(f"{count} steps of {name} are too few for a line; it takes at least {FEWEST_STEPS}.")
        options.say(f"memory: {name}, {count:,} steps")
        readings = watched(_recipe(name, count, options.precisions), options.threads)
        rows.append(row(name, count, readings))
        raw.append({"recipe": name, "columns": ["steps", "seconds", "bytes"],
                    "readings": [[one.steps, one.seconds, one.bytes] for one in readings]})  # fmt: skip
    return Table("Memory of a run over its steps", NOTE, COLUMNS, tuple(rows), tuple(raw))


def _recipe(name: str, steps: int, precisions: Sequence[str]) -> Recipe:
    from ganplay.recipes import recipe

    plain = recipe(name)
    changes = {"stop_images": steps * plain.batch_size * plain.critic_steps, "stop_seconds": 0, "stop_score": 0}
    return plain.change(changes | ({"precision": precisions[0]} if precisions else {}))


def row(name: str, steps: int, readings: Sequence[Reading]) -> tuple[Cell, ...]:
    """What the readings of a run of so many steps say.

    Raises:
        ValueError: there are too few of them after the warm-up.
    """
    settled = [one for one in readings if one.steps >= WARM_UP * steps]
    if len(settled) < FEWEST_SAMPLES:
        raise ValueError(
            f"{name} told how far it was {len(settled)} times after its warm-up; a line needs {FEWEST_SAMPLES}. "
            "Let it take more steps."
        )
    line = fitted([one.steps / 1_000 for one in settled], [one.bytes / 1e6 for one in settled])
    most = max(one.bytes for one in readings)
    return (
        name, steps, len(settled), *(round(size / 1e6, 1) for size in (settled[0].bytes, settled[-1].bytes, most)),
        line.slope, line.error, halves(readings),
    )  # fmt: skip


def fitted(x: Sequence[float], y: Sequence[float]) -> Line:
    """The line through points, at least three at different x; the error is that of independent deviations from it."""
    across, up = np.asarray(x, float) - np.mean(x), np.asarray(y, float) - np.mean(y)
    slope = float(across @ up / (across @ across))
    left = up - slope * across
    return Line(slope, float(np.sqrt(left @ left / (len(left) - 2) / (across @ across))))


def halves(readings: Sequence[Reading]) -> float | None:
    """Seconds a step between the middle reading and the last, divided by those between the first and the middle."""
    first, last = readings[0], readings[-1]
    middle = min(readings, key=lambda one: abs(one.steps - (first.steps + last.steps) / 2))
    if len({first.steps, middle.steps, last.steps}) < 3 or middle.seconds == first.seconds:
        return None
    late = (last.seconds - middle.seconds) / (last.steps - middle.steps)
    return late / ((middle.seconds - first.seconds) / (middle.steps - first.steps))


def watched(recipe: Recipe, threads: int) -> list[Reading]:
    """Trains a recipe in a queue and a home of its own, and reads its worker's memory on the way.

    Raises:
        ValueError: the run failed; the sentence says why.
        ChildProcessError: the process that watches died.
    """
    with tempfile.TemporaryDirectory(prefix="ganplay-memory-") as folder:
        cache_folder().mkdir(parents=True, exist_ok=True)
        (Path(folder) / "cache").symlink_to(cache_folder(), target_is_directory=True)  # data decoded once stays so
        done = subprocess.run(
            [sys.executable, "-m", "ganplay.benchmarks.memory"], input=json.dumps([recipe.to_json(), threads]),
            stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env={**child_environment(None), "GANPLAY_HOME": folder},
        )  # fmt: skip
    if done.returncode:
        raise ChildProcessError(f"The process that watches the worker ended with code {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if "error" in answer:
        raise ValueError(answer["error"])
    return [Reading(*one) for one in answer["readings"]]


def main() -> None:
    """The process that holds the queue: a recipe and a number of threads on standard input, readings on the other."""
    from ganplay.recipe import Recipe
    from ganplay.runs import store
    from ganplay.runs.manager import Manager

    content, threads = json.load(sys.stdin)
    manager = Manager(limit=1, checkpoint_seconds=CHECKPOINT_SECONDS)
    try:
        recipe = Recipe.from_json(content)
        run = store.create(recipe, threads=threads)
        manager.start()
        readings = [[one.steps, one.seconds, one.bytes] for one in _readings(run, recipe)]
        answer: dict[str, Any] = {"readings": readings}
    except ValueError as error:
        answer = {"error": str(error)}
    finally:
        manager.close()
    print(json.dumps(answer))


def _readings(run: Run, recipe: Recipe) -> Iterator[Reading]:
    """One whenever the worker has told of more images, until the run is over.

    Raises:
        ValueError: it did not finish.
    """
    seen, process = 0, None
    while True:
        status = run.written_status()
        if status.images > seen and status.live:
            process = process or _process(run.id)
            size = resident(process) if process else None
            if size is not None:
                seen = status.images
                yield Reading(seen // (recipe.batch_size * recipe.critic_steps), status.seconds, size)
        if status.state == "finished":
            return
        if status.state not in ("queued", "starting", "running"):
            raise ValueError(status.message)
        time.sleep(PERIOD)


def _process(word: str) -> int | None:
    """The number of the process with this word in its command line, which is not this one."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has just ended
            continue
        if word.encode() in words and int(folder.name) != os.getpid():
            return int(folder.name)
    return None


def resident(process: int) -> int | None:
    """Bytes of a process that are in memory, None when it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 if sizes else None  # the kernel counts in KiB


if __name__ == "__main__":
    main()
