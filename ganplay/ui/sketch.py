"""What a GAN is in one picture: a drawing for light and for dark pages."""

from __future__ import annotations

REAL, FAKE = "#3182ce", "#d9730d"  # as in the charts: blue for real and the discriminator, orange for generated


def _box(x: int, y: int, width: int, title: str, below: str, colour: str) -> str:
    middle = x + width / 2
    return (
        f"<rect x='{x}' y='{y}' width='{width}' height='64' rx='10' fill='{colour}' fill-opacity='0.13' "
        f"stroke='{colour}' stroke-width='1.6'/><text x='{middle}' y='{y + 28}' class='name'>{title}</text>"
        f"<text x='{middle}' y='{y + 48}' class='small'>{below}</text>"
    )


def _arrow(path: str, colour: str = "currentColor", dashed: bool = False) -> str:
    dash = " stroke-dasharray='5 4'" if dashed else ""
    return (
        f"<path d='{path}' fill='none' stroke='{colour}' stroke-width='1.8'{dash} "
        f"marker-end='url(#{'back' if dashed else 'tip'})'/>"
    )


def _noise(x: int, y: int) -> str:
    shades = (0.15, 0.7, 0.35, 0.9, 0.5, 0.2, 0.8, 0.3, 0.6, 0.95, 0.1, 0.45, 0.75, 0.25, 0.55, 0.85)
    return "".join(
        f"<rect x='{x + 14 * (i % 4)}' y='{y + 14 * (i // 4)}' width='13' height='13' fill='currentColor' "
        f"fill-opacity='{shade}'/>"
        for i, shade in enumerate(shades)
    )


def _digit(x: int, y: int, colour: str, rows: tuple[str, ...]) -> str:
    return "".join(
        f"<rect x='{x + 9 * column}' y='{y + 9 * row}' width='8.4' height='8.4' fill='{colour}' "
        f"fill-opacity='{1.0 if mark == '#' else 0.45 if mark == '+' else 0.1}'/>"
        for row, line in enumerate(rows)
        for column, mark in enumerate(line)
    )


_THREE = ("+###+.", "+..+#.", ".+##+.", "...+#+", "#+..#+", "+###+.")
_ROUGH = (".+##+.", "+#.+#+", ".+#++.", "..++#.", "+..+#+", ".##+#.")

INKS = {"light": "#1f2733", "dark": "#e6e8ec"}  # the text colours of the two themes

_STYLE = (
    "<style>text{fill:currentColor;text-anchor:middle;font-family:sans-serif}.name{font-size:17px;font-weight:600}"
    ".small{font-size:13px;fill-opacity:.78}</style>"
)
_HEADS = (
    "<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
    "<path d='M0 0L8 4L0 8z' fill='currentColor'/></marker>"
    "<marker id='back' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
    f"<path d='M0 0L8 4L0 8z' fill='{FAKE}'/></marker></defs>"
)
ALT = (
    "Noise goes through the generator and becomes a generated picture. The discriminator sees generated and real "
    "pictures and says how real they are. What it says teaches both networks."
)


def gan(theme: str) -> str:
    """The drawing as SVG for the theme "light" or "dark"."""
    ink = INKS.get(theme, INKS["light"])
    parts = [
        _STYLE, _HEADS,
        _noise(18, 196), "<text x='46' y='274' class='small'>noise z</text>", _arrow("M84 224H128"),
        _box(136, 192, 140, "Generator G", "the forger", FAKE), _arrow("M280 224H324"),
        _digit(334, 197, FAKE, _ROUGH), "<text x='361' y='274' class='small'>generated G(z)</text>",
        _digit(334, 52, REAL, _THREE), "<text x='361' y='128' class='small'>real x</text>",
        _arrow("M400 84C450 84 440 140 478 146"), _arrow("M400 220C450 220 440 168 478 162"),
        _box(488, 122, 158, "Discriminator D", "the detective", REAL), _arrow("M650 154H690"),
        "<text x='725' y='150' class='name'>real?</text><text x='725' y='170' class='small'>0 … 1</text>",
        _arrow("M567 192C567 330 206 340 206 264", FAKE, dashed=True),
        "<text x='392' y='336' class='small'>the gradient tells G how to be taken for real</text>",
    ]  # fmt: skip
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 40 760 304' width='760' height='304' color='{ink}'>"
        + "".join(parts) + "</svg>"
    )  # fmt: skip
