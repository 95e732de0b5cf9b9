"""`ganplay sample`."""

from __future__ import annotations

import argparse
from pathlib import Path

SOURCE_HELP = "a run's id, the name of a bundled checkpoint, or a path to a checkpoint file or folder"


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("source", help=SOURCE_HELP)
    parser.add_argument("--seed", type=int, default=0, help="seed of the samples (default 0)")
    parser.add_argument("--count", type=int, help="how many samples (default 64, or as many of each class)")
    parser.add_argument("--columns", type=int, help="pictures in a row (default 8, or one for each class)")
    parser.add_argument("--class", dest="label", help="class that a conditional generator draws, default all")
    add_output(parser, "samples.png")


def execute(options: argparse.Namespace) -> int:
    from ganplay import pictures
    from ganplay.latent.noise import class_index, grid_size
    from ganplay.latent.sampling import sample
    from ganplay.sources import resolve

    loaded = resolve(options.source, allow_paths=True)
    count, columns = grid_size(loaded.recipe)
    columns = columns if options.columns is None else options.columns
    if columns < 1:
        raise ValueError(f"columns is {columns}; it must be 1 or more.")
    label = None if options.label is None else class_index(loaded.recipe, options.label)
    made = sample(loaded, options.seed, count if options.count is None else options.count, label)
    return save(pictures.draw(made, columns=columns), options)


def add_output(parser: argparse.ArgumentParser, default: str) -> None:
    """Flags of the picture a verb writes."""
    parser.add_argument("--out", type=Path, default=Path(default), help=f"the picture file (default {default})")
    parser.add_argument("--scale", type=int, default=2, help="enlarge each pixel this many times (default 2)")


def save(image, options: argparse.Namespace) -> int:
    """Writes the picture, its kind by the file's ending, and says where it is.

    Raises:
        ValueError: the scale or the ending is not possible.
    """
    from PIL import Image

    if not 1 <= options.scale <= 16:
        raise ValueError(f"scale is {options.scale}; it must be 1 to 16.")
    endings = Image.registered_extensions()
    if endings.get(options.out.suffix.lower()) not in Image.SAVE:
        raise ValueError(f"{options.out} is no picture file that can be written; use an ending such as .png or .webp.")
    image = image.resize((image.width * options.scale, image.height * options.scale), Image.Resampling.NEAREST)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    image.save(options.out)
    print(f"{options.out}: {image.width} x {image.height} pixels")
    return 0
