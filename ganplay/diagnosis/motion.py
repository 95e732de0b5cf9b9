"""How the curves move: oscillation, spikes of gradients, explosion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganplay.data.order import Order
from ganplay.data.resident import load
from ganplay.diagnosis.finding import Finding, Remedy
from ganplay.diagnosis.readings import NETWORKS, Readings, early_and_late, median
from ganplay.recipe import Recipe

FEWEST = 24  # points in the half that is searched for a period
PEAK = 0.6  # share of the variance in one frequency and its neighbours
SWING = 0.1  # deviation of the losses, as a share of the guessing loss, below which no swing counts
CYCLES = 3  # that fit into the searched half at least
SHORTEST = 4  # points of a period at least
SPIKE = 10.0  # how many times its layer's usual norm a spike is
AROUND = 10  # points on either side that say what is usual
OFTEN = 0.05  # share of the points with a spike, or a spike of HUGE times the usual norm: then it is trouble
HUGE = 50.0
WARM_UP = 0.05  # share of the points at the beginning in which nothing counts as a spike
EXPLODED = 100.0  # how many times the early size of losses
LARGE = 100.0  # how many times the guessing loss, or 1 for a critic, an exploded loss is at least
GROWN, LONG = 20.0, 100.0  # how many times its first length, and how long, an exploded gradient of a net is at least


@dataclass(frozen=True)
class Spike:
    """One layer's gradient that was far longer than that layer's usually is.

    Attributes:
        images: seen before and after the interval in which it happened; one round where the curves have a point for
            each.
        norm: the largest L2 norm of the interval.
        times: that norm over the median of the layer's mean norms around it.
    """

    network: str
    layer: str
    images: tuple[int, int]
    norm: float
    times: float


def spikes(run: Readings, times: float = SPIKE) -> list[Spike]:
    """Every interval of the curves in which a gradient is a spike, by its highest layer, the highest first.

    What is usual is the median of the layer's mean norms over the ten points on either side, for norms may grow in the
    course of a healthy run.
    """
    points, skipped = run.measured, max(1, int(len(run.measured) * WARM_UP))
    before = {now["images"]: then["images"] for then, now in zip(run.points, run.points[1:], strict=False)}
    highest: dict[int, Spike] = {}
    for network in NETWORKS:
        for layer in points[-1]["gradients"][network] if points else ():
            norms = [point["gradients"][network].get(layer, (0, 0, None))[2] for point in points]
            norms = [math.nan if norm is None else norm for norm in norms]
            for place in range(skipped, len(points)):
                norm = points[place].get("largest_gradients", {}).get(network, {}).get(layer)
                usual = median(norms[max(0, place - AROUND) : place + AROUND + 1])
                if norm is None or not usual > 0 or norm < times * usual:
                    continue
                images = points[place]["images"]
                spike = Spike(network, layer, (before.get(images, 0), images), norm, norm / usual)
                if place not in highest or spike.times > highest[place].times:
                    highest[place] = spike
    return sorted(highest.values(), key=lambda spike: -spike.times)


def batch_of(recipe: Recipe, spike: Spike) -> list[int]:
    """The places in the training split of the real samples that D saw in a spike's interval, in their order."""
    data = load(recipe.dataset, recipe.shapes.sample)
    first, last = spike.images
    return Order(len(data), recipe.seed).take(first, last - first).tolist()


def spiky(run: Readings) -> Finding | None:
    """Some gradient was ten times as long as is usual for its layer: a doubt, and trouble where it happens often."""
    found = spikes(run)
    if not found:
        return None
    top, count = found[0], len(run.measured)
    often = len(found) >= OFTEN * count or top.times >= HUGE
    return Finding(
        "spikes", "Gradients spike",
        f"In {len(found)} of {count} intervals a gradient is more than {SPIKE:g} times as long as is usual for its "
        f"layer. The highest is in {top.layer} of the {top.network}: {top.norm:.3g}, {top.times:,.0f} times the median "
        f"around it, between {top.images[0]:,} and {top.images[1]:,} images.",
        _calm(run), "trouble" if often else "doubt", top.images,
    )  # fmt: skip


def oscillates(run: Readings) -> Finding | None:
    """A loss swings with one period: three fifths of its variance in one frequency, over the last half of the points.

    The straight line through the points is taken off first; periods of fewer than four points, or of which fewer than
    three fit, do not count, and neither does a swing of less than a tenth of what guessing costs (of 1 for a critic).
    """
    share, deviation, period = losses_swing(run)
    size = max(map(abs, run.chance)) or 1.0
    if share < PEAK or deviation < SWING * size:
        return None
    count = len(run.points) - len(run.points) // 2
    step = (run.images[-1] - run.images[-count]) / (count - 1)
    return Finding(
        "oscillates", "The losses swing",
        f"A loss swings with a period of about {period * step:,.0f} images: {share:.0%} of its variance lies at that "
        f"one frequency, and its standard deviation is {deviation:.3g}.",
        _damp(run), "trouble", run.last_part(0.5),
    )  # fmt: skip


def losses_swing(run: Readings) -> tuple[float, float, float]:
    """Of the loss with the clearer period: the share of its variance there, its deviation, and the period in points."""
    found = [(0.0, 0.0, math.inf)]
    for name in ("generator_loss", "discriminator_loss"):
        values = run.series(name)
        values = values[len(values) // 2 :]
        if len(values) >= FEWEST and not any(map(math.isnan, values)):
            share, period = spectral_peak(values)
            found.append((share, _deviation(values), period))
    return max(found)


def spectral_peak(values: Sequence[float]) -> tuple[float, float]:
    """The largest share of the variance in one frequency and its two neighbours, and its period in points."""
    import numpy as np

    count, places = len(values), np.arange(len(values))
    rest = np.asarray(values) - np.polyval(np.polyfit(places, values, 1), places)
    power = np.abs(np.fft.rfft(rest * np.hanning(count))) ** 2
    total = power[1:].sum()
    lowest, highest = CYCLES, count // SHORTEST
    if total <= 0 or highest <= lowest:
        return 0.0, math.inf
    shares = [float(power[max(1, place - 1) : place + 2].sum() / total) for place in range(lowest, highest + 1)]
    best = max(range(len(shares)), key=shares.__getitem__)
    return shares[best], count / (best + lowest)


def explodes(run: Readings) -> Finding | None:
    """A loss grew a hundredfold, or G's whole gradient twentyfold, to sizes that no working GAN has."""
    limit = LARGE * (1.0 if run.recipe.loss.scores else max(map(abs, run.chance)))
    for name, whose in (("discriminator_loss", "D's loss"), ("generator_loss", "G's loss")):
        early, late = early_and_late([abs(value) for value in run.series(name)])
        if late >= limit and late >= EXPLODED * early:
            return _exploded(run, f"{whose} grew from {early:.3g} to {late:.3g} in size.")
    norms = run.norms("generator")
    if norms:
        first, late = norms[0], early_and_late(norms)[1]
        if late >= LONG and late >= GROWN * first:
            return _exploded(run, f"The gradient of all of G's weights together grew from {first:.3g} to {late:.3g}.")
    return None


def _exploded(run: Readings, evidence: str) -> Finding:
    return Finding(
        "explodes", "The numbers explode", evidence, remedies_for_explosion(run), "trouble", run.last_part(0.25)
    )


def remedies_for_explosion(run: Readings) -> tuple[Remedy, ...]:
    recipe, found = run.recipe, []
    if recipe.loss.kind == "wasserstein" and not recipe.penalties:
        found.append(Remedy("Keep the critic's slope near 1.", {"penalties": ["gradient-penalty"]}))
    elif any(penalty.kind == "weight-clip" for penalty in recipe.penalties):
        found.append(Remedy("Replace the clip by a gradient penalty.", {"penalties": ["gradient-penalty"]}))
    return (*found, *_slow(recipe))


def _calm(run: Readings) -> tuple[Remedy, ...]:
    found = []
    if not run.recipe.penalties and getattr(run.recipe.discriminator, "norm", "none") != "batch":
        found.append(Remedy("Keep D's slope small at real samples (R1).", {"penalties": ["r1"]}))
    return (*found, *_slow(run.recipe))


def _damp(run: Readings) -> tuple[Remedy, ...]:
    recipe = run.recipe
    momentum = {
        f"{owner}.{name}": 0.0
        for owner in ("generator_optimiser", "discriminator_optimiser")
        for name in ("beta1", "momentum")
        if getattr(getattr(recipe, owner), name, 0.0) > 0
    }
    found = []
    if "r1" not in [penalty.kind for penalty in recipe.penalties]:
        found.append(Remedy("Damp the circling with R1.", {"penalties": ["r1"]}))
    if momentum:
        found.append(Remedy("Take away the momentum, which overshoots.", momentum))
    return (*found, *_slow(recipe))


def _slow(recipe: Recipe) -> tuple[Remedy, ...]:
    paths = ("generator_optimiser", "discriminator_optimiser")
    rates = {f"{owner}.learning_rate": getattr(recipe, owner).learning_rate / 5 for owner in paths}
    return (Remedy("Let both learn five times more slowly.", rates),)


def _deviation(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
