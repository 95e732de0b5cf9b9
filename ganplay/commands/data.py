"""`ganplay data`."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = (
        "Without an action: the list of data sets. The embedded ones need no network.\n"
        "Pictures are cropped to squares; the first level of folders names their classes.\n"
        "Example: ganplay data add pets my-pets.zip, then ganplay train --dataset pictures --dataset.name pets"
    )
    actions = parser.add_subparsers(metavar="ACTION")
    parser.set_defaults(action=_list)
    fetch = actions.add_parser("fetch", help="download and decode a data set now, so that it works offline later")
    fetch.add_argument("name", help="mnist, fashion-mnist or cifar10")
    fetch.add_argument("--size", type=int, default=0, help="height and width to prepare, the data's own by default")
    fetch.set_defaults(action=_fetch)
    add = actions.add_parser("add", help="import a folder or a zip of pictures under a name")
    add.add_argument("name", help="lower-case letters, digits, - and _")
    add.add_argument("source", type=Path, help="a folder or a .zip file")
    add.set_defaults(action=_add)
    delete = actions.add_parser("delete", help="delete an imported picture set")
    delete.add_argument("name")
    delete.set_defaults(action=_delete)


def execute(options: argparse.Namespace) -> int:
    return options.action(options)


def _list(options: argparse.Namespace) -> int:
    from ganplay.data.catalogue import describe

    for entry in describe():
        ready = "ready" if entry["available"] else "to download"
        print(f"{entry['kind']:16} {ready:12} {entry['title']}")
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from ganplay.commands.progress import Bar
    from ganplay.data import datasets
    from ganplay.data.resident import load

    dataset = datasets[options.name]()
    channels, *sides = dataset.native
    shape = (channels, options.size, options.size) if sides and options.size else dataset.native
    with Bar() as bar:
        for split in ("train", "test"):
            samples = load(dataset, shape, split, bar.show)
            bar.write(f"{options.name} {split}: {len(samples):,} samples of shape {tuple(shape)}")
    return 0


def _add(options: argparse.Namespace) -> int:
    from ganplay.commands.progress import Bar
    from ganplay.data.pictures import import_pictures

    with Bar() as bar:
        report = import_pictures(options.source, options.name, bar.show)
    classes = f" in {len(report.class_names)} classes" if report.class_names else ""
    print(f"{report.name}: {report.count:,} pictures{classes}")
    for file, reason in report.skipped:
        print(f"  skipped {file}: {reason}")
    print(f"Train on them: ganplay train --dataset pictures --dataset.name {report.name}")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from ganplay.data.pictures import delete_pictures

    delete_pictures(options.name)
    print(f"{options.name} is deleted.")
    return 0
