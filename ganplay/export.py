"""A run's generator as a model folder that others can load: the layout of a repository on the Hugging Face Hub.

`config.json` (recipe, images seen), `model.safetensors` (averaged generator, weights in half precision),
`discriminator.safetensors` where it was asked for, `README.md` (model card), `metrics.json` (thinned curves, gradient
statistics, scores), `samples.webp` (drawn by the stored weights).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor, nn

from ganplay import pictures
from ganplay.card import Export, base_of, card, document_of
from ganplay.checkpoint import MODEL_FORMAT, LoadedGenerator, load_discriminator, load_generator
from ganplay.data.resident import ignore, load
from ganplay.evaluation import SAMPLES, Progress
from ganplay.files import write_atomically
from ganplay.latent.noise import grid_size
from ganplay.latent.sampling import sample
from ganplay.layout import CONFIG, DISCRIMINATOR, GENERATOR, PIECE_BYTES, pieces
from ganplay.scores import measure
from ganplay.sources import RUN, open_source
from ganplay.tensors import write_pieces

if TYPE_CHECKING:
    from ganplay.runs.store import Run

POINTS = 100  # of each curve in metrics.json, beside those with a score
GRADIENTS = 40  # points with statistics of each layer, most of the file's bytes
DIGITS = 5  # significant ones of a number
_DOTS = 1_000  # samples of a 2-D set in samples.webp
_LARGE, _COLUMNS, _ROWS = 64, 5, 4  # from how many pixels a side it holds so many at most: all took up to a megabyte
_FILES = {
    CONFIG: "the format, the images seen and the whole recipe",
    GENERATOR: "the averaged generator",
    **dict.fromkeys(pieces(GENERATOR)[1:], "more of its weights"),
    DISCRIMINATOR: "the discriminator it was trained with",
    **dict.fromkeys(pieces(DISCRIMINATOR)[1:], "more of its weights"),
    "metrics.json": "thinned curves, statistics of the gradients of each layer, scores",
    "samples.webp": "samples of seed 0",
}


def export_run(
    run: Run,
    folder: Path,
    *,
    name: str = "",
    discriminator: bool = False,
    samples: int = 0,
    progress: Progress = ignore,
) -> Path:
    """Writes the newest readable checkpoint of a run as a model folder and returns its path.

    The folder appears when it is complete, or not at all.

    Args:
        name: what the card calls it, OWNER/NAME where it goes to the Hub; the folder's name by default.
        discriminator: also write the discriminator.
        samples: how many to measure the generator with, 0 for no scores.

    Raises:
        ValueError: the run has no readable checkpoint or no finite weights, `folder` exists and is not an empty
            folder, or the data to measure with cannot be had.
        OSError: it cannot be written.
    """
    folder = Path(folder).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists and is not empty; choose a new folder.")
    loaded = open_source(RUN + run.id)
    judge = _discriminator(run, loaded.images) if discriminator else None
    for module in (loaded.module, judge):
        if module is not None and not all(bool(value.isfinite().all()) for value in module.state_dict().values()):
            raise ValueError(
                f"The weights of the run '{run.label}' are not finite numbers: its training diverged, so there is "
                "nothing to export."
            )
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    unfinished.mkdir(parents=True)
    try:
        _write(run, loaded, judge, unfinished, name or folder.name, samples, progress)
        if folder.exists():
            folder.rmdir()
        os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def stored_tensors(module: nn.Module) -> dict[str, Tensor]:
    """The state of a module as it goes to disk: weights in float16, buffers and what would overflow as they are."""
    weights = {name for name, _ in module.named_parameters()}
    return {name: _halved(value) if name in weights else value for name, value in module.state_dict().items()}


def significant(value: Any, digits: int = DIGITS) -> Any:
    """JSON data with every number that is not whole rounded to so many significant digits.

    A whole number has no point then. What is not finite, for which JSON has no word, becomes None.
    """
    if isinstance(value, dict):
        return {key: significant(entry, digits) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [significant(entry, digits) for entry in value]
    if not isinstance(value, float):
        return value
    if value - value != 0:  # infinite or no number
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded


def _discriminator(run: Run, images: int) -> nn.Module:
    """The discriminator of the checkpoint that the generator came from."""
    for path in run.checkpoints():
        if int(path.stem) == images:
            return load_discriminator(path)
    raise ValueError(f"The run '{run.label}' saved a newer checkpoint meanwhile; export it again.")


def _halved(value: Tensor) -> Tensor:
    half = value.half() if value.dtype == torch.float32 else value
    return half if bool(half.isfinite().all()) else value


def _write(
    run: Run,
    loaded: LoadedGenerator,
    judge: nn.Module | None,
    folder: Path,
    name: str,
    samples: int,
    progress: Progress,
) -> None:
    # Weights
    recipe, images = loaded.recipe, loaded.images
    config = {"format": MODEL_FORMAT, "images": images, "recipe": recipe.to_json()}
    write_atomically(folder / CONFIG, json.dumps(config, indent=1) + "\n")
    metadata = {"format": MODEL_FORMAT, "images": str(images)}
    for file, module in ((GENERATOR, loaded.module), (DISCRIMINATOR, judge)):
        if module is not None:
            paths = [folder / piece for piece in pieces(file)]
            write_pieces(paths, stored_tensors(module), metadata, PIECE_BYTES)

    # Measurements, of the weights as they were stored
    stored = load_generator(folder)
    drawn = picture(stored)
    drawn.save(folder / "samples.webp", lossless=True, quality=100, method=6)  # of the same pixels, the fewest bytes
    scores = significant(measure(stored, samples, progress)) if samples else {}
    points = [point for point in run.metrics() if point["images"] <= images]
    status = run.status()
    seconds = status.seconds if status.images == images or not points else points[-1]["seconds"]
    base = base_of(run, recipe)
    metrics = {
        "run": run.id, "base": base, "document": document_of(run), "seconds": round(seconds, 1),
        "points": significant(_thinned_points(points)), "scores": scores,
    }  # fmt: skip
    write_atomically(folder / "metrics.json", json.dumps(metrics, separators=(",", ":"), ensure_ascii=False) + "\n")

    # Card
    files = {file: text for file, text in _FILES.items() if (folder / file).exists()}
    command = _command(name, judge is not None, samples)
    about = Export(run, stored, name, seconds, scores, files, command, drawn.width)
    write_atomically(folder / "README.md", card(about))


def _command(name: str, discriminator: bool, samples: int) -> str:
    flags = [" --discriminator" if discriminator else "", "" if samples else " --no-scores"]
    flags += [f" --samples {samples}"] if samples not in (0, SAMPLES) else []
    return f"python -m ganplay export RUN checkpoints/{name.rsplit('/', 1)[-1]}{''.join(flags)}"


def picture(stored: LoadedGenerator) -> Image.Image:
    """What the stored weights make of seed 0, for `samples.webp`: a grid of images, or points over real ones."""
    dataset = stored.recipe.dataset
    if len(dataset.native) == 3:
        count, columns = grid_size(stored.recipe)
        if stored.recipe.shapes.sample[-1] >= _LARGE:
            columns = min(columns, _COLUMNS)
            count = columns * _ROWS
        return pictures.grid(sample(stored, 0, count), columns)
    return pictures.scatter(sample(stored, 0, _DOTS), load(dataset, dataset.native, "test").values[:_DOTS])


def _thinned_points(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """`POINTS` points, those with a score and `GRADIENTS` with statistics of each layer, each of them evenly spread."""
    curve = _images(_thinned(points, POINTS))
    scored = _images(_thinned([point for point in points if point.get("score") is not None], POINTS))
    whole = _images(_thinned(points, GRADIENTS))
    layers = ("gradients", "largest_gradients")
    return [
        point if point["images"] in whole else {key: value for key, value in point.items() if key not in layers}
        for point in points
        if point["images"] in curve | scored | whole
    ]


def _images(points: Sequence[dict[str, Any]]) -> set[int]:
    return {point["images"] for point in points}


def _thinned(points: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the points, evenly spread, with the first and the last."""
    if len(points) <= most:
        return list(points)
    return [points[round(step * (len(points) - 1) / (most - 1))] for step in range(most)]
