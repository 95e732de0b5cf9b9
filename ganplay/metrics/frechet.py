"""Fréchet distance between Gaussians fitted to two sets of features (arXiv 1706.08500, eq. 6), and its training slot.

    d^2 = |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))

With the features of the 2015 Inception it is the FID. Few samples make it too large, the more so the more features
there are: the covariance of n samples has rank n - 1 at the most. Nothing is shrunk or corrected here, since the
corrected figures of two papers could not be compared; the figure of as many real samples stands beside it instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganplay.metrics import metrics
from ganplay.metrics.live import FeatureMetric
from ganplay.randomness import generator_for

RESAMPLES = 10  # of the bootstrap


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean (F,) and covariance (F, F) of a set of features, float64."""

    mean: Tensor
    covariance: Tensor


def gaussian(features: Tensor) -> Gaussian:
    """The moments of features (n, F), the covariance with 1 / (n - 1).

    Raises:
        ValueError: fewer than two samples.
    """
    from torch_fidelity.metric_fid import fid_features_to_statistics

    if len(features) < 2:
        raise ValueError(f"A covariance needs 2 samples or more; there is {len(features)}.")
    found = fid_features_to_statistics(features.double())
    return Gaussian(torch.from_numpy(found["mu"]), torch.from_numpy(np.atleast_2d(found["sigma"])))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """The squared Fréchet distance d^2 of two Gaussians, in the features' squared units; 0 for equal ones."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    statistics = [{"mu": one.mean.numpy(), "sigma": one.covariance.numpy()} for one in (first, second)]
    return max(0.0, fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID])  # rounding leaves -1e-13


def bootstrap_deviation(features: Tensor, reference: Gaussian, seed: int = 0) -> float:
    """Standard deviation of the distance over resamples of features (n, F), drawn with replacement."""
    random = generator_for(seed, "bootstrap")
    values = []
    for _ in range(RESAMPLES):
        drawn = torch.randint(len(features), (len(features),), generator=random)
        values.append(frechet_distance(gaussian(features[drawn]), reference))
    return float(np.std(values, ddof=1))


def class_distances(
    features: Tensor, labels: Tensor, reference: Tensor, reference_labels: Tensor, classes: list[int]
) -> list[float]:
    """The distance within each class, between features (n, F) and reference features (m, F) with labels (n,), (m,).

    Their mean is the score of document 004, section III.A.
    """
    return [
        frechet_distance(gaussian(features[labels == label]), gaussian(reference[reference_labels == label]))
        for label in classes
    ]


@metrics.register("frechet-distance")
@dataclass(frozen=True)
class FrechetDistance(FeatureMetric):
    """Fréchet distance of features; with those of Inception the FID. Reacts to quality and to variety."""

    title = "Fréchet distance"
    metric = "frechet-distance"

    def score(self, real: Tensor, fake: Tensor, logits: Tensor | None) -> float:
        return frechet_distance(gaussian(fake), gaussian(real))
