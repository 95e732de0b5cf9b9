"""The samples themselves as features: what is left for data that no classifier knows.

Such distances see brightness, place and stroke width, not content. Large pictures are first made small, so that a
covariance has at most 3 * 16 * 16 = 768 rows and can be estimated from some thousand samples.
"""

from __future__ import annotations

from torch import Tensor

from ganplay.data.resident import ignore
from ganplay.metrics.features import Describe, Description, FeatureSet, Progress, features, resized

SIDE = 16


@features.register("pixels")
class Pixels(FeatureSet):
    """Values of the pixels at no more than 16 x 16, or the coordinates of points."""

    title = "pixels"

    def load(self, progress: Progress = ignore) -> Describe:
        return _describe


def _describe(samples: Tensor) -> Description:
    if samples.ndim == 4:
        channels, height, width = samples.shape[1:]
        samples = resized(samples, (channels, min(height, SIDE), min(width, SIDE)))
    return Description(samples.flatten(1))
