"""What the child process computes: the figures, pictures of the samples, and their nearest training samples."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganplay import pictures
from ganplay.checkpoint import LoadedGenerator
from ganplay.data.resident import Samples, load
from ganplay.evaluation import evaluate
from ganplay.evaluations.asks import Ask, stamp
from ganplay.evaluations.worker import Progress
from ganplay.latent.noise import grid_size
from ganplay.latent.sampling import sample
from ganplay.metrics.features import rounded
from ganplay.metrics.neighbours import Neighbours, nearest_samples
from ganplay.randomness import generator_for
from ganplay.sources import open_source

QUERIES = 200  # samples whose nearest training samples are looked for, of each kind
SHOWN, NEAREST = 3, 3  # of each kind, and training samples beside each
DOTS = 1_000  # samples of a 2-D set in its picture
WIDEST = 640  # pixels of the picture of samples
FIGURES = 0.85  # share of the work that the figures are
SEARCHING = "Looking for the nearest training samples"
Pictures = dict[str, tuple[str, bytes]]


def work(ask: Ask, progress: Progress) -> tuple[dict[str, Any], Pictures]:
    """The result of an ask as plain JSON data, and its pictures by name.

    Raises:
        ValueError: the source or a setting is not allowed, or the generator makes no finite numbers.
    """
    torch.set_num_threads(1)
    for _ in range(3):  # a run that trains may save other weights between two of these lines
        before = stamp(ask)
        generator = open_source(ask.source)
        evaluation = evaluate(
            ask.source,
            samples=ask.samples,
            features=ask.features,
            reference=ask.reference,
            seed=ask.seed,
            progress=lambda sentence, share: progress(sentence if share < 1 else SEARCHING, FIGURES * share),
        )
        if evaluation.images == generator.images:
            break
    else:
        raise ValueError("The run saved other weights in the middle of it each time; evaluate once more.")
    progress(SEARCHING, FIGURES)
    near = neighbours(generator, ask.seed, lambda share: progress(SEARCHING, share))
    drawn: Pictures = {"samples": ("jpg", _jpeg(_sample_grid(generator, ask.seed)))}
    if near.tiles is not None:
        drawn["tiles"] = ("webp", _lossless(near.tiles))
    recipe = generator.recipe
    data = {"kind": recipe.dataset.kind, "title": recipe.dataset.title, "values": recipe.dataset.values()}
    result = {
        "stamp": before,
        "evaluation": evaluation.to_json(),
        "data": {**data, "shape": list(recipe.shapes.sample)},
        "neighbours": near.to_json(),
    }
    return result, drawn


@dataclass(frozen=True, eq=False)
class Near:
    """The nearest training samples of generated and of held-out real samples.

    Attributes:
        training: how many training samples were searched.
        generated, real: distance of each to its nearest training sample, Euclidean, value by value.
        rows: kind ("closest", "first" or "real") of a shown sample, distances and class names of its neighbours.
        tiles: for each row the sample and then its neighbours, without a gap; None for points.
    """

    training: int
    generated: list[float]
    real: list[float]
    rows: list[dict[str, Any]]
    tiles: Image.Image | None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, with the size of a tile."""
        side = None if self.tiles is None else [self.tiles.width // (NEAREST + 1), self.tiles.height // len(self.rows)]
        return {"training": self.training, "generated": self.generated, "real": self.real, "rows": self.rows,
                "tile": side}  # fmt: skip


def neighbours(generator: LoadedGenerator, seed: int, progress: Callable[[float], None]) -> Near:
    """The nearest training samples of the first samples of a seed, and of as many held-out real samples.

    Shown are the generated samples that come closest to a training sample, the first ones as they come, and the
    held-out real ones that come closest: how near two different real samples can be.
    """
    recipe = generator.recipe
    training, held_out = (load(recipe.dataset, recipe.shapes.sample, split) for split in ("train", "test"))
    made = rounded(sample(generator, seed, QUERIES))
    near_made = nearest_samples(made, training, NEAREST)
    progress((1 + FIGURES) / 2)
    order = torch.randperm(len(held_out), generator=generator_for(0, "held-out queries"))[:QUERIES]
    real = held_out.batch(order)[0]
    near_real = nearest_samples(real, training, NEAREST)
    shown = (
        ("closest", made, near_made, _closest(near_made)),
        ("first", made, near_made, torch.arange(SHOWN)),
        ("real", real, near_real, _closest(near_real)),
    )
    rows = [row for kind, _, near, places in shown for row in _rows(kind, near, places, training)]
    tiles = None
    if made.ndim == 4:
        lines = [line for _, samples, near, places in shown for line in _lines(samples, near, places, training)]
        tiles = Image.fromarray(pictures.to_bytes(torch.cat(lines, 1)[None])[0])
    distances = [[round(value, 4) for value in near.distances[:, 0].tolist()] for near in (near_made, near_real)]
    return Near(len(training), *distances, rows, tiles)


def _closest(near: Neighbours) -> Tensor:
    return near.distances[:, 0].argsort(stable=True)[:SHOWN]


def _rows(kind: str, near: Neighbours, places: Tensor, training: Samples) -> list[dict[str, Any]]:
    names, found = training.class_names, []
    for place in places.tolist():
        classes = [names[label] if names else "" for label in training.labels[near.indices[place]].tolist()]
        distances = [round(value, 4) for value in near.distances[place].tolist()]
        found.append({"kind": kind, "distances": distances, "classes": classes})
    return found


def _lines(queries: Tensor, near: Neighbours, places: Tensor, training: Samples) -> list[Tensor]:
    """A sample and its neighbours side by side, (C, H, 4 W) each."""
    return [torch.cat([queries[place], *training.batch(near.indices[place])[0]], 2) for place in places.tolist()]


def _sample_grid(generator: LoadedGenerator, seed: int) -> Image.Image:
    """The first samples of a seed: images in a grid, every pixel an equal square; points over held-out real ones."""
    recipe = generator.recipe
    shape = recipe.shapes.sample
    if len(shape) != 3:
        real = load(recipe.dataset, shape, "test").values[:DOTS]
        return pictures.scatter(sample(generator, seed, DOTS), real)
    count, columns = grid_size(recipe)
    drawn = pictures.grid(sample(generator, seed, count), columns)
    factor = max(1, WIDEST // drawn.width)
    return drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def _lossless(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()
