"""What training, sampling and starting cost, measured against a yardstick in the same run.

Each part is a module of this package with a function `measure(options) -> Table`. A part measures its two sides in
alternating windows, so that a machine that slows down slows both, and reports ratios beside the raw numbers.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PARTS = ("training", "gains", "tiny", "convolution", "probes", "sampling", "start", "scaling", "memory", "learning")
LONG = ("learning",)  # a quarter of an hour and more: only when it is named

Cell = str | float | int | None


@dataclass(frozen=True)
class Options:
    """How a part shall measure.

    Attributes:
        seconds: of measuring one side of one row, over all its windows.
        threads: processor threads of whatever uses several.
        say: told what is being measured; a sentence at a time.
        windows: into which a part divides those seconds.
        recipes: names of the recipes to measure, where a part measures recipes; empty for its own choice.
        precisions: of our side of training, as a recipe's setting has them; empty for all that differ on this machine.
    """

    seconds: float
    threads: int
    say: Callable[[str], None]
    windows: int = 5
    recipes: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """What a part found.

    Attributes:
        title: one line.
        note: what was compared with what, and how.
        columns: headings with their units.
        rows: a cell for each heading; None where there is no figure.
        raw: plain JSON data behind each row, such as every window's figures; empty where the rows are all there is.
    """

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    raw: tuple[Mapping[str, Any], ...] = ()


def about(part: str) -> str:
    """The first line of a part's own documentation, read without importing what it needs."""
    source = Path(__file__).with_name(f"{part}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def measure(part: str, options: Options) -> Table:
    """Runs one part of `PARTS`.

    Raises:
        ValueError: there is no such part, or it cannot measure what was asked for.
    """
    if part not in PARTS:
        raise ValueError(f"There is no part '{part}' of the benchmark; choose among {', '.join(PARTS)}.")
    return importlib.import_module(f"{__name__}.{part}").measure(options)
