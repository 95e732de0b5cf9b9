"""`ganplay arithmetic`."""

from __future__ import annotations

import argparse

from ganplay.commands import drawing


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    drawing.configure(
        parser,
        "arithmetic",
        "quick-digits --terms +1:0/1/2,-1:3/4/5,+1:6/7/8    sums of averages over three seeds",
        "quick-digits --terms 0.5:3,0.5:8                   the middle between two samples",
        "quick-digits --terms=-1:3 --normalise length       the opposite of a sample",
    )


def execute(options: argparse.Namespace) -> int:
    return drawing.execute(options, "arithmetic")
