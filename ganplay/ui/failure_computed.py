"""Failures that are computed instead of trained as runs: the verdict on one seed, found while the reader waits."""

from __future__ import annotations

from concurrent.futures import Future

import streamlit as st

from ganplay.ui import background, failure_measuring, failure_runs, failure_verdict, teaching

COMPUTED = "computed"  # in the address: the seed that was computed
LARGEST = 9_999
SMALLEST_GAN = "dirac-gan"
MEASURING = "It is being computed; that takes some seconds."


def section(kind: str, predicted: str | None) -> None:
    """Draws the steps from "Break it" to the verdict."""
    teaching.step("Break it", "let it be computed")
    obstacle = failure_runs.story(kind).unavailable()
    if obstacle:
        st.warning(obstacle)
    failure_runs.trained_nothing(kind)
    begun = _begun()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed", 0, LARGEST, begun or 0, key=f"failure:{kind}:seed", width=140)
        pressed = st.button("Break it", icon="🔨", type="primary", key="failure:break",
                            disabled=predicted is None or bool(obstacle))  # fmt: skip
        if kind == SMALLEST_GAN:
            st.button("See its field and its paths", icon="🧭", on_click=_open_smallest)
    if pressed:
        st.query_params[COMPUTED] = str(seed)
        begun = int(seed)
    if predicted is None:
        st.caption("Say first what you expect; then it can be broken.")
    elif begun is not None and not obstacle:
        asked_for = failure_measuring.computed(kind, begun)
        pace = None if asked_for.done() else background.AGAIN
        st.fragment(run_every=pace)(_show)(kind, begun, predicted, pace)


def _begun() -> int | None:
    """The seed in the address, None without any."""
    asked = st.query_params.get(COMPUTED, "")[:8]
    return min(int(asked), LARGEST) if asked.isascii() and asked.isdigit() else None


def _show(kind: str, seed: int, predicted: str, pace: float | None) -> None:
    asked: Future = failure_measuring.computed(kind, seed)
    try:
        found = background.answer(asked)
    except ValueError as error:
        st.warning(str(error))
        return
    if found is None:
        st.caption(MEASURING)
        return
    if pace is not None:
        st.rerun()
    teaching.step("Compare", f"what was measured, from the seed {seed}")
    failure_verdict.said(kind, found, predicted)
    failure_verdict.table(found["measured"])


def _open_smallest() -> None:
    st.session_state["part"] = "dirac"
