"""`ganplay classes`."""

from __future__ import annotations

import argparse

from ganplay.commands import drawing


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    drawing.configure(
        parser,
        "classes",
        "mnist-projection                           a row for each class, 8 noises",
        "mnist-projection --classes 3,8 --seed 5    two of the classes",
    )


def execute(options: argparse.Namespace) -> int:
    return drawing.execute(options, "classes")
