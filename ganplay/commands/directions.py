"""`ganplay directions`."""

from __future__ import annotations

import argparse

from ganplay.commands import drawing


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    drawing.configure(
        parser,
        "directions",
        "quick-digits                                        boldness, slant and size of the sample of seed 0",
        "quick-digits --method sefa --direction 1,2,3,4      what the first layer stretches most",
        "quick-digits --moves 1.5,-1 --steps 1               the sample, bolder and leaning to the left",
    )
    parser.epilog += (
        "\nThe attributes are boldness, slant and size of grey images; brightness, warmth, greenness and saturation\n"
        "of colour images. pca and sefa rank theirs from 1 on, the strongest first. Each direction comes with a\n"
        "figure that says how much it means."
    )


def execute(options: argparse.Namespace) -> int:
    from ganplay.commands.progress import Bar
    from ganplay.drawings.directions import Directions
    from ganplay.latent.directions import FIGURES
    from ganplay.sources import resolve

    wanted = Directions(**drawing.chosen(options))
    with Bar() as bar:
        found = wanted.chosen(resolve(options.source, allow_paths=True), bar.show)
    for direction in found:
        print(f"{direction.name:10}  {direction.figure:6.3g}  {FIGURES[wanted.method]}")
    return drawing.execute(options, "directions")
