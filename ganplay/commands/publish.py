"""`ganplay publish`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = (
        "The Hub's token is taken from HF_TOKEN and kept nowhere; --dry-run needs none.\n"
        "Example: ganplay publish quick-digits someone/quick-digits --private"
    )
    parser.add_argument("source", help="a run's id, the name of a bundled checkpoint, or the path of a model folder")
    parser.add_argument("repository", help="OWNER/NAME on the Hub, created where there is none")
    parser.add_argument("--private", action="store_true", help="only its owner sees it")
    parser.add_argument(
        "--dry-run",
        type=Path,
        metavar="FOLDER",
        help="write what would be uploaded to a new folder, and upload nothing",
    )


def execute(options: argparse.Namespace) -> int:
    from ganplay.hub.publishing import publish, stage
    from ganplay.hub.reference import Reference

    repository = Reference(options.repository).repository
    name = repository.split("/")[1]
    if options.dry_run is not None:
        _list(stage(options.source, options.dry_run, name))
        print(f"{options.dry_run}: this is what {repository} would be; nothing was uploaded.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder, name)
        _list(stage(options.source, staged, name))
        print(publish(staged, repository, options.private))
    return 0


def _list(files: list[tuple[str, int]]) -> None:
    for file, size in files:
        print(f"{file:26} {size:12,} bytes")
    print(f"{'together':26} {sum(size for _, size in files):12,} bytes")
