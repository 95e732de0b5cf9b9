"""`ganplay neighbours`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ganplay.commands import drawing

if TYPE_CHECKING:
    from PIL import Image

    from ganplay.drawings import Model
    from ganplay.drawings.neighbours import Neighbours


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    drawing.configure(
        parser,
        "neighbours",
        "quick-digits --seed 7                             5 samples, the 5 nearest training images beside each",
        "quick-digits --nearest 3 --features classifier    compared by what a classifier sees",
    )
    parser.epilog += (
        "\nPixels are compared place by place: a training image that was mirrored or shifted counts as far away.\n"
        "With the classifier, all training images are looked at once, which takes minutes for the large sets."
    )


def execute(options: argparse.Namespace) -> int:
    return drawing.execute(options, "neighbours", _draw)


def _draw(wanted: Neighbours, model: Model) -> Image.Image:
    """The picture; its distances are said on the way."""
    from ganplay.commands.progress import Bar

    with Bar() as bar:
        rows, picture = wanted.find(model, bar.show)
    for row in rows:
        near = zip(row.distances, row.classes, strict=True)
        said = ", ".join(f"{distance:.3g} ({name})" if name else f"{distance:.3g}" for distance, name in near)
        print(f"sample {row.sample}: training images at distance {said}")
    return picture
