"""Kernel distance: squared maximum mean discrepancy under a cubic kernel (KID, arXiv 1801.01401), and its slot.

    MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),    k(x, y) = (x . y / F + 1)^3

over pairs of different samples. Unlike the Fréchet distance it is unbiased: its mean is 0 for equal distributions at
any number of samples, so single values may lie a little below 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganplay.metrics import metrics
from ganplay.metrics.live import FeatureMetric

SUBSETS, SUBSET = 50, 1_000  # the spread is that of the subsets; they share samples


def kernel_distance(first: Tensor, second: Tensor, seed: int = 0, subsets: int = SUBSETS) -> tuple[float, float]:
    """Mean and standard deviation of the distance over random subsets of features (n, F) and (m, F).

    A subset has 1,000 samples of each, or as many as there are.

    Raises:
        ValueError: fewer than two samples.
    """
    from torch_fidelity import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD
    from torch_fidelity.metric_kid import kid_features_to_metric

    size = min(SUBSET, len(first), len(second))
    if size < 2:
        raise ValueError(f"A kernel distance needs 2 samples or more of each; there is {size}.")
    whole = size == len(first) == len(second)  # then every subset is the same
    found = kid_features_to_metric(
        first.double(),  # single precision loses small distances between large kernel values
        second.double(),
        kid_subsets=1 if whole else subsets,
        kid_subset_size=size,
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,  # 1 / F
        kid_kernel_poly_coef0=1,
        rng_seed=seed,
        verbose=False,
    )
    return found[KEY_METRIC_KID_MEAN], found[KEY_METRIC_KID_STD]


@metrics.register("kernel-distance")
@dataclass(frozen=True)
class KernelDistance(FeatureMetric):
    """Kernel distance of features, fair with few samples; with those of Inception the KID. May be a little below 0."""

    title = "Kernel distance"
    metric = "kernel-distance"

    def score(self, real: Tensor, fake: Tensor, logits: Tensor | None) -> float:
        return kernel_distance(fake, real, subsets=10)[0]
