"""A picture whose pixels can be clicked, to ask where attention looks from there."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from ganplay.charts.style import Row

SELECTION = "place"
SIZE = 330  # pixels of the figure at the most
LARGEST = 32  # pixels of the picture in a row: a larger one is averaged, for each pixel is sent to the browser
_NONE = {"left": 0, "top": 0, "right": 0, "bottom": 0}  # all four, or the pages would add their own below
MARK = "#ff2d95"  # of the chosen place: no picture is all of it


def pixel_rows(pixels: Sequence[Sequence[Sequence[int]]], side: int, x: int, y: int) -> list[Row]:
    """The data of the picture: a row for each pixel with its place on attention's map.

    Args:
        pixels: rows of (red, green, blue), 0 to 255.
        side: places in a row of attention's map.
        x, y: the chosen place.
    """
    height, width = len(pixels), len(pixels[0])
    found = []
    for row, line in enumerate(pixels):
        for column, (red, green, blue) in enumerate(line):
            here = column * side // width, row * side // height
            found.append({
                "column": column, "row": row, "x": here[0], "y": here[1],
                "colour": MARK if here == (x, y) else f"#{red:02x}{green:02x}{blue:02x}",
            })  # fmt: skip
    return found


def picture(rows: Sequence[Row]) -> alt.Chart:
    """The picture as a chart with a click on a place as its selection, called `SELECTION`."""
    side = 1 + max(row["column"] for row in rows)
    size = SIZE // side * side  # whole pixels of the screen: no seams between those of the picture
    click = alt.selection_point(name=SELECTION, fields=["x", "y"], on="click", toggle=False, empty=True)
    return (
        alt.Chart(alt.Data(values=list(rows)))
        .mark_rect(strokeWidth=0, cursor="crosshair")
        .encode(
            x=alt.X("column:O", axis=None, scale=alt.Scale(padding=0)),
            y=alt.Y("row:O", axis=None, scale=alt.Scale(padding=0)),
            color=alt.Color("colour:N", scale=None, legend=None),
            tooltip=[alt.Tooltip("x:Q", title="place x"), alt.Tooltip("y:Q", title="place y")],
        )
        .add_params(click)
        .properties(width=size, height=size, padding=_NONE, autosize=alt.AutoSizeParams(type="none"))
    )
