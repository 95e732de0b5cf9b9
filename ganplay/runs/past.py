"""The past of a run up to one of its checkpoints: read it, rewind to it, copy it into a fork. No torch on import."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganplay.files import read_json, write_atomically
from ganplay.runs.folder import Run, images_of, metric_lines, sidecar

if TYPE_CHECKING:
    from ganplay.recipe import Recipe
    from ganplay.state import State


@dataclass(frozen=True)
class Interval:
    """What the curves' next point has gathered so far.

    Attributes:
        steps: rounds since the last point.
        sums: of each averaged number over those rounds, float32 values; then what both gradient meters have gathered.
        score: the last score in the interval, or None.
    """

    steps: int = 0
    sums: tuple[float, ...] = ()
    score: float | None = None


def read_interval(run: Run, checkpoint: Path) -> Interval:
    """The unfinished interval saved beside a checkpoint; an empty one when there is none.

    A point at the checkpoint's very images, which the end of a run adds, has counted the interval already.
    """
    if any(images_of(line) == int(checkpoint.stem) for line in metric_lines(run.folder)):
        return Interval()
    try:
        content = read_json(sidecar(checkpoint))
        return Interval(int(content["steps"]), tuple(map(float, content["sums"])), content["score"])
    except (KeyError, OSError, TypeError, ValueError):
        return Interval()


def load_newest(run: Run, recipe: Recipe, device: str = "cpu") -> tuple[State | None, Interval, str]:
    """Where a run goes on.

    A checkpoint that cannot be read is set aside under the ending `.damaged`, so that readers find the one before.

    Returns:
        the state, or None for a run without any checkpoint; the curves' unfinished interval; and one sentence about
        checkpoints that could not be read, or an empty text.

    Raises:
        ValueError: there are checkpoints, but none can be read or fits the recipe. All are left as they are.
    """
    from ganplay import checkpoint  # imports torch

    damaged: list[Path] = []
    reasons: list[str] = []
    for path in run.checkpoints():
        try:
            state = checkpoint.load(path, recipe, device)
        except ValueError as error:
            damaged.append(path)
            reasons.append(str(error))
            continue
        interval = read_interval(run, path)
        for unusable in damaged:
            unusable.replace(unusable.with_suffix(".damaged"))
            sidecar(unusable).unlink(missing_ok=True)
        lost = f"The checkpoint at {int(damaged[0].stem):,} images could not be read; " if damaged else ""
        return state, interval, lost and f"{lost}training goes on from the one at {state.images:,} images."
    if len(damaged) == 1:
        raise ValueError(reasons[0])
    if damaged:
        raise ValueError(f"None of the {len(damaged)} checkpoints can be used; of the newest: {reasons[0]}")
    return None, Interval(), ""


def rewind(run: Run, images: int) -> None:
    """Removes from the curves and the samples what is newer than `images` images, and files left half-written."""
    lines = [line for line in metric_lines(run.folder) if images_of(line) <= images]
    if lines or (run.folder / "metrics.jsonl").exists():
        write_atomically(run.folder / "metrics.jsonl", b"".join(line + b"\n" for line in lines))
    for newer in run.samples():
        if newer > images:
            run.sample_path(newer).unlink(missing_ok=True)
    for pattern in ("samples/.*", "checkpoints/.*", ".status.json.*", ".metrics.jsonl.*"):
        for unfinished in run.folder.glob(pattern):  # what a worker was writing when it was killed
            unfinished.unlink(missing_ok=True)


def copy_newest_checkpoint(run: Run, child: Run, recipe: Recipe) -> tuple[int, float]:
    """Copies the newest checkpoint that can be read and fits `recipe`.

    Returns:
        the images it has seen and the seconds it was trained for.

    Raises:
        ValueError: there is none; the sentence tells why the newest one will not do.
    """
    from ganplay import checkpoint

    reasons = []
    (child.folder / "checkpoints").mkdir()
    for path in run.checkpoints():
        copy = child.folder / "checkpoints" / path.name
        try:
            if sidecar(path).exists():
                shutil.copyfile(sidecar(path), sidecar(copy))
            shutil.copyfile(path, copy)
            state = checkpoint.load(copy, recipe)
        except FileNotFoundError:  # a live run has moved on; there are newer ones
            continue
        except ValueError as error:
            reasons.append(str(error))
            copy.unlink()
            sidecar(copy).unlink(missing_ok=True)
            continue
        return state.images, state.seconds
    raise ValueError(reasons[0] if reasons else f"The run '{run.label}' has no checkpoint yet to fork from.")


def copy_past(run: Run, child: Run, images: int) -> None:
    """Copies the curves and the samples up to `images` images, so that a fork shows the common past."""
    lines = [line for line in metric_lines(run.folder) if images_of(line) <= images]
    write_atomically(child.folder / "metrics.jsonl", b"".join(line + b"\n" for line in lines))
    (child.folder / "samples").mkdir()
    for seen in run.samples():
        if seen <= images:
            shutil.copyfile(run.sample_path(seen), child.sample_path(seen))


def interval_json(interval: Interval) -> Mapping[str, object]:
    """An interval as plain JSON values; a float32 value survives the way through JSON unchanged."""
    return {"steps": interval.steps, "sums": list(interval.sums), "score": interval.score}
