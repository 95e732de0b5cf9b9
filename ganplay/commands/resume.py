"""`ganplay resume`."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("run", help="a run's id, as `ganplay runs` lists it")


def execute(options: argparse.Namespace) -> int:
    from ganplay.commands.training import follow
    from ganplay.runs import store

    return follow(store.find(options.run))
