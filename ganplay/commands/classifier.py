"""`ganplay classifier`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganplay.options import Checked

DEFAULT = "cifar10"
STATE = "training.safetensors"  # of an unfinished training, in its folder
NETWORK = ("stem", "widths")  # the rest of a network's configuration follows from the data set


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--dataset", default=DEFAULT)
    kind = first.parse_known_args(words)[0].dataset
    parser.usage = "ganplay classifier [--dataset NAME] [--out FOLDER] [--resume] [--SETTING VALUE ...]"
    parser.epilog = (
        "The values above are those of the chosen data set: add --dataset mnist before --help to see others.\n"
        "The state is saved after each epoch; --resume with the same settings goes on from there.\n\n"
        "Examples:\n"
        "  ganplay classifier --dataset digits      some seconds on the embedded digits\n"
        "  ganplay classifier --dataset cifar10     an hour on one core"
    )
    parser.add_argument("--dataset", default=DEFAULT, metavar="NAME", help="images with classes, such as mnist")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="the folder to write, NAME-classifier by default")
    parser.add_argument("--resume", action="store_true", help="go on with the unfinished training in that folder")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads, all cores by default")
    _add_settings(parser, kind)


def execute(options: argparse.Namespace) -> int:
    import torch

    from ganplay.classifiers.presets import network_for, training_for
    from ganplay.classifiers.report import publish
    from ganplay.classifiers.training import train
    from ganplay.commands.progress import Bar
    from ganplay.data import datasets
    from ganplay.data.resident import load
    from ganplay.runs.limits import cores

    threads = cores() if options.threads is None else options.threads
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be 1 or more.")
    network = _changed(network_for(options.dataset), options)
    training = _changed(training_for(options.dataset), options)
    folder = options.out or Path(f"{options.dataset}-classifier")
    _check_folder(folder, options.resume)
    torch.set_num_threads(threads)
    epochs = []
    with Bar() as bar:
        dataset = datasets[options.dataset]()
        data, test = (load(dataset, network.shape, split, bar.show) for split in ("train", "test"))
        for epoch in train(network, training, data, test, state=folder / STATE, progress=bar.show):
            epochs.append(epoch)
            bar.write(
                f"Epoch {epoch.number}: loss {epoch.loss:.4f}, test accuracy {epoch.accuracy:.2%}, "
                f"{epoch.seconds:,.0f} s"
            )
    accuracy = publish(folder, epochs, training, test, threads)
    (folder / STATE).unlink()
    print(f"{folder}: test accuracy {accuracy:.2%} on {len(test):,} images, measured with the stored weights")
    return 0


def _add_settings(parser: argparse.ArgumentParser, kind: str) -> None:
    """One flag for each setting of the network and its training, with help, range and present value."""
    from ganplay.classifiers.presets import network_for, training_for
    from ganplay.options import option_fields

    for title, config in (("network", network_for(kind)), ("training", training_for(kind))):
        group = parser.add_argument_group(title)
        for field, _ in option_fields(type(config)):
            if title == "training" or field.name in NETWORK:
                value, about = getattr(config, field.name), field.metadata["option"]
                now = ",".join(map(str, value)) if isinstance(value, tuple) else value
                allowed = f"{about.range_text()}; " if about.range_text() else ""
                group.add_argument(
                    f"--{field.name.replace('_', '-')}",
                    dest=f"setting:{field.name}",
                    metavar="VALUE",
                    help=f"{about.help} ({allowed}now {now})",
                )


def _changed(config: Checked, options: argparse.Namespace) -> Checked:
    """The configuration with what was given on the command line, as text that it parses and checks."""
    given = {field.name: getattr(options, f"setting:{field.name}", None) for field in dataclasses.fields(config)}
    return dataclasses.replace(config, **{name: text for name, text in given.items() if text is not None})


def _check_folder(folder: Path, resume: bool) -> None:
    """Nothing is overwritten, and nothing is gone on with by accident."""
    unfinished = (folder / STATE).is_file()
    if resume and not unfinished:
        raise ValueError(f"There is no unfinished training in '{folder}' to resume.")
    if unfinished and not resume:
        raise ValueError(f"'{folder}' holds an unfinished training; add --resume, or choose another folder.")
    if not resume and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"'{folder}' exists and is not empty; choose a new folder.")
