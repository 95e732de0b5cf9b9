"""`ganplay export`."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("run", help="a run's id")
    parser.add_argument("folder", type=Path, help="the folder to write: a new one, or an empty one")


def execute(options: argparse.Namespace) -> int:
    from ganplay.export import export_run
    from ganplay.runs import store

    print(export_run(store.find(options.run), options.folder))
    return 0
