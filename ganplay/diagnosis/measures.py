"""What samples of a trained state say beside the curves: variety, modes, labels, copies, checkerboards.

Every measure is a plain number under a fixed name, for tables and for `ganplay.diagnosis.samples`; one that makes no
sense for a recipe is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganplay.data.resident import Samples, load
from ganplay.diagnosis import digits
from ganplay.latent.noise import draw, fixed_labels
from ganplay.metrics.discriminator import share_called_real
from ganplay.metrics.modes import SAMPLES, mode_counts
from ganplay.metrics.neighbours import nearest_samples
from ganplay.metrics.similarity import class_similarities, scales
from ganplay.randomness import generator_for
from ganplay.recipe import Recipe
from ganplay.state import State

COMPARED = 512  # samples behind each measure of images
PART = 256
HELD_OUT = 256  # real samples that D has not seen


@torch.no_grad()
def fakes(state: State, count: int, seed: int = 0, average: bool = False) -> tuple[Tensor, Tensor | None]:
    """Samples (count, *sample) of the generator that trains, or of its average, and the labels it was asked for."""
    recipe = state.recipe
    z, y = draw(recipe, count, generator_for(seed, "diagnosis")), fixed_labels(recipe, count)
    network = state.average if average else state.generator
    training = network.training
    network.eval()
    try:
        parts = [slice(start, start + PART) for start in range(0, count, PART)]
        return torch.cat([network(z[part], None if y is None else y[part]) for part in parts]), y
    finally:
        network.train(training)


def measures(state: State, seed: int = 0) -> dict[str, float]:
    """All measures that fit a state's recipe; empty when its samples are no finite numbers.

    Raises:
        ValueError: the data cannot be had.
    """
    recipe = state.recipe
    real = load(recipe.dataset, recipe.shapes.sample)
    flat = len(recipe.shapes.sample) == 1
    made, y = fakes(state, SAMPLES if flat else COMPARED, seed, average=True)
    if not torch.isfinite(made).all():
        return {}
    known = _some(real, len(made), seed)
    found = {"variety": variety(made[:COMPARED], known[:COMPARED])}
    if hasattr(recipe.dataset, "centres"):
        found |= modes(made, recipe)
    if not flat:
        found |= checkerboard(made, known)
        found |= digits.measured(recipe, made, y)
        found |= copies(made, real, recipe)
    if y is not None and not flat and scales(recipe.shapes.sample[-1]):
        found |= class_similarity(made, y, real, recipe.shapes.classes)
    if not recipe.loss.scores:
        found |= judged(state, real)
    return found


def variety(made: Tensor, known: Tensor) -> float:
    """The mean distance of two generated samples over that of two real ones: 1 for equal variety, 0 for one sample."""
    half = min(len(made), len(known)) // 2

    def spread(samples: Tensor) -> float:
        return float((samples[:half] - samples[half : 2 * half]).flatten(1).norm(dim=1).mean())

    return spread(made) / max(spread(known), 1e-12)


def modes(made: Tensor, recipe: Recipe) -> dict[str, float]:
    """Modes covered, how many there are, share of high quality, and the reverse KL over modes (`metrics.modes`)."""
    counts = mode_counts(made, torch.as_tensor(recipe.dataset.centres()), recipe.dataset.sigma)
    return {
        "modes": counts.covered,
        "modes_of": counts.of,
        "high_quality": counts.high_quality,
        "reverse_kl": counts.reverse_kl,
    }


def class_similarity(made: Tensor, y: Tensor, real: Samples, classes: int) -> dict[str, float]:
    """Mean MS-SSIM of pairs within a class (`metrics.similarity`), generated and real; near 1 where all look alike."""
    labels = [label for label in range(classes) if min(int((y == label).sum()), int((real.labels == label).sum())) >= 4]
    if not labels:
        return {}
    ours, theirs = (
        sum(value for value, _ in class_similarities(images, kinds, labels)) / len(labels)
        for images, kinds in ((made, y), (real.values, real.labels))
    )
    return {"ms_ssim": ours, "ms_ssim_real": theirs}


def checkerboard(made: Tensor, known: Tensor) -> dict[str, float]:
    """The share of pixels' variance that changes sign from pixel to pixel, generated and real."""
    return {"checkerboard": alternating(made), "checkerboard_real": alternating(known)}


def alternating(images: Tensor) -> float:
    """The share of the power (without the mean) of images (N, C, H, W) at the highest frequency, along either axis.

    A stride of 2 leaves a pattern of period 2; in the spectrum it stands in the row and the column of frequency 1/2.
    """
    power = torch.fft.fft2(images.double() - images.double().mean((2, 3), keepdim=True)).abs().square().sum((0, 1))
    height, width = power.shape
    row, column = power[height // 2].sum(), power[:, width // 2].sum()
    return float((row + column - power[height // 2, width // 2]) / power.sum().clamp(min=1e-12))


def copies(made: Tensor, real: Samples, recipe: Recipe) -> dict[str, float]:
    """How near samples lie to training samples, as a share of how near unseen real samples do: 0 for exact copies."""
    unseen = _unseen(recipe)
    ours = nearest_samples(made[:HELD_OUT], real).distances.median()
    theirs = nearest_samples(unseen, real).distances.median()
    return {"distance_to_training": float(ours / theirs.clamp(min=1e-12))}


def judged(state: State, real: Samples) -> dict[str, float]:
    """The share of real samples that D calls real: of those it learnt from, and of held-out ones."""
    recipe, net = state.recipe, state.discriminator
    held = load(recipe.dataset, recipe.shapes.sample, "test")

    def share(samples: Samples) -> float:
        chosen = torch.randperm(len(samples), generator=generator_for(0, "judged"))[:HELD_OUT]
        x, y = samples.batch(chosen)
        return share_called_real(net, [(x, y if recipe.conditional else None)])

    training = net.training
    net.eval()  # dropout off; batch norm by its running statistics, which mix real and generated samples
    try:
        return {"called_real_seen": share(real), "called_real_unseen": share(held)}
    finally:
        net.train(training)


def _unseen(recipe: Recipe) -> Tensor:
    return _some(load(recipe.dataset, recipe.shapes.sample, "test"), HELD_OUT, 0)


def _some(samples: Samples, count: int, seed: int) -> Tensor:
    return samples.batch(torch.randperm(len(samples), generator=generator_for(seed, "real"))[:count])[0]
