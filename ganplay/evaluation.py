"""Honest figures of a generator: each with its features, its numbers of samples and its reference, beside real data's.

from ganplay.evaluation import evaluate
for figure in evaluate("checkpoint:quick-digits").figures:
    print(figure.name, figure.value, figure.real)
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganplay.checkpoint import LoadedGenerator, load_discriminator
from ganplay.contracts import Critique, Dataset
from ganplay.data.resident import Samples, ignore, load
from ganplay.latent.noise import fixed_labels, seeded
from ganplay.latent.sampling import LARGEST_SEED, generate, turns
from ganplay.layout import DISCRIMINATOR
from ganplay.metrics.discriminator import as_in_training
from ganplay.metrics.features import choose, feature_set, loaded, to_bytes
from ganplay.metrics.figure import Figure, Subject
from ganplay.metrics.figures import MEASURES
from ganplay.metrics.statistics import SampleSet, measure, real_samples
from ganplay.runs import store
from ganplay.sources import CHECKPOINT, KINDS, RUN, folder_of, has_discriminator, resolve

FEWEST, MOST = 100, 60_000  # samples of one evaluation
SAMPLES = 10_000
PART = 512  # samples made between two reports of progress
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Evaluation:
    """All figures of one generator at one time.

    Attributes:
        source: the key, name or path that was given, empty for a generator in memory.
        title: of its recipe.
        dataset: the kind of its data set.
        images: real images it was trained on.
        features: the feature set's name in the registry.
        samples: how many were generated.
        reference: the split they were compared with.
        seed: of the samples.
        figures: in the order of `metrics.figures.MEASURES`.
        notes: sentences about what was left out or changed.
        seconds: that it took.
    """

    source: str
    title: str
    dataset: str
    images: int
    features: str
    samples: int
    reference: str
    seed: int
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        plain = dataclasses.asdict(self)
        return {**plain, "figures": list(plain["figures"]), "notes": list(plain["notes"])}

    @staticmethod
    def columns() -> tuple[str, ...]:
        """The columns of `rows`, in order."""
        about = ("source", "title", "dataset", "images", "seed")
        return about + tuple(field.name for field in dataclasses.fields(Figure))

    def rows(self) -> list[dict[str, Any]]:
        """One row a figure, each complete in itself, for a table or a CSV file."""
        whole = dataclasses.asdict(self)
        return [
            {name: figure[name] if name in figure else whole[name] for name in self.columns()}
            for figure in whole["figures"]
        ]


def evaluate(
    source: str | LoadedGenerator,
    *,
    samples: int = SAMPLES,
    features: str = "auto",
    reference: str = "train",
    seed: int = 0,
    metrics: Sequence[str] = tuple(MEASURES),
    progress: Progress = ignore,
    allow_paths: bool = False,
) -> Evaluation:
    """Measures a generator with as many samples as the data lets be compared fairly.

    The generator's samples are compared with the `reference` split. Real samples of the other split, as many, give the
    figures of real data; when that split has fewer than `samples`, though at least 100, fewer are generated.

    Args:
        source: a key, the name of a bundled checkpoint, a run's id, or a loaded generator.
        features: a feature set by name, or "auto", see `metrics.features.choose`.
        reference: "train" or "test".
        metrics: names from `metrics.figures.MEASURES`.
        progress: told what is done and the finished share; what it raises ends the evaluation.
        allow_paths: also accept paths, only for a person at the machine's own command line.

    Raises:
        ValueError: something is not allowed, cannot be had, or the generator makes no finite numbers.
    """
    started = time.perf_counter()
    _check(samples, reference, seed, metrics)
    generator = resolve(source, allow_paths) if isinstance(source, str) else source
    recipe = generator.recipe
    dataset, shape = recipe.dataset, recipe.shapes.sample
    kind = choose(dataset, shape) if features == "auto" else feature_set(features).kind
    loaded(kind, progress)

    # Samples
    count, training, known, real, notes = _real(dataset, shape, kind, samples, reference, _part(progress, 0.0, 0.5))
    made = _generate(generator, seed, count, _part(progress, 0.5, 0.65))
    sentence = f"Describing {count:,} generated samples"
    fake = measure(made, torch.arange(count), kind, lambda share: progress(sentence, 0.65 + 0.15 * share), turns)

    # Figures
    labels, labelling = _labels(generator, kind, fake, known, real)
    judge = _discriminator(source, generator, allow_paths) if "discriminator" in metrics else ""
    subject = Subject(
        feature_set(kind), fake, known, real, training, reference, labels, labelling, known.samples.class_names,
        judge, recipe.batch_size, recipe.shapes.classes > 0, seed, turns,
    )  # fmt: skip
    figures: list[Figure] = []
    for place, name in enumerate(name for name in MEASURES if name in metrics):
        progress(f"Computing {name}", 0.8 + 0.2 * place / len(metrics))
        for found in MEASURES[name](subject):
            (figures if isinstance(found, Figure) else notes).append(found)
    progress("Done", 1.0)
    return Evaluation(
        source if isinstance(source, str) else "", recipe.title, dataset.kind, generator.images, kind, count, reference,
        seed, tuple(figures), tuple(notes), time.perf_counter() - started,
    )  # fmt: skip


def _check(samples: int, reference: str, seed: int, metrics: Sequence[str]) -> None:
    for value, name, low, high in ((samples, "samples", FEWEST, MOST), (seed, "seed", 0, LARGEST_SEED)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; it must be a whole number, {low:,} to {high:,}.")
    if reference not in ("train", "test"):
        raise ValueError(f"reference is {reference!r}; it must be train or test.")
    unknown = [name for name in metrics if name not in MEASURES]
    if unknown or not metrics:
        wrong = f"There is no metric {', '.join(map(repr, unknown))}" if unknown else "No metric was chosen"
        raise ValueError(f"{wrong}; choose from {', '.join(MEASURES)}.")


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda sentence, share: progress(sentence, start + (end - start) * share)


def _real(
    dataset: Dataset, shape: tuple[int, ...], kind: str, samples: int, reference: str, progress: Progress
) -> tuple[int, Samples, SampleSet, SampleSet | None, list[str]]:
    """How many samples to generate; the training split; samples of the reference and the other split; notes."""
    splits = {split: load(dataset, shape, split, progress) for split in ("train", "test")}
    other = "test" if reference == "train" else "train"
    most = len(splits[other])
    if len(splits[reference]) < FEWEST:
        raise ValueError(
            f"The {reference} split of {dataset.kind} has {len(splits[reference])} samples; a reference needs {FEWEST}."
        )
    count, notes = samples, []
    if most < FEWEST:
        notes.append(f"The {other} split has {most} samples, too few for figures of real data.")
    elif most < samples:
        count = most
        notes.append(
            f"{samples:,} samples were asked for, but the {other} split, which stands for real data, has {most:,}; as "
            "many are generated, for most figures depend on the number."
        )
    known = real_samples(dataset, shape, reference, kind, samples, _part(progress, 0.0, 0.5), turns)
    real = None
    if most >= FEWEST:
        real = real_samples(dataset, shape, other, kind, count, _part(progress, 0.5, 1.0), turns)
    return count, splits["train"], known, real, notes


def _generate(generator: LoadedGenerator, seed: int, count: int, progress: Progress) -> Samples:
    """Samples as they would be stored; the labels of a conditional generator go through its classes in turn."""
    z, y = seeded(generator.recipe, seed, count), fixed_labels(generator.recipe, count)
    made: list[Tensor] = []
    for start in range(0, count, PART):
        part = slice(start, start + PART)
        found = generate(generator, z[part], None if y is None else y[part])
        if not torch.isfinite(found).all():
            raise ValueError("The generator's samples are not finite numbers: its training diverged.")
        made.append(to_bytes(found) if found.ndim == 4 else found)
        progress(f"Generating {count:,} samples", min(1.0, (start + PART) / count))
    labels = torch.zeros(count, dtype=torch.int64) if y is None else y
    return Samples(torch.cat(made), labels, generator.recipe.dataset.class_names)


def _labels(
    generator: LoadedGenerator, kind: str, fake: SampleSet, known: SampleSet, real: SampleSet | None
) -> tuple[tuple[Tensor, Tensor, Tensor | None] | None, str]:
    """Labels of the three sets and where they come from: the same source for all three, or the classes would differ."""
    names = known.samples.class_names
    if len(names) < 2:
        return (
            None,
            f"The data has {'one class' if names else 'no classes'}, so there are no figures for single classes.",
        )
    if generator.recipe.shapes.classes:
        return (fake.labels, known.labels, None if real is None else real.labels), "given"
    answers = feature_set(kind).class_names
    if fake.logits is None or not set(names) <= set(answers):
        return None, (
            f"The generator is unconditional and the features '{kind}' have no classifier for the classes of "
            f"{generator.recipe.dataset.kind}, so there are no figures for single classes."
        )
    columns = [answers.index(name) for name in names]

    def predicted(samples: SampleSet) -> Tensor:
        return samples.logits[:, columns].argmax(1)

    return (predicted(fake), predicted(known), None if real is None else predicted(real)), "predicted"


def _discriminator(
    source: str | LoadedGenerator, generator: LoadedGenerator, allow_paths: bool
) -> Callable[..., Critique] | str:
    """The discriminator that was trained with the generator, or the sentence why it says nothing."""
    loss = generator.recipe.loss
    if loss.scores or loss.relative:
        return f"With the loss '{loss.kind}' no logit divides real from generated: no D accuracy."
    path = _origin(source, generator, allow_paths) if isinstance(source, str) else None
    if path is None:
        return "These weights come without their discriminator: no D accuracy."
    try:
        discriminator = as_in_training(load_discriminator(path))
    except ValueError as error:  # replaced by a newer one, or damaged in a part that the generator does not need
        return f"{str(error).rstrip('.')}: no D accuracy."
    return lambda x, y=None: Critique(discriminator(x, y).logits - loss.boundary)


def _origin(source: str, generator: LoadedGenerator, allow_paths: bool) -> Path | None:
    """The checkpoint file or model folder with the discriminator of the generator, None where there is none."""
    id = source.removeprefix(RUN)
    if store.is_id(id):
        return next((path for path in store.find(id).checkpoints() if int(path.stem) == generator.images), None)
    key = source if source.startswith(KINDS) else CHECKPOINT + source
    if has_discriminator(key):
        return folder_of(key)
    path = Path(source)
    return path if allow_paths and (path.is_file() or (path / DISCRIMINATOR).is_file()) else None
