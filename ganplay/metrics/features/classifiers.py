"""The bundled classifiers as features: the last maps before the linear layer, averaged over their positions."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from torch import Tensor

from ganplay import paths
from ganplay.contracts import Dataset
from ganplay.data.resident import ignore
from ganplay.metrics.features import Describe, Description, FeatureSet, Progress, features, resized


class ClassifierFeatures(FeatureSet):
    """Base of the feature sets that `ganplay.classifiers.store` can load under their own name."""

    has_logits = True
    datasets: ClassVar[tuple[str, ...]]  # whose images it was trained on, or that look alike
    colour: ClassVar[bool]  # True when it says little about grey images
    classes: ClassVar[tuple[str, ...]]

    def available(self) -> bool:
        from ganplay.classifiers import store

        return self.kind in store.names()

    def fits(self, dataset: Dataset, shape: tuple[int, ...]) -> bool:
        return len(shape) == 3 and dataset.kind in self.datasets and (shape[0] == 3 or not self.colour)

    def stamp(self) -> str:
        try:  # the configuration holds the checksum of the weights
            content = (paths.bundled_checkpoints() / self.kind / "config.json").read_bytes()
        except OSError:
            return "missing"
        return hashlib.sha256(content).hexdigest()[:16]

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.classes

    def load(self, progress: Progress = ignore) -> Describe:
        from ganplay.classifiers import store

        network = store.load(self.kind)
        shape = tuple(network.config.shape)

        def describe(images: Tensor) -> Description:
            if images.ndim != 4:
                raise ValueError(f"The features '{self.kind}' need images; these samples are points. Use pixels.")
            found = network.features(resized(images, shape))
            return Description(found, network.classify(found))

        return describe


@features.register("digits-classifier")
class DigitsFeatures(ClassifierFeatures):
    """For the embedded digits, at their own 8x8: MNIST's classifier takes nearly all of them for 0, 4 and 8."""

    title = "digits classifier"
    datasets = ("digits", "few-digits")
    colour = False
    classes = tuple("0123456789")


@features.register("mnist-classifier")
class MnistFeatures(ClassifierFeatures):
    """For the handwritten digits of MNIST."""

    title = "MNIST classifier"
    datasets = ("mnist",)
    colour = False
    classes = tuple("0123456789")


@features.register("cifar10-classifier")
class Cifar10Features(ClassifierFeatures):
    """For CIFAR-10 and, for want of better, for other colour pictures."""

    title = "CIFAR-10 classifier"
    datasets = ("cifar10", "pictures")
    colour = True
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
