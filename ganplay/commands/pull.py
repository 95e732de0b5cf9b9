"""`ganplay pull`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = (
        "A private model needs a token in HF_TOKEN; it is sent to the Hub and kept nowhere.\n"
        "Example: ganplay pull someone/a-gan, then ganplay sample hub:someone/a-gan"
    )
    parser.add_argument("repository", help="OWNER/NAME of a model that was published with ganplay")
    parser.add_argument("--revision", help="a branch, a tag or a commit (default main)")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="also copy the files to a folder, a new or empty one")


def execute(options: argparse.Namespace) -> int:
    from ganplay.commands.progress import Bar
    from ganplay.environment import size_text
    from ganplay.hub import cache, download
    from ganplay.hub.downloading import OLDER
    from ganplay.hub.publishing import copy_files
    from ganplay.hub.reference import Reference
    from ganplay.layout import DISCRIMINATOR, FILES

    reference = Reference.parse(options.repository)
    if options.revision is not None:
        reference = Reference(reference.repository, options.revision)
    if options.to is not None and options.to.exists() and (not options.to.is_dir() or any(options.to.iterdir())):
        raise ValueError(f"{options.to} exists and is not empty; choose a new folder.")
    with Bar() as bar:

        def show(sentence: str, share: float) -> None:
            bar.show(sentence, share)
            if sentence.endswith(OLDER):
                bar.write(sentence)

        folder = download(reference.repository, reference.revision, show)

    from ganplay.checkpoint import load_discriminator, load_generator  # torch: nobody waits for it before a mistake

    loaded = load_generator(folder)  # so that what is wrong with it is said now
    if (folder / DISCRIMINATOR).is_file():
        load_discriminator(folder)
    files = [folder / file for file in FILES if (folder / file).is_file()]
    size = size_text(sum(file.stat().st_size for file in files))
    print(f"{reference.repository} at commit {cache.about(folder).commit[:12]}: {len(files)} files, {size} in {folder}")
    print(f"{loaded.recipe.title or loaded.recipe.generator.kind}, {loaded.images:,} images seen")
    source = reference.key
    if options.to is not None:
        copy_files(folder, options.to)
        source = str(options.to)
    print(f"Sample it: ganplay sample {shlex.quote(source)}")
    return 0
