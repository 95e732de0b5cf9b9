"""How good a generator is at this moment, against held-out points; the same latents every time, so the same state gives
the same numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from ganplay.contracts import Dataset
from ganplay.latent.noise import draw
from ganplay.metrics.divergence import divergences
from ganplay.metrics.modes import SAMPLES, mode_counts
from ganplay.playground.groups import points
from ganplay.playground.past import number
from ganplay.playground.world import World, fakes_of
from ganplay.randomness import generator_for

COMPARED = 600  # points of each cloud behind KL and JS: 14 ms, and a standard error of 0.04 nats


@dataclass(frozen=True)
class Measures:
    """What is said of a generator; None where the data have no modes to count, or the fakes are no numbers.

    Attributes:
        kl, js: KL(real || fake) and JS(real, fake) in nats, `ganplay.metrics.divergence`.
        modes, of: modes covered by 2,500 samples, `ganplay.metrics.modes`.
        high_quality: share of the samples within three standard deviations of a mode.
        reverse_kl: of the samples' distribution over modes, in nats.
    """

    kl: float | None
    js: float | None
    modes: int | None = None
    of: int | None = None
    high_quality: float | None = None
    reverse_kl: float | None = None

    def to_json(self) -> dict[str, float | int | None]:
        return asdict(self)


def measure(world: World) -> list[Measures]:
    """Every member, as it is now: the generator that is being trained, not its average."""
    recipes = world.recipes
    latents = [draw(recipe, SAMPLES, generator_for(recipe.seed, "playground measures")) for recipe in recipes]
    made = fakes_of(world, latents)
    return [of_points(recipe.dataset, fakes) for recipe, fakes in zip(recipes, made, strict=True)]


def of_points(dataset: Dataset, fakes: Tensor) -> Measures:
    """The measures of fakes (2,500, 2) of a data set."""
    found = divergences(points(dataset, "test").values[:COMPARED], fakes[:COMPARED])
    kl, js = number(found.kl), number(found.js)
    sigma = getattr(dataset, "sigma", 0.0)
    if not hasattr(dataset, "centres") or not sigma:
        return Measures(kl, js)
    counts = mode_counts(fakes, torch.from_numpy(dataset.centres()), sigma)
    return Measures(kl, js, counts.covered, counts.of, counts.high_quality, number(counts.reverse_kl))
