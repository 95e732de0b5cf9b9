"""`ganplay sample`."""

from __future__ import annotations

import argparse

from ganplay.commands import drawing


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    drawing.configure(parser, "sample")


def execute(options: argparse.Namespace) -> int:
    return drawing.execute(options, "sample")
