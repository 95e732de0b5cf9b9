"""A benchmark's tables as text, as Markdown and as plain JSON data."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from ganplay.benchmarks import Cell, Table

WIDTH = 120


def text(table: Table) -> str:
    """For a terminal: columns of words to the left, columns of numbers to the right."""
    heads = [textwrap.wrap(heading, 12, break_long_words=False) or [""] for heading in table.columns]
    depth = max(map(len, heads))
    lines = [[head[line] if line < len(head) else "" for head in heads] for line in range(depth)]
    lines += [[cell_text(cell) for cell in row] for row in table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.columns))]
    right = [_numeric(table, column) for column in range(len(table.columns))]
    body = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([table.title, "", *body, "", *textwrap.wrap(table.note, WIDTH)])


def markdown(table: Table) -> str:
    """For the README."""
    right = [_numeric(table, column) for column in range(len(table.columns))]
    rows = [
        table.columns,
        ["---:" if number else "---" for number in right],
        *([cell_text(cell) for cell in row] for row in table.rows),
    ]
    body = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([f"**{table.title}**", "", *body, "", table.note])


def plain(table: Table) -> dict[str, Any]:
    """JSON data with every figure as it was measured."""
    rows: list[Mapping[str, Any]] = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return {"title": table.title, "note": table.note, "columns": table.columns, "rows": rows, "raw": table.raw}


def cell_text(cell: Cell) -> str:
    """A cell for a reader: about three digits of a number, a dash for what there is none of."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"


def _numeric(table: Table, column: int) -> bool:
    """True for a column that has a number and no words."""
    cells = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and not any(isinstance(cell, str) for cell in cells)
