"""A layer table as HTML: each layer as it is built, and below it the row that a document prints, cell under cell."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ganplay.documents import PrintedTable, Row, differences, side_by_side, value_of
from ganplay.probes.layers import Layer, total

CELLS = ("operation", "kernel", "stride", "padding", "maps", "norm", "activation", "dropout", "output")
COUNTS = ("parameters", "multiply_adds")
_SIZES = ("kernel", "stride", "padding")  # 0 where a layer has none
_STYLE = """<style>
.layers{overflow-x:auto} .layers table{border-collapse:collapse;font-size:.82rem;line-height:1.3;min-width:100%}
.layers th{text-align:left;font-weight:600;padding:.25rem .55rem;white-space:nowrap;opacity:.8}
.layers td{padding:.22rem .55rem;white-space:nowrap} .layers .n{text-align:right;font-variant-numeric:tabular-nums}
.layers tr.built td{border-top:1px solid rgba(128,134,146,.35)} .layers tr.printed td{opacity:.72;font-style:italic}
.layers td.differs{background:rgba(217,115,13,.24);opacity:1 !important;font-weight:600}
.layers td.note{white-space:normal;font-size:.95em;padding-left:1.6rem} .layers tr.sum td{font-weight:600}
.layers tr.sum td{border-top:2px solid rgba(128,134,146,.55)}
</style>"""


def table(layers: Sequence[Layer], printed: PrintedTable | None = None) -> str:
    """The table as HTML; with a printed one below each layer what differs is coloured and its reason given.

    Raises:
        ValueError: the printed table is about another number of layers.
    """
    heads = ["", *CELLS, "parameters", "multiply-adds"]
    right = {"kernel", "stride", "padding", "maps", "output", "parameters", "multiply-adds"}
    head = "".join(f"<th{' class=n' if name in right else ''}>{name}</th>" for name in heads)
    body, number = [], 0
    pairs = side_by_side(printed, layers) if printed else [(None, (layer,)) for layer in layers]
    for row, ours in pairs:
        changed = differences(row, ours) if row else {}
        for layer in ours:
            number += 1
            body.append(_built(number, layer, changed))
        if row:
            body.append(_printed(row, ours, changed))
    sums = total(tuple(layers))
    cells = f"<td></td><td colspan={len(CELLS)}>all layers</td>"
    body.append(
        f"<tr class=sum>{cells}<td class=n>{sums.parameters:,}</td><td class=n>{sums.multiply_adds:,}</td></tr>"
    )
    return (
        f"{_STYLE}<div class=layers><table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def deviations(layers: Sequence[Layer], printed: PrintedTable) -> int:
    """In how many cells the printed table says something else.

    Raises:
        ValueError: it is about another number of layers.
    """
    return sum(len(differences(row, ours)) for row, ours in side_by_side(printed, layers))


def _built(number: int, layer: Layer, changed: dict[str, Any]) -> str:
    cells = "".join(_cell(name, getattr(layer, name), name in changed) for name in CELLS)
    counts = "".join(f"<td class=n>{getattr(layer, name):,}</td>" for name in COUNTS)
    return f"<tr class=built><td class=n>{number}</td>{cells}{counts}</tr>"


def _printed(row: Row, ours: Sequence[Layer], changed: dict[str, Any]) -> str:
    cells = "".join(_cell(name, getattr(row, name), name in changed) for name in CELLS)
    line = f"<tr class=printed><td>printed</td>{cells}<td></td><td></td></tr>"
    if not row.note and not changed:
        return line
    unstated = [name for name in changed if value_of(ours, name) != row.ours.get(name)]
    note = row.note or f"The document prints another {', '.join(unstated)}."
    return f"{line}<tr class=printed><td></td><td class=note colspan={len(CELLS) + 2}>{escape(note)}</td></tr>"


def _cell(name: str, value: Any, differs: bool) -> str:
    classes = [kind for kind, holds in (("n", name in (*_SIZES, "maps", "output")), ("differs", differs)) if holds]
    mark = f' class="{" ".join(classes)}"' if classes else ""
    return f"<td{mark}>{escape(_text(name, value))}</td>"


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "output":
        return " × ".join(map(str, value))
    if name == "dropout":
        return f"{value:g}" if value else "–"
    if name == "kernel":
        return f"{value} × {value}" if value else "–"
    return "–" if name in _SIZES and value == 0 and name != "padding" else str(value)
