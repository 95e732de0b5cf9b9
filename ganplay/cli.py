"""The command line: one verb a module of `ganplay.commands`, imported only when it is used, so that --help is quick."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import ganplay

VERBS = {
    "train": "train a recipe from start to finish, with a progress bar; Ctrl-C pauses it",
    "resume": "go on with a run where it stopped, exactly as if it never had",
    "sample": "draw a grid of samples from a run or a checkpoint",
    "interpolate": "draw the way between samples as a strip of pictures or an animation",
    "arithmetic": "draw a weighted sum of samples, made in latent space",
    "classes": "draw each class of a conditional generator with the same noise",
    "directions": "find directions in latent space that change one thing, and draw film strips along them",
    "neighbours": "draw samples beside the training images that lie nearest",
    "study": "compare a recipe with one switch at a time, with several seeds, and say which differences are real",
    "evaluate": "measure a run or a checkpoint: distances to real data, variety, copies, class by class",
    "runs": "list the runs; pause, stop, rename, fork or delete one",
    "models": "list what can be sampled: bundled checkpoints, runs, folders, downloads",
    "recipes": "list the recipes, or print one as JSON",
    "data": "list the data sets, fetch one, or add pictures of your own",
    "export": "write a run's generator as a checkpoint folder that can be shared",
    "pull": "download a model from the Hugging Face Hub, to sample it from now on without a network",
    "publish": "upload a run or a checkpoint to the Hugging Face Hub, or write what that would be",
    "space": "write or upload this program as a Hugging Face Space, for a class to use in the browser",
    "studio": "serve the studio alone, to sample and play in the browser or from a program",
    "classifier": "train a classifier whose features the scores compare samples by",
    "diagnose": "read the curves of a run: what they show, by which numbers, and what to try",
    "verify": "train the stories of the pages from many seeds and count how often their claims hold",
    "experiment": "measure what the page Vanishing gradients shows of frozen generators, deep critics and Gaussians",
    "bench": "measure how fast training is here, against a textbook loop and the processor's own limit",
}

HEAVY = ("train", "resume", "study", "evaluate", "classifier")  # a process that computes on networks and then ends
FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb.

    Returns:
        the exit code: 0 done, 1 a run or a file operation failed, 2 a mistake in what was asked for, 130 Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(words)
    options = parser.parse_args(words)
    try:
        return options.execute(options)
    except ValueError as error:
        print(f"ganplay: {error}", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `ganplay runs | head`
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"ganplay: {error.strerror or error}{f': {error.filename}' if error.filename else ''}.", file=sys.stderr)
        return FAILED


def _parser(words: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ganplay",
        description="Train the GANs of five documents, watch why they work or break, sample and measure them.",
        epilog="`ganplay VERB --help` explains one. Start with `ganplay train --recipe quick-digits`.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ganplay {ganplay.__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, help_text in VERBS.items():
        below = verbs.add_parser(
            name,
            help=help_text,
            description=help_text[0].upper() + help_text[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name == chosen:
            command = importlib.import_module(f"ganplay.commands.{name}")
            try:
                command.configure(below, words[words.index(name) + 1 :])
            except ValueError as error:
                below.error(str(error))
            below.set_defaults(execute=command.execute)
    return parser
