"""`ganplay interpolate`."""

from __future__ import annotations

import argparse

from ganplay.commands import drawing


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    drawing.configure(
        parser,
        "interpolate",
        "quick-digits --seeds 3,8                        21 pictures from one sample to another",
        "quick-digits --seeds 0,1,2 --method lerp        straight lines, a row for each of two",
        "quick-digits --seeds 0,1,2 --loop --animate --out way.gif    around for ever",
        "mnist-projection --seeds 5,5 --classes 3,8      the same noise, from a three to an eight",
    )


def execute(options: argparse.Namespace) -> int:
    return drawing.execute(options, "interpolate")
