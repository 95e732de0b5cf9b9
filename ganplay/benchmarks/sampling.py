"""From a seed to a picture file: 64 samples of a generator, beside the bare forward pass of its module.

The bundled generators, and the untrained one of a full-width recipe. The sides take turns.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from statistics import median

import torch
from PIL import Image

from ganplay import pictures
from ganplay.benchmarks import Options, Table
from ganplay.building import build_networks
from ganplay.checkpoint import LoadedGenerator
from ganplay.latent.noise import fixed_labels, seeded
from ganplay.latent.sampling import sample
from ganplay.recipes import recipe
from ganplay.sources import CHECKPOINT, open_source, sources

UNTRAINED = ("duke-dcgan",)
COUNT = 64
ENLARGED = 3  # times, as the studio shows 8 x 8 images of 32 x 32 pixels
COLUMNS = (
    "generator", "weights, 10^6", "forward pass, ms", "to a PNG file, ms", "ratio", "to an enlarged PNG, ms",
    "PNG, Pillow's own setting, ms",
)  # fmt: skip
NOTE = (
    f"{COUNT} samples. The forward pass is the module alone on latents that are there already. To a PNG file: latents "
    "from a seed, samples, a grid, its encoding. Enlarged three times, as in the studio. The last column is like the "
    "fourth, encoded with Pillow's default compression. Medians over turns."
)


def measure(options: Options) -> Table:
    """One row for each generator.

    Raises:
        ValueError: a recipe is unknown, or a bundled generator cannot be read.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        rows, raw = [], []
        for name, loaded in _generators(options.recipes or UNTRAINED).items():
            options.say(f"{name}: {COUNT} samples to a picture")
            times = _compare(loaded, options.seconds)
            forward, plain, enlarged, usual = (median(found) for found in times.values())
            weights = sum(weight.numel() for weight in loaded.module.parameters()) / 1e6
            milliseconds = [1e3 * seconds for seconds in (forward, plain, enlarged, usual)]
            rows.append((name, weights, *milliseconds[:2], plain / forward, *milliseconds[2:]))
            raw.append({"unit": "seconds", **times})
    finally:
        torch.set_num_threads(before)
    return Table("Samples as pictures", NOTE, COLUMNS, tuple(rows), tuple(raw))


def _generators(untrained: tuple[str, ...]) -> dict[str, LoadedGenerator]:
    """Bundled generators of images by name, then those of the recipes as they are before training."""
    bundled = [source.key for source in sources() if source.key.startswith(CHECKPOINT)]
    found = {key.removeprefix(CHECKPOINT): open_source(key) for key in bundled}
    for name in untrained:
        made = recipe(name)
        module = build_networks(made)[0].to(memory_format=torch.channels_last).eval().requires_grad_(False)
        found[f"{name}, untrained"] = LoadedGenerator(made, 0, module)
    return {name: loaded for name, loaded in found.items() if len(loaded.recipe.shapes.sample) == 3}


def _compare(loaded: LoadedGenerator, seconds: float) -> dict[str, list[float]]:
    """Seconds of each side in each turn."""
    z, y = seeded(loaded.recipe, 0, COUNT), fixed_labels(loaded.recipe, COUNT)
    sides: dict[str, Callable[[], object]] = {
        "forward": lambda: loaded.module(z, y),
        "png": lambda: pictures.png(_grid(loaded)),
        "enlarged": lambda: pictures.png(_enlarged(loaded)),
        "usual": lambda: _usual(loaded),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    begun = time.perf_counter()
    while len(times["usual"]) < 3 or time.perf_counter() - begun < len(sides) * seconds:
        for name, side in sides.items():
            started = time.perf_counter()
            with torch.no_grad():
                side()
            times[name].append(time.perf_counter() - started)
    return times


def _grid(loaded: LoadedGenerator) -> Image.Image:
    return pictures.grid(sample(loaded, 0, COUNT))


def _enlarged(loaded: LoadedGenerator) -> Image.Image:
    small = pictures.grey(_grid(loaded))
    return small.resize((ENLARGED * small.width, ENLARGED * small.height), Image.Resampling.NEAREST)


def _usual(loaded: LoadedGenerator) -> None:
    _grid(loaded).save(io.BytesIO(), "PNG")
