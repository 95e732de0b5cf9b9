"""The page "Failure modes": a laboratory, the smallest GAN, a reader of curves, and a quiz."""

from __future__ import annotations

import streamlit as st

from ganplay.ui import failure_address, failure_dirac, failure_lab, failure_quiz, failure_read

PARTS = {
    "lab": ("Break it, cure it", failure_lab.section),
    "dirac": ("The smallest GAN", failure_dirac.section),
    "curves": ("Read my loss curve", failure_read.section),
    "quiz": ("Quiz", failure_quiz.section),
}


def failure_modes() -> None:
    """Draws the page: the part that the address names."""
    st.title("Failure modes")
    failure_address.begin("part", PARTS, "lab")
    part = st.segmented_control(
        "What to do", list(PARTS), required=True, key="part", format_func=lambda name: PARTS[name][0],
        label_visibility="collapsed",
    )  # fmt: skip
    failure_address.keep("part", part)
    PARTS[part][1]()
