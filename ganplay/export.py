"""A run's generator as a model folder that others can load: the layout of a repository on the Hugging Face Hub.

`config.json` (recipe, images seen), `model.safetensors` (averaged generator, weights in half precision), `README.md`
(model card), `metrics.json` (thinned curves), `samples.webp` (drawn by the stored weights).
"""

from __future__ import annotations

import inspect
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor, nn

from ganplay import pictures
from ganplay.checkpoint import MODEL_FORMAT, LoadedGenerator, load_generator
from ganplay.data.resident import load
from ganplay.environment import processor
from ganplay.files import write_atomically
from ganplay.latent.noise import grid_size
from ganplay.latent.sampling import sample
from ganplay.recipe import Recipe
from ganplay.recipes import recipes
from ganplay.sources import RUN, open_source
from ganplay.tensors import write_tensors

if TYPE_CHECKING:
    from ganplay.runs.store import Run

POINTS = 200  # of each curve in metrics.json
_DOTS = 1_000  # samples of a 2-D set in samples.webp


def export_run(run: Run, folder: Path) -> Path:
    """Writes the newest readable checkpoint of a run as a model folder and returns its path.

    The folder appears when it is complete, or not at all.

    Raises:
        ValueError: the run has no readable checkpoint, or `folder` exists and is not an empty folder.
        OSError: it cannot be written.
    """
    folder = Path(folder).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists and is not empty; choose a new folder.")
    loaded = open_source(RUN + run.id)
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    unfinished.mkdir(parents=True)
    try:
        _write(run, loaded, unfinished, folder.name)
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


def _halved(value: Tensor) -> Tensor:
    half = value.half() if value.dtype == torch.float32 else value
    return half if bool(half.isfinite().all()) else value


def _write(run: Run, loaded: LoadedGenerator, folder: Path, name: str) -> None:
    recipe, images = loaded.recipe, loaded.images
    points = [point for point in run.metrics() if point["images"] <= images]
    config = {"format": MODEL_FORMAT, "images": images, "recipe": recipe.to_json()}
    write_atomically(folder / "config.json", json.dumps(config, indent=1) + "\n")
    metadata = {"format": MODEL_FORMAT, "images": str(images)}
    write_tensors(folder / "model.safetensors", stored_tensors(loaded.module), metadata)
    write_atomically(folder / "metrics.json", json.dumps({"run": run.id, "points": _thinned(points, POINTS)}) + "\n")
    stored = load_generator(folder)
    drawn = _samples(stored)
    drawn.save(folder / "samples.webp", lossless=True)
    seconds = points[-1]["seconds"] if points else run.status().seconds
    write_atomically(folder / "README.md", _card(run, stored, name, seconds, drawn.width))


def _samples(stored: LoadedGenerator) -> Image.Image:
    """What the stored weights make of seed 0: a grid of images, or points over real ones."""
    dataset = stored.recipe.dataset
    if len(dataset.native) == 3:
        count, columns = grid_size(stored.recipe)
        return pictures.grid(sample(stored, 0, count), columns)
    return pictures.scatter(sample(stored, 0, _DOTS), load(dataset, dataset.native, "test").values[:_DOTS])


def _thinned(points: list[Any], most: int) -> list[Any]:
    """At most so many of the points, evenly spread, with the first and the last."""
    if len(points) <= most:
        return points
    return [points[round(step * (len(points) - 1) / (most - 1))] for step in range(most)]


def _card(run: Run, stored: LoadedGenerator, name: str, seconds: float, width: int) -> str:
    """The model card: YAML front matter, then what a visitor needs to know, in Markdown."""
    recipe, weights = stored.recipe, sum(parameter.numel() for parameter in stored.module.parameters())
    threads, version = int(run.info["threads"]), torch.__version__.split("+")[0]
    title = recipe.title or recipe.generator.kind
    rows = {
        "Recipe": _origin(run, recipe),
        "Data": f"{recipe.dataset.title}, samples of shape {' x '.join(map(str, recipe.shapes.sample))}",
        "Generator": f"{recipe.generator.kind}, {weights:,} weights, fed {recipe.latent} {recipe.noise} numbers",
        "Objective": ", ".join([recipe.loss.kind, *(penalty.kind for penalty in recipe.penalties)]),
        "Training": f"{stored.images:,} real images seen in {seconds:,.0f} s",
        "Machine": f"{processor()}, {threads} thread{'s' if threads > 1 else ''}, PyTorch {version}",
        "Weights": f"moving average with decay {recipe.ema_decay}, stored in float16, sampled in float32",
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"""{_front_matter(recipe)}
# {title}

A generator trained with ganplay, a playground that shows why GANs work and why
they break. It turns random numbers into samples like those of {recipe.dataset.title}.

<img src="samples.webp" width="{2 * width}" alt="Samples of seed 0, drawn by the stored weights">

| | |
|---|---|
{table}

## Sample it

```bash
python -m ganplay sample PATH/TO/{name} --seed 0 --count 64 --out samples.png
```

```python
from pathlib import Path

from ganplay.checkpoint import load_generator
from ganplay.latent.noise import grid_size
from ganplay.latent.sampling import sample

generator = load_generator(Path("{name}"))
samples = sample(generator, seed=0, count=64)  # ({", ".join(["64", *map(str, recipe.shapes.sample)])})
```

## Files

`config.json` holds the whole recipe, `metrics.json` the curves (at most {POINTS} points), `samples.webp` seed 0.
"""


def _front_matter(recipe: Recipe) -> str:
    """The card's metadata. Every value is a name of ours or quoted as JSON, which YAML reads."""
    is_image = len(recipe.shapes.sample) == 3
    lines = ["library_name: ganplay", "license: mit"]
    if is_image:
        lines.append("pipeline_tag: unconditional-image-generation")
    repository = getattr(recipe.dataset, "repository", None)
    if repository:
        lines += ["datasets:", f"- {json.dumps(repository)}"]
    tags = ["gan", recipe.generator.kind, recipe.loss.kind]
    lines += ["tags:", *(f"- {json.dumps(tag)}" for tag in dict.fromkeys(tags))]
    return "\n".join(["---", *lines, "---", ""])


def _origin(run: Run, recipe: Recipe) -> str:
    """The registered recipe that the run started from, the document behind it, and what was changed."""
    base = run.info["base"]
    if base not in recipes:
        return f"made by hand, see config.json (hash {recipe.hash})"
    made = recipes[base]
    documents = [(part.__doc__ or "").split("\n")[0] for part in (inspect.getmodule(made), made)]
    source = " ".join(text for text in documents if text)
    changes = recipe.difference(made())
    changed = ", ".join(f"`{path}` = {value}" for path, value in changes.items() if path != "title")
    return f"`{base}`. {source}" + (f" Changed: {changed}." if changed else "")
