"""One figure of an evaluation, and the samples that figures are computed from.

Beside every figure stands the same figure for real data: real samples that the generator's samples are not compared
with take their place, as many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from torch import Tensor

from ganplay.contracts import Critique
from ganplay.data.resident import Samples
from ganplay.metrics.features import FeatureSet
from ganplay.metrics.statistics import SampleSet

NONE = "none"


@dataclass(frozen=True)
class Figure:
    """One number and all that it needs to be understood.

    Attributes:
        metric: the measure, a key of `figures.MEASURES`.
        name: what it is called, with the features where it has some.
        value, spread: the generator's figure, and its spread where it has one.
        real, real_spread: the same for real samples of the split `real_split`, or None.
        features: what samples were compared by.
        samples, real_samples: how many generated and how many real ones it is about.
        reference, reference_samples: the split compared with and how many samples of it, "none" and 0 without one.
        better: "lower", "higher", or "real" when the best value is that of real data.
        group: the class it is about, empty for all together.
        spread_of: what the spread is.
        note: what a reader must know beside it.
    """

    metric: str
    name: str
    value: float
    spread: float | None
    real: float | None
    real_spread: float | None
    features: str
    samples: int
    real_samples: int
    real_split: str
    reference: str
    reference_samples: int
    better: str
    group: str = ""
    spread_of: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Subject:
    """What is measured.

    Attributes:
        chosen: the feature set.
        fake: the generator's samples.
        reference: the real samples to compare with, of the split `reference_split`.
        real: samples of the other split, or None when it has too few to say anything.
        training: the whole training split.
        labels: of fake, reference and real, int64 (n,) each; None when there are none.
        labelling: "given" labels of the data and the generator, those "predicted" by the features' classifier, or the
            sentence why there are none.
        class_names: in label order.
        discriminator: judges samples and labels, or the sentence why there is none.
        batch_size: of the discriminator's training.
        conditional: True when generator and discriminator are told the labels.
        turn: entered around heavy work on a batch.
    """

    chosen: FeatureSet
    fake: SampleSet
    reference: SampleSet
    real: SampleSet | None
    training: Samples
    reference_split: str
    labels: tuple[Tensor, Tensor, Tensor | None] | None
    labelling: str
    class_names: tuple[str, ...]
    discriminator: Callable[..., Critique] | str
    batch_size: int
    conditional: bool
    seed: int
    turn: AbstractContextManager | None = None

    @property
    def real_split(self) -> str:
        return "test" if self.reference_split == "train" else "train"

    def of_split(self, split: str) -> SampleSet | None:
        """The described real samples of a split."""
        return self.reference if split == self.reference_split else self.real

    def figure(self, metric: str, name: str, value: float, real: float | None, **about: object) -> Figure:
        """A figure with what most have in common; `about` replaces any of it."""
        common: dict[str, object] = {
            "spread": None,
            "real_spread": None,
            "features": self.chosen.title,
            "samples": len(self.fake),
            "real_samples": 0 if self.real is None else len(self.real),
            "real_split": self.real_split,
            "reference": self.reference_split,
            "reference_samples": len(self.reference),
        }
        return Figure(metric=metric, name=name, value=value, real=real, **{**common, **about})


Yielded = Iterator[Figure | str]


def bias_note(samples: int, width: int) -> str:
    """What a reader must know of a Fréchet distance of so many samples and features, empty when all is well."""
    if samples > width:
        return ""
    return (
        f"{samples:,} samples for {width:,} features: the covariance is singular and the distance far too large, the "
        "real data's as well; compare it with that one only."
    )
