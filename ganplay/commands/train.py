"""`ganplay train`."""

from __future__ import annotations

import argparse
import sys

DEFAULT = "quick-digits"


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    from ganplay.commands.flags import add_settings, chosen_recipe, known_recipes

    parser.usage = "ganplay train [--recipe NAME] [--SETTING VALUE ...]"
    base = chosen_recipe(words, DEFAULT)
    parser.epilog = (
        "The flags below are those of the chosen recipe and parts: add --recipe duke-wgan or --loss wasserstein\n"
        "before --help to see others.\n\n"
        "Examples:\n"
        "  ganplay train                                              a minute on the embedded digits\n"
        "  ganplay train --recipe cs229-baseline --dataset mnist      document 001's baseline on 60,000 digits\n"
        "  ganplay train --recipe duke-dcgan --dataset.classes horse --stop-images 500000\n"
        "  ganplay train --recipe my-recipe.json --seed 3             a recipe from `ganplay recipes NAME`, edited\n\n"
        "Everything goes to the run's folder: curves, sample grids, checkpoints. Ctrl-C saves and pauses."
    )
    parser.add_argument("--recipe", default=DEFAULT, help=f"a .json file, or one of {known_recipes()}")
    parser.add_argument("--label", help="what to call the run")
    parser.add_argument("--threads", type=int, help="processor threads; all cores by default, one for very small nets")
    add_settings(parser, base)


def execute(options: argparse.Namespace) -> int:
    from ganplay.acceleration import suitable_threads
    from ganplay.advice import advice
    from ganplay.commands.flags import base_recipe, changes
    from ganplay.commands.training import follow
    from ganplay.recipes import recipes
    from ganplay.runs import store
    from ganplay.runs.limits import cores

    recipe = base_recipe(options.recipe).change(changes(options))
    for doubt in advice(recipe):
        print(f"Note: {doubt}", file=sys.stderr)
    base = options.recipe if options.recipe in recipes else None
    threads = suitable_threads(recipe, cores()) if options.threads is None else options.threads
    run = store.create(recipe, options.label, base, threads=threads, queued=False)
    return follow(run)
