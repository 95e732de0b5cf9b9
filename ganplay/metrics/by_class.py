"""The figures of single classes, and of pairs within a class, with their means."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ganplay.metrics.features import figure_name
from ganplay.metrics.figure import NONE, Figure, Subject, Yielded, bias_note
from ganplay.metrics.frechet import class_distances
from ganplay.metrics.similarity import PAIRS, class_similarities, scales
from ganplay.metrics.statistics import SampleSet

FEWEST = 20  # samples of a class, below which nothing is said of it
Value = tuple[float, float | None]  # with its spread


def similarity(subject: Subject) -> Yielded:
    """MS-SSIM of random pairs within each class; high values beside those of real data mean collapsed classes."""
    shape = subject.fake.samples.values.shape[1:]
    count = scales(min(shape[1:])) if len(shape) == 3 else 0
    if count == 0:
        yield "MS-SSIM compares images of 11 pixels or more on a side, so there is none."
        return
    classes, _ = _classes(subject)
    about = {
        "better": "real", "features": "pixels", "reference": NONE, "reference_samples": 0,
        "spread_of": "standard error over pairs",
        "note": f"{count} of the 5 published scales fit {shape[1]} x {shape[2]} pixels; weights divided by their sum.",
    }  # fmt: skip

    def pairs(samples: SampleSet | None, labels: Tensor | None) -> tuple[list[Value], list[int]] | None:
        if samples is None:
            return None
        labels = labels if classes else torch.zeros(len(samples), dtype=torch.int64)
        images = samples.samples.values.index_select(0, samples.indices)
        sizes = [2 * min(PAIRS, int((labels == label).sum()) // 2) for label in classes or [0]]
        return class_similarities(images, labels, classes or [0], subject.seed), sizes

    known = subject.labels or (None, None, None)
    name = f"MS-SSIM within a {_class_word(subject)}" if classes else "MS-SSIM of any two samples"
    yield from _with_mean(
        subject, "ms-ssim", name, classes, pairs(subject.fake, known[0]), pairs(subject.real, known[2]), about
    )


def per_class(subject: Subject) -> Yielded:
    if subject.labels is None:
        yield subject.labelling
        return
    classes, sizes = _classes(subject)
    if not classes:
        yield f"No class has {FEWEST} samples of each kind, so there are no Fréchet distances of single classes."
        return
    fake = _class_frechet(subject, subject.fake, subject.labels[0], classes, sizes)
    real = _class_frechet(subject, subject.real, subject.labels[2], classes, sizes)
    reference = torch.bincount(subject.labels[1], minlength=len(subject.class_names))[classes].tolist()
    about = {"better": "lower", "note": bias_note(min(sizes + reference), subject.fake.features.shape[1])}
    name = f"{figure_name('frechet-distance', subject.chosen)} of a {_class_word(subject)}"
    yield from _with_mean(subject, "per-class", name, classes, fake, real, about, reference)
    left_out = [word for label, word in enumerate(subject.class_names) if label not in classes]
    if left_out:
        yield f"Fewer than {FEWEST} samples of {', '.join(left_out)}: left out, from the mean too."


def recognised(subject: Subject) -> Yielded:
    """How often the features' classifier finds in a sample the class that its generator was asked for."""
    if subject.labelling != "given":
        yield "The generator was asked for no class, so none can be recognised."
        return
    names = subject.class_names
    if subject.fake.logits is None or not set(names) <= set(subject.chosen.class_names):
        yield (
            f"The features '{subject.chosen.kind}' have no classifier for the classes of the data, so nobody says "
            "whether samples show the class that was asked for."
        )
        return
    columns = [subject.chosen.class_names.index(name) for name in names]

    def right(samples: SampleSet | None, labels: Tensor | None) -> Tensor | None:
        return None if samples is None else samples.logits[:, columns].argmax(1) == labels  # (n,)

    fake_labels, _, real_labels = subject.labels
    fake, real = right(subject.fake, fake_labels), right(subject.real, real_labels)
    about = {"better": "higher", "reference": NONE, "reference_samples": 0}
    name = f"recognised as the class asked for ({subject.chosen.title})"
    note = "Beside it the share of held-out real samples that the same classifier gives their own class."
    value, other = float(fake.float().mean()), None if real is None else float(real.float().mean())
    yield subject.figure("recognised", name, value, other, note=note, **about)
    for label, word in enumerate(names):
        of_class = fake[fake_labels == label]
        of_real = of_class[:0] if real is None else real[real_labels == label]
        if len(of_class):
            yield subject.figure(
                "recognised", f"{name}: {word}", float(of_class.float().mean()),
                float(of_real.float().mean()) if len(of_real) else None,
                group=word, samples=len(of_class), real_samples=len(of_real), **about,
            )  # fmt: skip


def _class_word(subject: Subject) -> str:
    return "class" if subject.labelling == "given" else "predicted class"


def _classes(subject: Subject) -> tuple[list[int], list[int]]:
    """The classes with enough samples of each kind, and of how many each set has at least in each."""
    if subject.labels is None:
        return [], []
    counts = [torch.bincount(one, minlength=len(subject.class_names)) for one in subject.labels if one is not None]
    enough = (torch.stack(counts).min(0).values >= FEWEST).nonzero().squeeze(1).tolist()
    compared = [one for place, one in enumerate(counts) if place != 1]  # not the reference, which may have more or less
    return enough, [int(torch.stack(compared).min(0).values[label]) for label in enough]


def _class_frechet(
    subject: Subject, samples: SampleSet | None, labels: Tensor | None, classes: list[int], sizes: list[int]
) -> tuple[list[Value], list[int]] | None:
    """With as many samples of each class from the generator as from the real data, on which the distance depends."""
    if samples is None:
        return None
    places = [(labels == label).nonzero().squeeze(1)[:size] for label, size in zip(classes, sizes, strict=True)]
    kept = torch.cat(places)
    reference = subject.reference.features
    distances = class_distances(samples.features[kept], labels[kept], reference, subject.labels[1], classes)
    return [(distance, None) for distance in distances], sizes


def _with_mean(
    subject: Subject,
    metric: str,
    name: str,
    classes: list[int],
    fake: tuple[list[Value], list[int]],
    real: tuple[list[Value], list[int]] | None,
    about: dict[str, object],
    reference: list[int] | None = None,
) -> Iterator[Figure]:
    """The mean over classes where there are several, then a figure for each; without classes the one there is.

    Args:
        fake, real: the value and the number of samples in each class.
        reference: the number of reference samples in each class, where some are compared with.
    """
    values, sizes = fake
    reference = reference or [0] * len(values)
    others, other_sizes = real or ([(None, None)] * len(values), [0] * len(values))
    if len(values) > 1:
        mean, spread = _moments(values)
        other_mean, other_spread = _moments(others) if real else (None, None)
        yield subject.figure(
            metric, f"{name}, mean", mean, other_mean,
            **{**about, "spread": spread, "real_spread": other_spread, "samples": sum(sizes),
               "real_samples": sum(other_sizes), "reference_samples": sum(reference),
               "spread_of": f"standard deviation of {len(values)} classes"},
        )  # fmt: skip
    groups = [subject.class_names[label] for label in classes] or [""]
    for group, (value, spread), size, (other, other_spread), other_size, compared in zip(
        groups, values, sizes, others, other_sizes, reference, strict=True
    ):
        yield subject.figure(
            metric, f"{name}: {group}" if group else name, value, other, spread=spread, real_spread=other_spread,
            group=group, **{**about, "samples": size, "real_samples": other_size, "reference_samples": compared},
        )  # fmt: skip


def _moments(values: list[Value]) -> tuple[float, float]:
    known = torch.tensor([value for value, _ in values], dtype=torch.float64)
    return float(known.mean()), float(known.std())
