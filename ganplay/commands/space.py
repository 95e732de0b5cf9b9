"""`ganplay space`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ganplay.space import SDKS


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = (
        "The same by hand, in three lines:\n"
        "  ganplay space --write my-space\n"
        "  hf repos create owner/name --repo-type space --space-sdk docker\n"
        "  hf upload owner/name my-space . --repo-type space\n\n"
        "A Docker Space builds the Dockerfile; a Gradio Space runs `python app.py`. Both ask for a paid plan of\n"
        "the Hub. Its settings take the limits of README.md as variables, and GANPLAY_HOME for a mounted volume\n"
        "other than /data."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--push", metavar="OWNER/NAME", help="make or update this Space, with the token in HF_TOKEN")
    what.add_argument("--write", metavar="FOLDER", type=Path, help="write what would be uploaded into a new folder")
    parser.add_argument("--sdk", choices=SDKS, default=SDKS[0], help="kind of Space; %(default)s by default")
    parser.add_argument("--private", action="store_true", help="a new Space that only its owner sees")


def execute(options: argparse.Namespace) -> int:
    from ganplay.space import push_space, write_space

    if options.write:
        print(write_space(options.write, options.sdk))
    else:
        print(push_space(options.push, options.sdk, options.private))
    return 0
