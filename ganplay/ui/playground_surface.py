"""The story of the critic's surface: weight clipping against gradient penalty, with a generator that stands still.

Two critics train for some seconds in the background, once for everybody who asks for the same data.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import streamlit as st

from ganplay.charts import playground as charts
from ganplay.stories.story import Story
from ganplay.ui import background, drawing, teaching

KIND = "playground-value-surfaces"  # the story that this is the view of
REALS = 300  # points that are drawn over a surface
ASKED = "surface:asked"  # in the session: the data whose critics are to be seen


def section(story: Story) -> None:
    """Draws the question, the choice of data, and both surfaces once they are asked for."""
    from ganplay.scenarios import value_surface

    predicted = teaching.predict(story.question, story.answers, "surface")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    data = left.selectbox("Data", list(value_surface.SETS), key="surface:data")
    if right.button("Train both critics", type="primary", width="stretch", disabled=predicted is None,
                    help="Choose an answer first." if predicted is None else "Some seconds."):  # fmt: skip
        st.session_state[ASKED] = data
    if predicted and st.session_state.get(ASKED) == data:
        done = all(one.done() for one in _both(data).values())
        st.fragment(run_every=None if done else background.AGAIN)(_show)(story, data, predicted, done)
    with st.expander("**Code** · one critic, trained and read"):
        teaching.source(value_surface.value_surface)


def _show(story: Story, data: str, predicted: str, done: bool) -> None:
    found = {how: background.answer(one) for how, one in _both(data).items()}
    if not all(found.values()):
        st.caption(f"{sum(map(bool, found.values()))} of {len(found)} critics are trained.")
        return
    if not done:
        st.rerun()
    for (how, one), column in zip(found.items(), st.columns(len(found)), strict=True):
        with column:
            st.vega_lite_chart(_drawn(data, how, one), width="stretch", key=f"surface:{data}:{how}")
            st.markdown(
                f"Real points score **{one['gap']:.3g}** more than fakes; steepest slope **{one['steepest']:.3g}**."
            )
    st.success(f"You said *{predicted}*. {verdict(found)}")
    st.markdown(f"The story claims: {story.claim} ({story.source})")
    st.markdown(story.why)


def verdict(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Whose surface shows more fine detail, in one sentence with the numbers and what the claim asks for."""
    from ganplay.stories.playground_surfaces import CLIPPED, FACTOR, PENALISED

    clipped, penalised = found[CLIPPED]["detail"], found[PENALISED]["detail"]
    more = "at least" if penalised >= FACTOR * clipped else "less than"
    return (
        f"Of the detail that its slope allows, the critic with the penalty shows {penalised:.0%} and the clipped one "
        f"{clipped:.0%}: {more} the {FACTOR:g} times that are claimed."
    )


def _both(data: str) -> dict[str, Future]:
    from ganplay.scenarios.value_surface import CRITICS

    return {how: background.ask(_computed, data, how) for how in CRITICS}


def _computed(data: str, how: str) -> dict[str, Any]:
    """A surface as plain data: extent, values (rows from low to high y), gap, steepest, detail, real points."""
    from ganplay.data.resident import load
    from ganplay.scenarios.value_surface import CRITICS, SETS, value_surface

    found = value_surface(SETS[data], CRITICS[how])
    return {
        "extent": found.extent, "values": found.values.tolist(), "gap": found.gap, "steepest": found.steepest,
        "detail": found.detail, "real": load(SETS[data], (2,)).values[:REALS].tolist(),
    }  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=12)
def _drawn(data: str, how: str, _one: dict[str, Any]) -> dict[str, Any]:
    """The figure; data and critic decide all of it."""
    return drawing.plain(charts.surface(_one["values"], _one["extent"], _one["real"], f"{how}, {data}"))
