"""Whether fast arithmetic learns the same: loss curves and final scores in bf16 beside the spread of fp32 over seeds.

What is compared was chosen before any run was made. Three recipes that have little in common train with five seeds in
fp32 and with five others in bf16, everything else equal. Of each run are kept the two losses, as means over forty equal
parts of it, and the Fréchet distance of the finished, averaged generator. The seeds of the two groups differ, so that
all ten runs are exchangeable if the arithmetic does not matter; then the permutation test is exact.

The study takes minutes and may be interrupted: each finished run is kept in a file, and the next call makes only what
is missing. A kept run counts only for the sources and the machine it was made with.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ganplay
from ganplay.benchmarks import Cell, Options, Table
from ganplay.checkpoint import LoadedGenerator
from ganplay.data.resident import Samples, load
from ganplay.environment import processor
from ganplay.files import read_json, write_atomically
from ganplay.latent.noise import fixed_labels, seeded
from ganplay.latent.sampling import generate
from ganplay.metrics.features import to_bytes
from ganplay.metrics.frechet import Gaussian, frechet_distance
from ganplay.metrics.statistics import measure as described
from ganplay.metrics.statistics import real_samples
from ganplay.paths import home
from ganplay.precision import chosen
from ganplay.recipe import Recipe
from ganplay.recipes import recipe as named
from ganplay.trainer import train

SEEDS, FEWEST, MOST = 5, 2, 10  # runs of each group
APART = 100  # between the seeds of the two groups
POINTS = 40  # of a curve
SAMPLES, REAL = 5_000, 10_000  # behind a Fréchet distance: generated, and of the training split
QUANTITIES = ("D loss", "G loss", "final FD")
DECISIVE = (
    "augment.py", "building.py", "data", "latent", "losses", "metrics", "models", "optimisers.py", "penalties",
    "precision.py", "randomness.py", "recipe.py", "recipes", "state.py", "trainer.py",
)  # fmt: skip  # sources that decide what a run computes
COLUMNS = (
    "recipe", "quantity", "fp32, mean ± s", "bf16, mean ± s", "difference in s of fp32", "p",
    "bf16's mean within fp32's band, %", "a bf16 run within the band of all fp32 runs but one, %",
    "that fp32 run within it, %",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """What both groups train.

    Attributes:
        name: of the recipe.
        changes: as `Recipe.change` takes them; they keep the study short.
        features: the feature set behind the final score.
        samples: generated for that score.
    """

    name: str
    changes: Mapping[str, Any]
    features: str
    samples: int = SAMPLES

    def recipe(self, precision: str, seed: int) -> Recipe:
        """The recipe of one run."""
        return named(self.name).change({**self.changes, "score_every": 0, "precision": precision, "seed": seed})


Run = tuple[Study, str, int]  # study, precision, seed

STUDIES = (
    Study("quick-digits", {"stop_images": 60_000}, "digits-classifier"),
    Study("cs229-fcgan", {"stop_images": 250_000}, "mnist-classifier"),
    Study(
        "modern-sngan-projection",
        {"generator.widths": (48, 32, 16, 8), "discriminator.widths": (8, 16, 32), "stop_images": 60_000},
        "cifar10-classifier",
    ),
)


def measure(
    options: Options, *, studies: Sequence[Study] = STUDIES, seeds: int = SEEDS, folder: Path | None = None
) -> Table:
    """Three rows for each study: the discriminator's loss, the generator's, the final Fréchet distance.

    Args:
        options: as many runs as it has threads train at once, on one thread each; seconds and windows do not matter.
        seeds: runs of each group.
        folder: of the kept runs; `benchmarks/learning` of GANPLAY_HOME by default.

    Raises:
        ValueError: a recipe is not among the studies, the two sides would compute alike, or a run diverged.
        ChildProcessError: a training process died.
    """
    if not FEWEST <= seeds <= MOST:
        raise ValueError(f"seeds is {seeds}; it must be {FEWEST} to {MOST}.")
    fast = options.precisions[0] if options.precisions else "bf16"
    if chosen(fast) == "fp32":
        raise ValueError(f"The precision {fast} means fp32 here, which is the other side already; choose bf16.")
    wanted = _wanted(studies, options.recipes)
    groups = {"fp32": range(seeds), "bf16": range(APART, APART + seeds)}
    runs = [(study, precision, chosen_seeds[place]) for place in range(seeds) for study in wanted
            for precision, chosen_seeds in groups.items()]  # fmt: skip  # so that an end in the middle leaves pairs
    found = _finished(runs, folder or home() / "benchmarks" / "learning", options)
    rows, raw = [], []
    for study in wanted:
        for quantity in QUANTITIES:
            curves = {precision: _curves(found, study, precision, groups[precision], quantity) for precision in groups}
            rows.append(compare(study.name, quantity, curves["fp32"], curves["bf16"]))
            raw.append({"recipe": study.name, "quantity": quantity, "changes": dict(study.changes),
                        "images": found[study.name, "fp32", 0]["images"],
                        **{precision: curve.tolist() for precision, curve in curves.items()}})  # fmt: skip
    return Table("Learning in bf16 beside learning in fp32", _note(seeds), COLUMNS, tuple(rows), tuple(raw))


def _wanted(studies: Sequence[Study], names: Sequence[str]) -> list[Study]:
    known = [study.name for study in studies]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"Learning is not compared on {', '.join(unknown)}; choose among {', '.join(known)}.")
    return [study for study in studies if not names or study.name in names]


def _note(seeds: int) -> str:
    splits = len(list(combinations(range(2 * seeds), seeds)))
    return (
        f"{seeds} runs of each arithmetic, with seeds of their own; all else equal. Losses are means over the second "
        f"half of a run; FD compares the finished generator's samples with training data by a bundled "
        f"classifier's features. s: standard deviation over seeds. p: share of the {splits:,} splits of all runs into "
        "two groups whose means differ at least as much; one row in twenty lies below 0.05 by chance alone. The band "
        f"goes from the lowest to the highest fp32 run at each of {POINTS} points of the curve (FD has one). The last "
        f"two columns compare like with like, a run of either group with the band of {seeds - 1} other fp32 runs; "
        f"{1 - 2 / seeds:.0%} is what exchangeable runs reach on average."
    )


# The statistics: curves are (runs, points)


def compare(name: str, quantity: str, slow: np.ndarray, fast: np.ndarray) -> tuple[Cell, ...]:
    """A row of the table from the curves (runs, points) of the fp32 group and of the fast one."""
    before, after = late_means(slow), late_means(fast)
    spread = before.std(ddof=1)
    return (
        name, quantity, f"{before.mean():.4g} ± {spread:.2g}", f"{after.mean():.4g} ± {after.std(ddof=1):.2g}",
        float((after.mean() - before.mean()) / spread) if spread else None, f"{permutation_p(before, after):.3f}",
        100 * share_inside(fast.mean(0), slow), 100 * share_of_runs(fast, slow), 100 * share_left_out(slow),
    )  # fmt: skip


def late_means(curves: np.ndarray) -> np.ndarray:
    """Means (runs,) over the second half of each curve; of a single point, that point."""
    return curves[:, curves.shape[1] // 2 :].mean(1)


def permutation_p(first: np.ndarray, second: np.ndarray) -> float:
    """The exact two-sided p of a difference of means, over every split of the values into groups of these sizes."""
    pooled = np.concatenate([first, second])
    members = np.array(list(combinations(range(len(pooled)), len(first))))
    sums = pooled[members].sum(1)
    differences = np.abs(sums / len(first) - (pooled.sum() - sums) / len(second))
    rounding = 1e-9 * np.abs(pooled).max()  # splits that are equal but for it count as equal
    return float((differences >= differences[0] - rounding).mean())  # the first split is the one that was made


def share_inside(curve: np.ndarray, band: np.ndarray) -> float:
    """Share of a curve's points (points,) between the lowest and the highest of the runs (runs, points)."""
    return float(((band.min(0) <= curve) & (curve <= band.max(0))).mean())


def share_of_runs(fast: np.ndarray, slow: np.ndarray) -> float:
    """Share of a fast run's points in the band of all slow runs but one, averaged over runs and bands."""
    bands = [np.delete(slow, index, 0) for index in range(len(slow))]
    return float(np.mean([share_inside(run, band) for run in fast for band in bands]))


def share_left_out(slow: np.ndarray) -> float:
    """Mean share of a slow run's points in the band of the other slow runs."""
    return float(np.mean([share_inside(run, np.delete(slow, index, 0)) for index, run in enumerate(slow)]))


def _curves(
    found: Mapping[tuple[str, str, int], Mapping[str, Any]], study: Study, precision: str, seeds: range, quantity: str
) -> np.ndarray:
    return np.array([np.atleast_1d(found[study.name, precision, seed][quantity]) for seed in seeds], float)


# The runs


def train_once(study: Study, precision: str, seed: int) -> dict[str, Any]:
    """Trains and measures one run: {"images", "D loss", "G loss"}, a list of points each, "final FD" and "seconds".

    Raises:
        ValueError: it has too few rounds for the curves, or diverged.
    """
    recipe = study.recipe(precision, seed)
    if recipe.stop_images < POINTS * recipe.batch_size * recipe.critic_steps:
        raise ValueError(f"stop_images is {recipe.stop_images:,}; curves of {POINTS} points need as many rounds.")
    started, points, images, part = time.perf_counter(), [], [], []
    for step in train(recipe):
        part.append(torch.stack([step.discriminator_loss, step.generator_loss]))
        if step.images * POINTS // recipe.stop_images > len(points):
            points.append(torch.stack(part).mean(0))
            images.append(step.images)
            part = []
    losses = torch.stack(points)  # (POINTS, 2)
    if not torch.isfinite(losses).all():
        raise ValueError(f"{study.name} with seed {seed} in {precision} diverged.")
    distance = _distance(LoadedGenerator(recipe, step.images, step.state.average), study)
    return {
        "images": images, "D loss": losses[:, 0].tolist(), "G loss": losses[:, 1].tolist(), "final FD": distance,
        "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def _distance(generator: LoadedGenerator, study: Study) -> float:
    recipe = generator.recipe
    made = generate(generator, seeded(recipe, recipe.seed, study.samples), fixed_labels(recipe, study.samples))
    samples = Samples(to_bytes(made), torch.zeros(study.samples, dtype=torch.int64), ())
    fake = described(samples, torch.arange(study.samples), study.features)
    return frechet_distance(fake.gaussian, _real(recipe, study.features))


def _real(recipe: Recipe, features: str) -> Gaussian:
    return real_samples(recipe.dataset, recipe.shapes.sample, "train", features, REAL).gaussian


def _finished(runs: Sequence[Run], folder: Path, options: Options) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Every run by name, precision and seed: those kept in the folder, and the others once they are made."""
    marks = {study.name: stamp(study) for study, _, _ in runs}
    missing = [run for run in runs if _kept(_path(folder, run), marks[run[0].name]) is None]
    options.say(f"learning: {len(runs) - len(missing)} of {len(runs)} runs are kept in {folder}")
    for study in {run[0].name: run[0] for run in missing}.values():  # once, before the processes would all do it
        recipe = study.recipe("fp32", 0)
        load(recipe.dataset, recipe.shapes.sample)
        _real(recipe, study.features)
    _make(missing, folder, options)
    found = {(run[0].name, *run[1:]): _kept(_path(folder, run), marks[run[0].name]) for run in runs}
    if None in found.values():
        raise ValueError("The package's sources changed while the runs trained; start again, for they must be alike.")
    return found


def _make(runs: Sequence[Run], folder: Path, options: Options) -> None:
    """Trains and keeps the runs, as many at once as there are threads.

    Raises:
        ChildProcessError: a training process died.
    """
    started = time.perf_counter()
    with ProcessPoolExecutor(options.threads, multiprocessing.get_context("spawn")) as pool:
        work = {pool.submit(_keep, run, folder): f"{run[0].name}, {run[1]}, seed {run[2]}" for run in runs}
        try:
            for done, future in enumerate(as_completed(work), 1):
                future.result()
                left = (time.perf_counter() - started) / done * (len(runs) - done)
                options.say(f"learning: {work[future]} is done, {len(runs) - done} left, about {left / 60:.0f} min")
        except BrokenProcessPool:
            raise ChildProcessError("A training process died; perhaps the memory was not enough") from None
        finally:
            pool.shutdown(cancel_futures=True)  # an error or Ctrl-C does not wait for the runs that have not begun


def _keep(run: Run, folder: Path) -> None:
    """In a process of its own: makes one run and keeps it."""
    torch.set_num_threads(1)
    mark = stamp(run[0])
    write_atomically(_path(folder, run), json.dumps({**train_once(*run), "stamp": mark}))


def _path(folder: Path, run: Run) -> Path:
    study, precision, seed = run
    return folder / f"{study.name}-{precision}-{seed}-{study.recipe(precision, seed).hash}.json"


def _kept(path: Path, mark: str) -> dict[str, Any] | None:
    """A finished run, or None when there is none that was made so."""
    try:
        content = read_json(path)
    except ValueError:
        return None
    return content if isinstance(content, dict) and content.get("stamp") == mark else None


def stamp(study: Study) -> str:
    """Changes with whatever decides a run's numbers beside its recipe: score, our sources, torch, the processor."""
    package = Path(ganplay.__file__).parent
    digest = hashlib.sha256(f"{study.features} {study.samples} {torch.__version__} {processor()}".encode())
    for name in DECISIVE:
        for path in [package / name] if name.endswith(".py") else sorted((package / name).rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
