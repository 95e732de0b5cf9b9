"""The measures of an evaluation: each yields figures, and a sentence for what it leaves out."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ganplay.metrics.by_class import per_class, recognised, similarity
from ganplay.metrics.classifier_score import SPLITS, classifier_score
from ganplay.metrics.discriminator import share_called_real
from ganplay.metrics.features import figure_name
from ganplay.metrics.figure import NONE, Subject, Yielded, bias_note
from ganplay.metrics.frechet import RESAMPLES, bootstrap_deviation, frechet_distance
from ganplay.metrics.kernel import SUBSETS, kernel_distance
from ganplay.metrics.neighbours import nearest, nearest_samples
from ganplay.metrics.precision_recall import MOST, precision_recall
from ganplay.metrics.statistics import SampleSet

NEIGHBOUR_QUERIES = 500
FEWEST_OF_PART = 200  # samples behind one of the parts of a classifier score


def frechet(subject: Subject) -> Yielded:
    def both(samples: SampleSet | None) -> tuple[float | None, float | None]:
        if samples is None:
            return None, None
        spread = bootstrap_deviation(samples.features, subject.reference.gaussian, subject.seed)
        return frechet_distance(samples.gaussian, subject.reference.gaussian), spread

    (value, spread), (real, real_spread) = both(subject.fake), both(subject.real)
    yield subject.figure(
        "frechet-distance", figure_name("frechet-distance", subject.chosen), value, real,
        spread=spread, real_spread=real_spread, better="lower",
        spread_of=f"standard deviation of {RESAMPLES} bootstrap resamples",
        note=bias_note(min(len(subject.fake), len(subject.reference)), subject.fake.features.shape[1]),
    )  # fmt: skip


def kernel(subject: Subject) -> Yielded:
    def both(samples: SampleSet | None) -> tuple[float | None, float | None]:
        if samples is None:
            return None, None
        return kernel_distance(samples.features, subject.reference.features, subject.seed)

    (value, spread), (real, real_spread) = both(subject.fake), both(subject.real)
    yield subject.figure(
        "kernel-distance", figure_name("kernel-distance", subject.chosen), value, real, spread=spread,
        real_spread=real_spread, better="lower", spread_of=f"standard deviation of up to {SUBSETS} random subsets",
    )  # fmt: skip


def score(subject: Subject) -> Yielded:
    if subject.fake.logits is None:
        yield f"The features '{subject.chosen.kind}' have no classifier, so there is no classifier score."
        return

    def both(samples: SampleSet | None) -> tuple[float | None, float | None]:
        return (None, None) if samples is None else classifier_score(samples.logits, seed=subject.seed)

    (value, spread), (real, real_spread) = both(subject.fake), both(subject.real)
    part = len(subject.fake) // SPLITS
    few = f" Parts of {part} samples make it too low, the real data's as well." if part < FEWEST_OF_PART else ""
    yield subject.figure(
        "classifier-score", figure_name("classifier-score", subject.chosen), value, real, spread=spread,
        real_spread=real_spread, better="higher", spread_of=f"standard deviation of {SPLITS} parts",
        reference=NONE, reference_samples=0, note=f"The score lies between 1 and {len(subject.fake.logits.T):,}.{few}",
    )  # fmt: skip


def support(subject: Subject) -> Yielded:
    values = precision_recall(subject.reference.features, subject.fake.features)
    real = None if subject.real is None else precision_recall(subject.reference.features, subject.real.features)
    counts = {
        "samples": min(MOST, len(subject.fake)),
        "real_samples": 0 if subject.real is None else min(MOST, len(subject.real)),
        "reference_samples": min(MOST, len(subject.reference)),
    }
    for index, name in enumerate(("precision", "recall")):
        other = None if real is None else real[index]
        shown = figure_name(name, subject.chosen)
        yield subject.figure("precision-recall", shown, values[index], other, better="higher", **counts)


def judge(subject: Subject) -> Yielded:
    """How the run's own discriminator does on samples it has not seen."""
    if isinstance(subject.discriminator, str):
        yield subject.discriminator
        return
    fake = 1 - _called_real(subject, subject.fake)
    unseen, seen = (
        None if one is None else _called_real(subject, one) for one in map(subject.of_split, ("test", "train"))
    )
    about = {"features": "discriminator", "better": "real", "reference": NONE, "reference_samples": 0}
    held_out = subject.of_split("test")
    count = 0 if held_out is None else len(held_out)
    yield subject.figure(
        "discriminator", "D accuracy on generated samples", fake, None if unseen is None else 1 - unseen,
        **about, real_split="test", real_samples=count,
        note="Beside it the share of held-out real samples that it takes for generated ones.",
    )  # fmt: skip
    if unseen is not None:
        yield subject.figure(
            "discriminator", "D accuracy on held-out real samples", unseen, seen,
            **about, samples=count, real_split="train", real_samples=len(subject.of_split("train")),
            note="Beside it its accuracy on real samples that it was trained on.",
        )  # fmt: skip


def memory(subject: Subject) -> Yielded:
    """Median distance to the nearest training sample: far below the one of real samples, the generator copies."""
    train, test = subject.of_split("train"), subject.of_split("test")
    about = {
        "better": "real", "samples": min(NEIGHBOUR_QUERIES, len(subject.fake)), "real_split": "test",
        "real_samples": 0 if test is None else min(NEIGHBOUR_QUERIES, len(test)), "reference": "train",
        "note": "Median Euclidean distance; far below the one of real samples, the generator copies.",
    }  # fmt: skip

    def in_pixels(samples: SampleSet) -> float:
        queries = samples.batch(torch.arange(min(NEIGHBOUR_QUERIES, len(samples))))
        return float(nearest_samples(queries, subject.training).distances.median())

    def in_features(samples: SampleSet) -> float:
        return float(nearest(samples.features[:NEIGHBOUR_QUERIES], train.features).distances.median())

    searches = [("raw values", len(subject.training), in_pixels)]
    if train is not None:
        searches.append((subject.chosen.title, len(train), in_features))
    for title, count, search in searches:
        yield subject.figure(
            "neighbours", f"distance to the nearest training sample ({title})", search(subject.fake),
            None if test is None else search(test), **about, features=title, reference_samples=count,
        )  # fmt: skip


MEASURES: dict[str, Callable[[Subject], Yielded]] = {
    "frechet-distance": frechet,
    "kernel-distance": kernel,
    "classifier-score": score,
    "precision-recall": support,
    "ms-ssim": similarity,
    "per-class": per_class,
    "recognised": recognised,
    "discriminator": judge,
    "neighbours": memory,
}


def _called_real(subject: Subject, samples: SampleSet) -> float:
    """Whole batches only, of the size of its training, where there is one: batch norm sees nothing else."""
    size = min(subject.batch_size, len(samples))
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(subject.seed))
    batches = (
        (samples.batch(part), samples.labels[part] if subject.conditional else None)
        for part in order[: len(order) // size * size].split(size)
    )
    return share_called_real(subject.discriminator, batches, subject.turn)
