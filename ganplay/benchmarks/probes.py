"""What the statistics of every layer's gradients cost when they are taken in every step.

Each recipe trains in this process, in turns without and with a `GradientMeter` on both networks, as a run's recorder
has them. For comparison the same statistics are taken the usual way: layer by layer, each number read at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch
from torch import nn

from ganplay.benchmarks import Cell, Options, Table
from ganplay.probes.gradients import THRESHOLD, GradientMeter
from ganplay.recipe import Recipe
from ganplay.recipes import recipe as named
from ganplay.trainer import Step, train

RECIPES = ("duke-dcgan", "cs229-baseline", "kth-dcgan", "quick-digits", "toy-ring")
DATA = "digits"  # the numbers in the pictures change nothing here
COLUMNS = (
    "recipe", "gradients, 10^6", "step, ms", "statistics, ms", "share of a step, %", "step with / without",
    "lowest to highest", "the usual way, ms", "its share of a step, %",
)  # fmt: skip
NOTE = (
    "Statistics: for each layer of both networks the count of entries below the threshold and the L2 norm, gathered "
    "over the steps and read at the end. Medians over steps; the share divides by the step that came just before. "
    "The ratio compares the mean time of steps in windows that take turns, statistics included on one side. The usual "
    "way: flatten a layer's gradients into one, abs() < t, sum, norm, each read at once; taken once a window."
)


@dataclass
class Found:
    """Seconds, one value a step, or a window in `without` and `usual`.

    Attributes:
        without, with_it: mean time of a step in each window, `with_it` including the statistics.
        steps, statistics: of every step in the windows with statistics, apart.
        usual: the usual way, once a window.
    """

    without: list[float] = field(default_factory=list)
    with_it: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    statistics: list[float] = field(default_factory=list)
    usual: list[float] = field(default_factory=list)


def measure(options: Options) -> Table:
    """One row for each recipe.

    Raises:
        ValueError: a recipe is unknown or cannot be trained.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        rows, raw = [], []
        recipes = {name: named(name) for name in options.recipes or RECIPES}
        for name, recipe in recipes.items():
            options.say(f"{name}: statistics of gradients")
            entries, found = compare(recipe, options)
            rows.append(_row(name, entries, found))
            raw.append(_raw(found))
    finally:
        torch.set_num_threads(before)
    return Table("Statistics of all gradients in every step", NOTE, COLUMNS, tuple(rows), tuple(raw))


def compare(recipe: Recipe, options: Options) -> tuple[int, Found]:
    """Trains one recipe with and without statistics, taking turns; the number of its gradients, and the times."""
    steps = train(_endless(recipe))
    networks = _networks(next(steps))
    entries = sum(weight.numel() for network in networks for weight in network.parameters())
    found, seconds = Found(), options.seconds / options.windows
    meters = [GradientMeter(network) for network in networks]
    _window(steps, meters, 0.0)  # everything warm
    for _ in range(options.windows):
        took, _ = _window(steps, [], seconds)
        found.without.append(sum(took) / len(took))
        took, statistics = _window(steps, meters, seconds)
        found.with_it.append((sum(took) + sum(statistics)) / len(took))
        found.steps += took
        found.statistics += statistics
        found.usual.append(_usual(networks))
    return entries, found


def _endless(recipe: Recipe) -> Recipe:
    recipe = recipe.change({"stop_images": 10**10, "stop_seconds": 0, "stop_score": 0, "score_every": 0})
    if len(recipe.shapes.sample) == 1:
        return recipe
    return recipe.change({"dataset": DATA, "channels": recipe.shapes.sample[0]})


def _networks(step: Step) -> tuple[nn.Module, nn.Module]:
    return step.state.discriminator, step.state.generator


def _window(steps: Iterator[Step], meters: Sequence[GradientMeter], least: float) -> tuple[list[float], list[float]]:
    """Trains for at least `least` seconds and two steps; the seconds of each step and of its statistics."""
    took, statistics = [], []
    begun = time.perf_counter()
    while len(took) < 2 or time.perf_counter() - begun < least:
        started = time.perf_counter()
        next(steps)
        between = time.perf_counter()
        for meter in meters:
            meter.update()
        took.append(between - started)
        statistics.append(time.perf_counter() - between)
    for meter in meters:
        meter.read()
        meter.reset()
    return took, statistics


@torch.no_grad()
def _usual(networks: Sequence[nn.Module]) -> float:
    """Seconds of the same statistics as they are usually written."""
    started = time.perf_counter()
    for network in networks:
        for layer in network.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                flat = torch.cat([weight.grad.flatten() for weight in layer.parameters()])
                (flat.abs() < THRESHOLD).sum().item()
                flat.norm().item()
    return time.perf_counter() - started


def _row(name: str, entries: int, found: Found) -> tuple[Cell, ...]:
    ratios = [one / other for one, other in zip(found.with_it, found.without, strict=True)]
    share = median(one / other for one, other in zip(found.statistics, found.steps, strict=True))
    step, usual = median(found.steps), median(found.usual)
    return (
        name, entries / 1e6, 1e3 * step, 1e3 * median(found.statistics), 100 * share, median(ratios),
        f"{min(ratios):.2f} to {max(ratios):.2f}", 1e3 * usual, 100 * usual / step,
    )  # fmt: skip


def _raw(found: Found) -> dict[str, Any]:
    return {"unit": "seconds", **vars(found)}
