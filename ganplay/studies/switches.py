"""The switches of a feature study: each turns one thing of a base recipe. One entry of `SWITCHES` adds one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ganplay.augment import AUGMENTATIONS
from ganplay.building import check
from ganplay.recipe import Recipe

Changes = Mapping[str, Any]
NETWORKS = ("generator", "discriminator")
ADVANTAGE = 4.0  # D's learning rate in units of G's with two time scales, as in arXiv 1805.08318, section 4


@dataclass(frozen=True)
class Switch:
    """One thing that a study turns.

    Attributes:
        name: in flags, links and files; lower case with hyphens.
        title: what a legend calls it.
        source: where it is described or used: a document's section or an arXiv id.
        changes: settings by path as `Recipe.change` takes them, or what makes them of the base.
        note: what a reader of its score must know beside it.
    """

    name: str
    title: str
    source: str
    changes: Changes | Callable[[Recipe], Changes]
    note: str = ""

    def of(self, base: Recipe) -> dict[str, Any]:
        """The changes that turn it on in `base`.

        Raises:
            ValueError: it does not fit this base; one sentence says why.
        """
        changes = dict(self.changes(base) if callable(self.changes) else self.changes)
        changed = base.change(changes)
        if changed == base:
            raise ValueError(f"The base has '{self.title}' already, so there is nothing to compare.")
        if any("." in path and path.split(".")[0] in NETWORKS for path in changes):
            check(changed)
        return changes


def switch(name: str) -> Switch:
    """The switch called `name`.

    Raises:
        ValueError: there is none; the sentence lists the known names.
    """
    for one in SWITCHES:
        if one.name == name:
            return one
    raise ValueError(f"There is no switch '{name}'; choose from {', '.join(one.name for one in SWITCHES)}.")


def fitting(base: Recipe) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """By name: the changes of every switch that fits `base`, and why each of the others does not."""
    fit, unfit = {}, {}
    for one in SWITCHES:
        try:
            fit[one.name] = one.of(base)
        except ValueError as error:
            unfit[one.name] = str(error)
    return fit, unfit


def _sigmoid(base: Recipe) -> Changes:
    if len(base.shapes.sample) == 1:
        raise ValueError("A sigmoid ends at -1 and 1, and the coordinates of these points do not.")
    return {"generator.output": "sigmoid"}


def _augmented(base: Recipe) -> Changes:
    if len(base.shapes.sample) == 1:
        raise ValueError("DiffAugment changes images; these samples are points, which stay as they are.")
    return {"augment": AUGMENTATIONS[1:]}


def _rates(base: Recipe, ratio: float) -> Changes:
    """D's learning rate `ratio` times G's, with the geometric mean of the base's two."""
    mean = math.sqrt(base.generator_optimiser.learning_rate * base.discriminator_optimiser.learning_rate)
    return {
        "generator_optimiser.learning_rate": _short(mean / math.sqrt(ratio)),
        "discriminator_optimiser.learning_rate": _short(mean * math.sqrt(ratio)),
    }


def _rmsprop(base: Recipe) -> Changes:
    return {
        "generator_optimiser": "rmsprop",
        "generator_optimiser.learning_rate": base.generator_optimiser.learning_rate,
        "discriminator_optimiser": "rmsprop",
        "discriminator_optimiser.learning_rate": base.discriminator_optimiser.learning_rate,
    }


def _short(value: float) -> float:
    return float(f"{value:.3g}")


DOCUMENT = "document 002, section 4.2"
SWITCHES = (
    Switch("sigmoid", "sigmoid as last activation", DOCUMENT, _sigmoid),
    Switch("uniform", "uniform noise z", DOCUMENT, {"noise": "uniform"}),
    Switch("dropout", "dropout: D 0.5, G 0.2", DOCUMENT, {"discriminator.dropout": 0.5, "generator.dropout": 0.2}),
    Switch("flipped", "10 % flipped labels", DOCUMENT, {"flip_labels": 0.1}),
    Switch(
        "critic-twice", "D updated twice as often", "document 002, section 2.3", {"critic_steps": 2},
        "At equal images seen its generator is updated half as often.",
    ),
    Switch(
        "generator-twice", "G updated twice as often", "document 002, section 2.3", {"generator_steps": 2},
        "At equal images seen its generator is updated twice as often, which takes longer.",
    ),
    Switch("batch-norm", "batch norm in D", "arXiv 1511.06434, section 3", {"discriminator.norm": "batch"}),
    Switch("no-norm", "no norm in D", "arXiv 1511.06434, section 3", {"discriminator.norm": "none"}),
    Switch("spectral-norm", "spectral norm in D", "arXiv 1802.05957", {"discriminator.spectral_norm": True}),
    Switch("augmentation", "DiffAugment: translation, cutout", "arXiv 2006.10738", _augmented),
    Switch("no-average", "no average of G (EMA)", "arXiv 1806.04498", {"ema_decay": 0.0}),
    Switch(
        "two-rates", "D learns 4 times as fast as G", "arXiv 1706.08500; 1805.08318, section 4",
        lambda base: _rates(base, ADVANTAGE), "Both rates change: their geometric mean stays the base's.",
    ),
    Switch(
        "equal-rates", "equal learning rates", "arXiv 1706.08500", lambda base: _rates(base, 1.0),
        "Both rates change: their geometric mean stays the base's.",
    ),
    Switch("rmsprop", "RMSprop in both", "arXiv 1701.07875", _rmsprop, "The learning rates stay the base's."),
    Switch(
        "momentum", "Adam with beta1 = 0.9", "document 002, section 3.1.1; arXiv 1511.06434, section 4",
        {"generator_optimiser.beta1": 0.9, "discriminator_optimiser.beta1": 0.9},
    ),
)  # fmt: skip
