"""The page "Vanishing gradients": one section at a time, each a file of its own."""

from __future__ import annotations

import streamlit as st

from ganplay.ui import vanishing_depth, vanishing_frozen, vanishing_layers, vanishing_line, vanishing_logits

SECTIONS = {
    "Layer by layer": vanishing_layers.section,
    "Two Gaussians": vanishing_line.section,
    "Losses over the logit": vanishing_logits.section,
    "Frozen generator": vanishing_frozen.section,
    "Depth and activation": vanishing_depth.section,
}


def vanishing_gradients() -> None:
    """Draws the page."""
    st.title("Vanishing gradients")
    chosen = st.pills(
        "Where gradients vanish", list(SECTIONS), default=next(iter(SECTIONS)), required=True, key="section",
        bind="query-params",
    )  # fmt: skip
    SECTIONS[chosen]()
