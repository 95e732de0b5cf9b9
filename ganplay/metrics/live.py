"""What the scores that compare features share when they watch a run: options, and the features of the real samples."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ganplay.contracts import Metric
from ganplay.metrics.features import BATCH, Description, describe, feature_set, features, figure_name, loaded
from ganplay.options import option

# Of the sets described last, by what they are: a run scores against the same real samples again and again.
_described: OrderedDict[tuple[str, str, str], Description] = OrderedDict()
_lock = threading.Lock()
KEPT = 4


class _Names(Sequence):
    """The names of all feature sets, looked up when somebody asks: to ask while modules are imported may deadlock."""

    def __len__(self) -> int:
        return len(features.names())

    def __getitem__(self, index: int) -> str:
        return features.names()[index]


@dataclass(frozen=True)
class FeatureMetric(Metric):
    """Base of the scores of features. A subclass has `metric`, the name of its figure, and `score`."""

    metric: ClassVar[str]

    features: str = option("pixels", "What samples are compared by.", choices=_Names())
    samples: int = option(1_000, "Samples behind one score, as many real and generated.", low=50, high=10_000)

    @property
    def name(self) -> str:
        """What the score is called, with its features: "FID" with Inception's, "FD (pixels)" and the like else."""
        return figure_name(self.metric, feature_set(self.features))

    def check(self) -> None:
        """Raises a ValueError when the features are not on this computer, for no run should wait for a download."""
        if not feature_set(self.features).available():
            raise ValueError(f"The features '{self.features}' of the metric are not on this computer; choose pixels.")

    def __call__(self, real: Tensor, fake: Tensor) -> float:
        """The score of `fake` (M, *sample) against `real` (N, *sample); NaN when a sample is not finite."""
        real, fake = real[: self.samples], fake[: self.samples]
        if not torch.isfinite(fake).all():
            return math.nan
        function = loaded(self.features)
        known = self._real(real)
        found = describe(function, fake.split(BATCH), len(fake))
        return self.score(known.features, found.features, found.logits)

    def score(self, real: Tensor, fake: Tensor, logits: Tensor | None) -> float:
        """The number for features (N, F) and (M, F), and the logits (M, K) of the generated samples."""
        raise NotImplementedError

    def _real(self, real: Tensor) -> Description:
        content = hashlib.sha256(real.contiguous().numpy().tobytes()).hexdigest()
        key = (self.features, feature_set(self.features).stamp(), content)
        with _lock:
            if key not in _described:
                _described[key] = describe(loaded(self.features), real.split(BATCH), len(real))
                while len(_described) > KEPT:
                    _described.popitem(last=False)
            _described.move_to_end(key)
            return _described[key]
