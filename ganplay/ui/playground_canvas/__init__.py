"""The playground's live view: one component of our own, in plain JavaScript, that talks to the server by itself.

Streamlit's script only mounts it. Frames, steps and the way through time go between the browser and the addresses of
`ganplay.ui.playground_routes`, so thirty students who play cost no runs of the script. What the component tells it:
`part` (a part of the model was clicked), `layers`, `member` (whose model is shown), `now` ({"playing", "script"}, at
the beginning and the end of play and whenever it came to rest elsewhere), and once `lost`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ganplay.charts.style import PALETTE

FOLDER = Path(__file__).parent
MODULES = ("codec", "layers", "motion", "plane", "graph", "server", "transport", "stages", "drawing", "canvas")
COLOURS = {
    "real": PALETTE[0], "fake": PALETTE[1], "warped": PALETTE[2], "arrows": PALETTE[3], "lit": PALETTE[4],
}  # fmt: skip
LAYERS = ("real", "fakes", "heat", "warped", "arrows")  # the canvas knows these
FIRST_LAYERS = ("real", "fakes", "heat")
PARTS = ("noise", "generator", "fakes", "real", "discriminator", "predictions", "loss_d", "loss_g")
_IMPORT = re.compile(r"^import .* from \"\./\w+\.js\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def script() -> str:
    """All modules as one: Streamlit hands a component's code to the browser without an address of its own."""
    texts = [(FOLDER / f"{name}.js").read_text("utf-8") for name in MODULES]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


@cache
def style() -> str:
    """The component's style sheet."""
    return (FOLDER / "canvas.css").read_text("utf-8")


@cache
def _component() -> Any:
    return st.components.v2.component("ganplay_playground", js=script(), css=style())


def canvas(data: dict[str, Any], key: str) -> Any:
    """Draws the component.

    Args:
        data: id and script (of the playground), names (a GAN each), formulas ({"d", "g"} as plain text, a GAN each),
            noise, dataset (a text that changes with it), layers, part, hide, page (the page's own address), speeds
            (pairs of iterations per frame and words), drawing ({"extent", "most"}) and play (true to begin at once).

    Returns:
        what the reader did, as attributes: part, layers, member, now, lost.
    """
    names = ("part", "layers", "member", "now", "lost")
    return _component()(
        data=data | {"colours": COLOURS}, key=key, height="content", **{f"on_{name}_change": _nothing for name in names}
    )


def _nothing() -> None:
    """Streamlit returns only what has a callback."""
