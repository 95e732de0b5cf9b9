"""`ganplay recipes`."""

from __future__ import annotations

import argparse
import json


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("name", nargs="?", help="print this recipe as JSON, a file that `train --recipe` reads back")


def execute(options: argparse.Namespace) -> int:
    import inspect

    from ganplay.recipes import recipe, recipes

    if options.name:
        print(json.dumps(recipe(options.name).to_json(), indent=2))
        return 0
    for name in recipes.names():
        made = recipe(name)
        summary = inspect.getdoc(recipes[name]).split("\n")[0]
        print(f"{name:16} {made.dataset.kind:14} {summary}")
    return 0
