"""Classifier score: how sure a classifier is of each sample and how varied its answers are (IS, arXiv 1606.03498).

    exp( E_x KL( p(y | x) || p(y) ) ),    between 1 and the number of classes

It is the Inception score when the classifier is the 2015 Inception. It never looks at real samples: those of other
classes than the classifier's score low, and a perfect copy of one sample of each class scores highest.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganplay.metrics import metrics
from ganplay.metrics.features import feature_set
from ganplay.metrics.live import FeatureMetric

SPLITS = 10


def classifier_score(logits: Tensor, splits: int = SPLITS, seed: int = 0) -> tuple[float, float]:
    """Mean and standard deviation of the score over parts of logits (n, K), shuffled.

    Raises:
        ValueError: fewer samples than parts.
    """
    from torch_fidelity import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD
    from torch_fidelity.metric_isc import isc_features_to_metric

    if len(logits) < splits:
        raise ValueError(f"A score over {splits} parts needs {splits} samples or more; there are {len(logits)}.")
    found = isc_features_to_metric(logits, splits=splits, shuffle=True, rng_seed=seed)
    return found[KEY_METRIC_ISC_MEAN], found[KEY_METRIC_ISC_STD]


@metrics.register("classifier-score")
@dataclass(frozen=True)
class ClassifierScore(FeatureMetric):
    """1 / classifier score, so that smaller is better, as it is for every other metric. Pixels have no classifier."""

    title = "1 / classifier score"
    metric = "classifier-score"

    def check(self) -> None:
        super().check()
        if not feature_set(self.features).has_logits:
            raise ValueError(f"The features '{self.features}' have no classifier; choose mnist-classifier or the like.")

    @property
    def name(self) -> str:
        return f"1 / {super().name}"

    def score(self, real: Tensor, fake: Tensor, logits: Tensor | None) -> float:
        if logits is None:
            raise ValueError(f"The features '{self.features}' have no classifier; choose mnist-classifier or the like.")
        return 1 / classifier_score(logits)[0]
