"""`ganplay interpolate`."""

from __future__ import annotations

import argparse

from ganplay.commands.sample import SOURCE_HELP, add_output, save


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("source", help=SOURCE_HELP)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 1), metavar=("FROM", "TO"), help="seeds of the ends")
    parser.add_argument("--steps", type=int, default=21, help="pictures, both ends included (default 21)")
    parser.add_argument("--method", default="slerp", help="slerp (great circle) or lerp (straight line)")
    add_output(parser, "interpolation.png")


def execute(options: argparse.Namespace) -> int:
    from ganplay import pictures
    from ganplay.latent.sampling import strip
    from ganplay.sources import resolve

    loaded = resolve(options.source, allow_paths=True)
    made = strip(loaded, *options.seeds, options.steps, options.method)
    return save(pictures.draw(made, columns=options.steps), options)
