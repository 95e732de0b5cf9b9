"""Measurements of `python -m ganplay experiment` that come with the program, for figures that are there at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ganplay.files import read_json

FOLDER = Path(__file__).with_name("measured")
NAMES = ("frozen", "line", "depth")


class Measured(NamedTuple):
    """One experiment's result.

    Attributes:
        command: what makes it again.
        results: as the experiment wrote them.
    """

    command: str
    seeds: list[int]
    results: Any


def measured(name: str) -> Measured:
    """The bundled result of an experiment.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    if name not in NAMES:
        raise ValueError(f"There is no experiment '{name}'; choose one of {', '.join(NAMES)}.")
    return read(FOLDER / f"{name}.json")


def read(path: Path) -> Measured:
    """What the command wrote to `path`.

    Raises:
        ValueError: the file is missing or damaged.
    """
    content = read_json(path)
    try:
        return Measured(content["command"], content["seeds"], content["results"])
    except (KeyError, TypeError):
        raise ValueError(f"The file '{path.name}' holds no result of an experiment.") from None
