"""Where the power of pictures lies by frequency: a checkerboard is a peak at the highest, a sign change a pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from ganplay.charts.style import Row

REAL = "real pictures"
SMALLEST = 1e-7  # share of the power below which nothing is drawn


def rows(spectra: Mapping[str, Sequence[float]]) -> list[Row]:
    """A row for each frequency of each spectrum.

    Args:
        spectra: by name, the shares of the power from frequency 0 to 1/2, evenly spaced; the mean itself left out.
    """
    return [
        {
            "line": name,
            "frequency": round(place / (2 * (len(shares) - 1)), 5),
            "share": max(float(f"{share:.4g}"), SMALLEST),
        }
        for name, shares in spectra.items()
        for place, share in enumerate(shares)
    ]


def spectrum(data: Sequence[Row], names: Sequence[str], colours: Sequence[str]) -> alt.Chart:
    """One line a training, on a log scale; real pictures are dashed.

    Args:
        data: of `rows`.
        names: the values of `line`, one colour each.
    """
    dashed = alt.condition(f"datum.line == '{REAL}'", alt.value([5, 4]), alt.value([1, 0]))
    title = alt.TitleParams(
        "Power by frequency, along rows and columns, log scale", anchor="start", fontSize=13, fontWeight="normal",
        offset=8,
    )  # fmt: skip
    return (
        alt.Chart(alt.Data(values=list(data)), title=title, height=260)
        .mark_line(strokeWidth=1.8, point=alt.OverlayMarkDef(size=24))
        .encode(
            x=alt.X("frequency:Q", title="cycles a pixel", axis=alt.Axis(grid=False, tickCount=5)),
            y=alt.Y(
                "share:Q", title="share of the power", scale=alt.Scale(type="log"),
                axis=alt.Axis(format=".0e", tickCount=5, grid=False),
            ),
            color=alt.Color("line:N", scale=alt.Scale(domain=list(names), range=list(colours)), legend=None),
            strokeDash=dashed,
            tooltip=[
                alt.Tooltip("line:N", title="of"),
                alt.Tooltip("frequency:Q", title="cycles a pixel"),
                alt.Tooltip("share:Q", title="share of the power", format=".3g"),
            ],
        )
    )  # fmt: skip
