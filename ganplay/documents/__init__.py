"""What the five documents print of their networks, as data: one module a document, one entry a recipe.

A table is read next to the layers that a recipe's networks really have (`ganplay.probes.layers`): `side_by_side` pairs
them, `differences` says where they part. Each difference is stated in the row itself, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ganplay.registry import Registry

printed = Registry("printed table", __name__)  # recipe name -> function that returns its `PrintedTable`s

CELLS = ("operation", "kernel", "stride", "padding", "maps", "norm", "activation", "dropout", "output")
ADDED = ("maps", "parameters", "multiply_adds")  # cells whose values add up where several layers are one printed row


@dataclass(frozen=True)
class Row:
    """One printed row, in the words of `ganplay.probes.layers.Layer`; None stands for what is not printed.

    Attributes:
        maps: feature maps or units.
        output: shape of one sample's output.
        note: in a sentence, where ours deviates and why; empty where it does not.
        ours: our value in each cell that deviates.
        layers: how many of our layers, one after the other in the table, together are this row.
    """

    operation: str | None = None
    kernel: int | None = None
    stride: int | None = None
    padding: int | None = None
    maps: int | None = None
    norm: str | None = None
    activation: str | None = None
    dropout: float | None = None
    output: tuple[int, ...] | None = None
    note: str = ""
    ours: dict[str, Any] = field(default_factory=dict)
    layers: int = 1


@dataclass(frozen=True)
class PrintedTable:
    """One network as a document prints it.

    Attributes:
        document: its number, "000" to "004".
        where: table, figure or section.
        recipe: name of the recipe that follows it.
        network: "generator" or "discriminator".
        rows: in order of execution.
        remarks: sentences about the whole table.
    """

    document: str
    where: str
    recipe: str
    network: str
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()


def tables(recipe: str) -> dict[str, PrintedTable]:
    """The printed tables of a recipe, by network; none for a recipe of which no document prints anything."""
    if recipe not in printed:
        return {}
    return {table.network: table for table in printed[recipe]()}


def side_by_side(table: PrintedTable, layers: Sequence[Any]) -> list[tuple[Row, tuple[Any, ...]]]:
    """Each printed row with the layers of ours that it stands for.

    Args:
        layers: the computed table of the same network.

    Raises:
        ValueError: the network has another number of layers than the printed one.
    """
    expected = sum(row.layers for row in table.rows)
    if expected != len(layers):
        raise ValueError(
            f"The {table.network} has {len(layers)} layers; {table.where} of document {table.document} is about "
            f"{expected}."
        )
    pairs, start = [], 0
    for row in table.rows:
        pairs.append((row, tuple(layers[start : start + row.layers])))
        start += row.layers
    return pairs


def differences(row: Row, layers: Sequence[Any]) -> dict[str, Any]:
    """Our value in each printed cell that says something else."""
    found = {}
    for cell in CELLS:
        value, ours = getattr(row, cell), value_of(layers, cell)
        if value is not None and not _agrees(value, ours):
            found[cell] = ours
    return found


def value_of(layers: Sequence[Any], cell: str) -> Any:
    """The value of the layers that make up one row: their sum, their common value, or else a tuple of all."""
    values = [getattr(layer, cell) for layer in layers]
    if cell in ADDED:
        return sum(values)
    return values[0] if all(value == values[0] for value in values) else tuple(values)


def _agrees(printed_value: Any, ours: Any) -> bool:
    """Equal, or a leaky ReLU whose slope is not printed."""
    return printed_value == ours or (printed_value == "leaky ReLU" and str(ours).startswith("leaky ReLU "))
