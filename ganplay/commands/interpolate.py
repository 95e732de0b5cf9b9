"""`ganplay interpolate`."""

from __future__ import annotations

import argparse

from ganplay.commands.drawing import SOURCE_HELP, add_output, save


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("source", help=SOURCE_HELP)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 1), metavar=("FROM", "TO"), help="seeds of the ends")
    parser.add_argument("--steps", type=int, default=21, help="pictures, both ends included (default 21)")
    parser.add_argument("--method", default="slerp", help="slerp (great circle) or lerp (straight line)")
    parser.add_argument("--class", dest="label", help="name of the class that a conditional generator draws")
    add_output(parser, "interpolation.png")


def execute(options: argparse.Namespace) -> int:
    from ganplay import pictures
    from ganplay.latent.noise import class_index
    from ganplay.latent.sampling import strip
    from ganplay.sources import resolve

    loaded = resolve(options.source, allow_paths=True)
    label = 0 if options.label is None else class_index(loaded.recipe, options.label)
    made = strip(loaded, *options.seeds, options.steps, options.method, label)
    return save(pictures.draw(made, columns=options.steps), options)
