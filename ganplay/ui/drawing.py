"""Small drawings of the pages: charts that do not flicker, coloured names, badges of state."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import altair as alt
import pandas  # noqa: F401  loaded whole: Altair would look into it while another thread is still importing it
import streamlit as st

STATES = {
    "queued": "gray", "starting": "blue", "running": "green", "paused": "orange", "stopped": "gray", "finished": "blue",
    "failed": "red", "interrupted": "orange",
}  # fmt: skip


def plain(chart: alt.Chart) -> dict[str, Any]:
    """A chart as a Vega-Lite specification, which can be cached. Its look is left to the theme of the pages."""
    specification = chart.to_dict()
    specification.pop("config", None)
    return specification


def show(form: dict[str, Any], rows: list[dict[str, Any]], key: str) -> None:
    """Draws `rows` in the form that `plain` made; it never changes, so that the browser swaps the data only."""
    if not rows:
        st.caption(f"{form['title']['text']}: nothing to draw yet.")
        return
    st.vega_lite_chart(form | {"data": {"values": rows}}, width="stretch", key=key)


def dot(colour: str, text: str, strong: bool = False) -> str:
    """HTML of a name after a dot in its colour."""
    weight = "600" if strong else "400"
    return (
        f"<div style='font-weight:{weight};line-height:1.35;overflow-wrap:anywhere'>"
        f"<span style='color:{colour};font-size:1.15em'>●</span> {escape(text)}</div>"
    )


def legend(entries: Iterable[tuple[str, str]]) -> None:
    """One line of coloured names, (colour, text), for the figures below it."""
    with st.container(horizontal=True, gap="medium"):
        for shade, text in entries:
            st.html(dot(shade, text), width="content")


def state_badge(state: str) -> None:
    """The state of a run as a badge."""
    st.badge(state, color=STATES.get(state, "gray"))


def duration(seconds: float) -> str:
    """Seconds as "45 s", "12 min" or "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.1f} h"


def size(count: int) -> str:
    """Bytes as "12.3 MB" or "1.2 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
