"""`ganplay sample`."""

from __future__ import annotations

import argparse

from ganplay.commands import drawing


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    drawing.configure(
        parser,
        "sample",
        "quick-digits                                    64 samples of seed 0 to sample.png",
        "quick-digits --seed 7 --count 16 --columns 4    16 others, 4 in a row",
        "mnist-projection --class 3 --truncation 0.8     typical threes",
    )


def execute(options: argparse.Namespace) -> int:
    return drawing.execute(options, "sample")
