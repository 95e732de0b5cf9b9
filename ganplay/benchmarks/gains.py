"""What each part of the fast path is worth: training with all of them, and with each one left out.

All variants of a recipe live in this process and take turns, but for how memory is taken, which is a matter of whole
processes. Gains are ratios of the whole to the one without; they do not multiply to the whole, since one often makes
room for another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

import torch

from ganplay.acceleration import choose, prepare
from ganplay.benchmarks import Cell, Options, Table
from ganplay.benchmarks.children import Child
from ganplay.models.blocks import convolution
from ganplay.recipe import Recipe
from ganplay.recipes import recipe as named
from ganplay.state import State
from ganplay.trainer import Step, train

RECIPES = ("duke-dcgan", "cs229-baseline", "kth-dcgan", "quick-digits")
WARM = 3  # rounds of each variant before it counts
COLUMNS = ("recipe", "without", "images/s", "gain", "lowest to highest")
NOTE = (
    "'images/s' is the rate without the named part; the first row of a recipe is the whole. The gain is the whole over "
    "the rate without, in windows that take turns; medians."
)


@dataclass
class _Variant:
    """A way to train, with what to do before and after each of its windows."""

    steps: Iterator[Step]
    enter: Callable[[], None] = lambda: None
    leave: Callable[[], None] = lambda: None
    rates: list[float] = field(default_factory=list)


def measure(options: Options) -> Table:
    """Some rows for each recipe.

    Raises:
        ValueError: a recipe is unknown or cannot be trained.
    """
    before = torch.get_num_threads()
    rows = []
    try:
        for name in options.recipes or RECIPES:
            recipe = named(name).change({"stop_images": 10**10, "stop_seconds": 0, "score_every": 0})
            prepare(choose(recipe, options.threads))
            variants = _variants(recipe)
            options.say(f"{name}: {len(variants)} variants")
            for _ in range(WARM):
                _turn(variants, recipe, 0)
            for variant in variants.values():
                variant.rates.clear()
            for _ in range(options.windows):
                _turn(variants, recipe, options.seconds / options.windows)
            whole = variants["nothing"].rates
            rows += [_row(name, without, variant.rates, whole) for without, variant in variants.items()]
            options.say(f"{name}: 2 processes")
            whole, given_back = _processes(recipe, options)
            rows.append(_row(name, "memory kept, in large pages", given_back, whole))
    finally:
        torch.set_num_threads(before)
    return Table("What each gain is worth", NOTE, COLUMNS, tuple(rows))


def _row(name: str, without: str, rates: Sequence[float], whole: Sequence[float]) -> tuple[Cell, ...]:
    gains = [all_in / left for all_in, left in zip(whole, rates, strict=True)]
    return name, without, median(rates), median(gains), f"{min(gains):.2f} to {max(gains):.2f}"


def _processes(recipe: Recipe, options: Options) -> tuple[list[float], list[float]]:
    """Rates in windows that take turns, with memory kept and with memory given back."""
    rates: dict[str, list[float]] = {"ours": [], "ours, memory given back": []}
    with ExitStack() as stack:
        children = [stack.enter_context(Child(side, recipe, options.threads)) for side in rates]
        for child in children:
            child.ready()
            child.window(0.0, WARM)
        for _ in range(options.windows):
            for child in children:
                window = child.window(options.seconds / options.windows, 1)
                rates[child.side].append(window["images"] / window["seconds"])
    kept, given_back = rates.values()
    return kept, given_back


def _variants(recipe: Recipe) -> dict[str, _Variant]:
    found = {"nothing": _Variant(train(recipe))}
    if choose(recipe, 1).precision == "bf16":
        found["bf16"] = _Variant(train(recipe.change({"precision": "fp32"})))
    if recipe.fakes == "shared":
        found["shared fakes"] = _Variant(train(recipe.change({"fakes": "fresh"})))
    own = convolution.worth
    found["convolutions as products"] = _Variant(
        train(recipe), lambda: _set_worth(lambda *given: False), lambda: _set_worth(own)
    )
    found["one-pass optimisers"] = _Variant(train(recipe, state=_stepwise(State.initial(recipe))))
    found["channels last"] = _Variant(train(recipe, state=_channels_first(State.initial(recipe))))
    return found


def _turn(variants: dict[str, _Variant], recipe: Recipe, seconds: float) -> None:
    """One window of each variant: at least one round."""
    for variant in variants.values():
        variant.enter()
        try:
            rounds, started = 0, time.perf_counter()
            while not rounds or time.perf_counter() - started < seconds:
                next(variant.steps)
                rounds += 1
            took = time.perf_counter() - started
        finally:
            variant.leave()
        variant.rates.append(rounds * recipe.batch_size * recipe.critic_steps / took)


def _set_worth(rule: Callable[..., bool]) -> None:
    convolution.worth = rule


def _stepwise(state: State) -> State:
    """The state with optimisers that go from weight to weight, as torch's do by default on a processor."""
    for optimiser in (state.generator_optimiser, state.discriminator_optimiser):
        for group in optimiser.param_groups:
            group.update({"fused": None, "foreach": False} if "fused" in group else {"foreach": False})
    return state


def _channels_first(state: State) -> State:
    for network in (state.generator, state.average, state.discriminator):
        network.to(memory_format=torch.contiguous_format)
    return state
