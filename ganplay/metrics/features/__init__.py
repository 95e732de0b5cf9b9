"""What samples are compared by: the registry of feature sets; each module of this folder adds one or a few.

Distances between sets of samples are distances between their features, so a figure means something only beside the name
of its features. Those of the 2015 Inception network have names of their own in the literature (FID, KID, IS), which no
other features may borrow (`figure_name`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganplay.contracts import Dataset
from ganplay.data.images import LUMA
from ganplay.data.resident import ignore
from ganplay.registry import Registry

features = Registry("feature set", __name__)

BATCH = 64  # samples described at once: the fastest on a core
Progress = Callable[[str, float], None]
_STANDARD = {"frechet-distance": "FID", "kernel-distance": "KID", "classifier-score": "IS"}
_PLAIN = {"frechet-distance": "FD", "kernel-distance": "kernel distance", "classifier-score": "classifier score"}


@dataclass(frozen=True)
class Description:
    """Features (N, F) of N samples, and the logits (N, K) of the network they come from, or None where it has none."""

    features: Tensor
    logits: Tensor | None = None


Describe = Callable[[Tensor], Description]  # samples (N, *sample), images in [-1, 1]


class FeatureSet:
    """One way to describe samples. Register a subclass; every method but `load` is quick and touches no network.

    Attributes:
        title: how figures name it, as in "FD (pixels)".
        standard: True only for the 2015 Inception network.
        has_logits: True when a classifier stands behind them.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    standard: ClassVar[bool] = False
    has_logits: ClassVar[bool] = False

    def available(self) -> bool:
        """True when `load` needs no network."""
        return True

    def fits(self, dataset: Dataset, shape: tuple[int, ...]) -> bool:
        """True when its features are meant for such samples; `choose` goes by it."""
        return False

    def stamp(self) -> str:
        """Changes whenever the features do: part of the name of what is cached."""
        return "1"

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the logits in their order; empty when they have none that a reader could use."""
        return ()

    def load(self, progress: Progress = ignore) -> Describe:
        """The function that describes samples.

        Raises:
            ValueError: its weights cannot be had; one sentence.
        """
        raise NotImplementedError


def feature_set(kind: str) -> FeatureSet:
    """The feature set of that name.

    Raises:
        ValueError: there is none; the sentence lists the known names.
    """
    return features[kind]()


def choose(dataset: Dataset, shape: tuple[int, ...]) -> str:
    """The features to compare samples of a data set by when nobody says otherwise.

    For images the 2015 Inception when its weights are on this computer; else a bundled classifier that was trained on
    such images: those of the digits and of MNIST for their own, that of CIFAR-10 for colour pictures; else the pixels.
    Clothes (Fashion-MNIST) are no digits, so they get their pixels; points get their coordinates.
    """
    able = [kind for kind in features if feature_set(kind).fits(dataset, shape) and feature_set(kind).available()]
    return min(able, key=lambda kind: not feature_set(kind).standard, default="pixels")


def figure_name(metric: str, chosen: FeatureSet) -> str:
    """What a figure is called: "FID" with Inception's features alone, "FD (pixels)" and the like with any other."""
    if metric in _STANDARD and chosen.standard:
        return _STANDARD[metric]
    return f"{_PLAIN.get(metric, metric)} ({chosen.title})"


_loaded: OrderedDict[tuple[str, str], Describe] = OrderedDict()
_loading = threading.Lock()


def loaded(kind: str, progress: Progress = ignore) -> Describe:
    """The describing function of a feature set, read once and kept for as long as its weights do not change.

    Raises:
        ValueError: there is no such set, or its weights cannot be had.
    """
    chosen = feature_set(kind)
    with _loading:
        key = (kind, chosen.stamp())
        if key not in _loaded:
            _loaded[key] = chosen.load(progress)
            while len(_loaded) > 2:
                _loaded.popitem(last=False)
        _loaded.move_to_end(key)
        return _loaded[key]


@torch.no_grad()
def describe(
    function: Describe,
    batches: Iterable[Tensor],
    total: int,
    progress: Callable[[float], None] | None = None,
    turn: AbstractContextManager | None = None,
) -> Description:
    """The description of many samples, given in batches.

    Images are first rounded to 256 levels, as real ones are stored: else a network could tell them by that alone.

    Args:
        batches: samples (n, *sample), `total` of them together.
        progress: called with the finished share.
        turn: entered for each batch, so that others who compute at the same time get theirs.

    Raises:
        ValueError: a sample is not a finite number.
    """
    found, done = [], 0
    for batch in batches:
        if not torch.isfinite(batch).all():
            raise ValueError("The samples are not finite numbers, so nothing can be measured; the training diverged.")
        with turn or nullcontext():
            found.append(function(rounded(batch)))
        done += len(batch)
        if progress is not None:
            progress(done / total)
    logits = None if found[0].logits is None else torch.cat([part.logits for part in found]).float()
    return Description(torch.cat([part.features for part in found]).float(), logits)


def rounded(samples: Tensor) -> Tensor:
    """Images (N, C, H, W) as they would be stored, at 256 levels in [-1, 1]; points (N, 2) as they are."""
    if samples.ndim != 4:
        return samples.float()
    return to_bytes(samples).float().div_(127.5).sub_(1.0)


def to_bytes(images: Tensor) -> Tensor:
    """Images (N, C, H, W) in [-1, 1] as uint8 of the same shape."""
    return images.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)


def resized(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Images (N, C, H, W) as (N, *shape): bicubic with antialiasing, grey by luma, colour by repetition."""
    if images.shape[1] == 3 and shape[0] == 1:
        images = (images * images.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    if tuple(images.shape[2:]) != shape[1:]:
        images = interpolate(images, shape[1:], mode="bicubic", antialias=True, align_corners=False).clamp(-1, 1)
    return images.expand(-1, shape[0], -1, -1)
