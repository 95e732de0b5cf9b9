"""Samples beside the training images that lie nearest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from ganplay import pictures
from ganplay.contracts import Dataset
from ganplay.data.local import check_local, load_local, prepared
from ganplay.data.resident import Samples, ignore
from ganplay.drawings import Drawing, Model, drawings
from ganplay.latent.noise import LARGEST_SEED, class_index
from ganplay.latent.sampling import sample, turns
from ganplay.metrics.features import describe, feature_set, loaded, rounded
from ganplay.metrics.features import features as feature_sets
from ganplay.metrics.neighbours import nearest as nearest_rows
from ganplay.metrics.neighbours import nearest_samples
from ganplay.metrics.statistics import cached_path, real_samples
from ganplay.options import option

FEATURES = ("pixels", "classifier")
BLIND = {  # what every view of neighbours has to say, by what is compared
    "pixels": "The distance compares pixel with pixel: a training image that was mirrored, or shifted by a pixel or "
    "two, counts as far away. A large distance does not prove that nothing was copied.",
    "classifier": "The distance compares what a classifier sees: samples of one class lie close together whether they "
    "were copied or not, and what does not matter to the class is hardly compared.",
}
GAP = 3 * pictures.GAP  # pixels between samples and neighbours, beside a grid's own gaps
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Row:
    """A sample's neighbours, the nearest first.

    Attributes:
        sample: which of the seed's samples, from 0.
        indices: places in the training split.
        distances: Euclidean, between values of pixels in [-1, 1] or between features.
        classes: names of the neighbours' classes, empty strings where the data has none.
    """

    sample: int
    indices: tuple[int, ...]
    distances: tuple[float, ...]
    classes: tuple[str, ...]


@drawings.register("neighbours")
@dataclass(frozen=True)
class Neighbours(Drawing):
    """Each sample of a seed on the left, its nearest training images on the right, the nearest first.

    Nothing is downloaded. See `BLIND` for what a distance does not see, and `waiting` for what takes minutes.
    """

    title = "Neighbours"

    seed: int = option(0, "Seed of the samples.", low=0, high=LARGEST_SEED)
    count: int = option(5, "How many samples, a row for each.", low=1, high=64)
    nearest: int = option(5, "Training images beside each.", low=1, high=20)
    features: str = option("pixels", "What is compared: pixels, or what a bundled classifier sees.", choices=FEATURES)
    class_: str = option("", "Class that a conditional generator draws; empty goes through all of them.")

    def find(self, model: Model, progress: Progress = ignore) -> tuple[list[Row], Image.Image]:
        """The rows as data and as a picture.

        Raises:
            ValueError: the training images are not on this computer, no bundled classifier knows them, or the
                generator makes points.
        """
        training = _training(model, progress)
        label = class_index(model.recipe, self.class_) if self.class_ else None
        samples = rounded(sample(model, self.seed, self.count, label))  # as training images are stored
        indices, distances = self._search(model, samples, training, progress)
        names = training.class_names
        rows = [
            Row(
                place, tuple(near.tolist()), tuple(round(value, 4) for value in far.tolist()),
                tuple(names[label] if names else "" for label in training.labels[near].tolist()),
            )
            for place, (near, far) in enumerate(zip(indices, distances, strict=True))
        ]  # fmt: skip
        progress("Done", 1.0)
        return rows, _side_by_side(samples, training.batch(indices.flatten())[0], self.nearest)

    def draw(self, model: Model) -> Image.Image:
        return self.find(model)[1]

    def _search(self, model: Model, samples: Tensor, training: Samples, progress: Progress) -> tuple[Tensor, Tensor]:
        """Places in the training split and distances, (count, nearest) each."""
        if self.features == "pixels":
            progress(f"Comparing with {len(training):,} training images", 0.5)
            with turns:
                near = nearest_samples(samples, training, self.nearest)
            return near.indices, near.distances
        dataset, shape = model.recipe.dataset, model.recipe.shapes.sample
        kind = _classifier(dataset, shape)
        table = real_samples(dataset, shape, "train", kind, len(training), progress, turns)
        queries = describe(loaded(kind), [samples], len(samples), turn=turns).features
        near = nearest_rows(queries, table.features, self.nearest)
        return table.indices[near.indices], near.distances


def waiting(model: Model, features: str = "pixels") -> str:
    """Why neighbours would take long now, as a sentence for views to show before they begin; empty when they do not.

    Raises:
        ValueError: there will be none, as in `Neighbours.find`.
    """
    dataset, shape = model.recipe.dataset, model.recipe.shapes.sample
    _check_images(shape)
    kind = "" if features == "pixels" else _classifier(dataset, shape)
    if not prepared(dataset, shape, "train"):
        check_local(dataset, shape, "train")
        return f"The training images of {dataset.title} are decoded first, which takes up to a minute."
    count = len(load_local(dataset, shape, "train"))
    if not kind or dataset.bundled or cached_path(dataset, shape, "train", kind, count).is_file():
        return ""
    return f"The classifier has to look at {count:,} training images first, once, which takes minutes."


def _training(model: Model, progress: Progress = ignore) -> Samples:
    _check_images(model.recipe.shapes.sample)
    return load_local(model.recipe.dataset, model.recipe.shapes.sample, "train", progress)


def _check_images(shape: tuple[int, ...]) -> None:
    if len(shape) != 3:
        raise ValueError("Neighbours are shown for images; this generator makes points, which lie among the real ones.")


def _classifier(dataset: Dataset, shape: tuple[int, ...]) -> str:
    """The features of the bundled classifier that knows such images."""
    for kind in feature_sets:
        chosen = feature_set(kind)
        if chosen.has_logits and not chosen.standard and chosen.fits(dataset, shape) and chosen.available():
            return kind
    raise ValueError(f"No bundled classifier knows the images of {dataset.title}; compare pixels.")


def _side_by_side(samples: Tensor, neighbours: Tensor, nearest: int) -> Image.Image:
    """Samples (N, C, H, W) in a column, and the neighbours (N * nearest, C, H, W) of each in a row beside it."""
    left, right = pictures.grid(samples, 1), pictures.grid(neighbours, nearest)
    canvas = Image.new("RGB", (left.width + GAP + right.width, left.height), pictures.INK)
    canvas.paste(left, (0, 0))
    canvas.paste(right, (left.width + GAP, 0))
    return canvas
