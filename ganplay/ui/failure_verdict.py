"""What a story measures on the runs on the screen, and whether its claim holds on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import streamlit as st

from ganplay.ui import background, failure_measuring, failure_pictures, failure_runs, live
from ganplay.ui.failure_runs import Trained
from ganplay.ui.shared import ACTIVE, written

DIGITS = 4  # of a number; as text, for a column would round 1e-9 to 0
WAITS = "The runs are measured as soon as none of them trains or waits any more."
MEASURING = "The runs are being measured; that takes some seconds."


def is_measuring(kind: str, members: Sequence[Trained]) -> bool:
    """True while runs that have ended are being measured."""
    if live.is_active([one.run.id for one in members]):
        return False
    return not _asked(kind, members).done() or failure_pictures.is_measuring(kind, members)


def show(kind: str, members: Sequence[Trained], predicted: str) -> None:
    """Draws the verdict, once all runs have ended and are measured."""
    if live.is_active([one.run.id for one in members]):
        st.caption(WAITS)
        return
    try:
        found = background.answer(_asked(kind, members))
    except ValueError as error:
        st.warning(str(error))
        return
    if found is None:
        st.caption(MEASURING)
        return
    said(kind, found, predicted)
    table(found["measured"])
    st.caption("Measured by the program on the samples, weights and curves of exactly these runs, where they ended.")
    failure_pictures.section(kind, members)


def _asked(kind: str, members: Sequence[Trained]) -> Future:
    return failure_measuring.verdict(kind, tuple((one.label, one.run.id, _stamp(one)) for one in members))


def table(measured: Mapping[str, Mapping[str, float]]) -> None:
    """What was measured, a row for each training."""
    rows = [
        {"training": label} | {name: f"{value:.{DIGITS}g}" for name, value in one.items()}
        for label, one in measured.items()
    ]
    st.dataframe(rows, hide_index=True)


def said(kind: str, found: dict[str, Any], predicted: str) -> None:
    """The claim, the evidence, and what the reader expected."""
    story = failure_runs.story(kind)
    if found["holds"]:
        right = "as you said" if predicted == story.answer else f"you said *{predicted}*"
        st.success(f"The claim holds on these runs: **{story.answer}**; {right}.")
    else:
        st.warning(f"You said *{predicted}*. The claim does not hold on these runs: “{story.claim}”")
    st.markdown(f"Measured: {found['evidence']}")


def _stamp(one: Trained) -> tuple[Any, ...]:
    """Changes when the run has more to measure."""
    newest = one.run.checkpoints()[:1]
    return (*written(one.run), newest[0].name if newest else "", one.run.status().state in ACTIVE)
