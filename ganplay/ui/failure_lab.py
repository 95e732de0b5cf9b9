"""The laboratory of the page "Failure modes": break a GAN, read what is wrong, choose cures, compare."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import streamlit as st

from ganplay import diagnosis
from ganplay.recipe import Recipe
from ganplay.stories.story import Story
from ganplay.ui import (
    background,
    failure_address,
    failure_computed,
    failure_findings,
    failure_runs,
    failure_verdict,
    live,
    teaching,
)
from ganplay.ui.failure_runs import Trained
from ganplay.ui.navigation import page
from ganplay.ui.shared import show_notice

WATCHING = ("title", "stop_images", "log_every", "sample_every")  # they go with the others and cure nothing
LARGEST_SEED = 2**31 - 1
IDEA = """
A GAN can break in many ways, and its curves seldom say which. Here you break one on purpose, let the program read what
is wrong from the numbers of your own run, and then let cures run beside it from the same seed.
"""
FIRST = "mode-collapse"  # what is offered to who asks for none


def section() -> None:
    """Draws the laboratory."""
    known = failure_runs.offered()
    if not known:
        st.info("No failure is ready to be broken yet. The smallest GAN and the reader of curves are.")
        return
    teaching.step("Idea", "break it on purpose")
    st.markdown(IDEA)
    failure_address.begin("failure", known, FIRST if FIRST in known else next(iter(known)))
    kind = st.selectbox("Failure", list(known), format_func=known.get, key="failure")
    failure_address.keep("failure", kind)
    story = failure_runs.story(kind)
    predicted = _predict(kind, story)
    members = failure_runs.trained(kind) if story.recipes(0) else []
    if story.recipes(0):
        _break(kind, story, members, predicted)
    else:
        failure_computed.section(kind, predicted)
    if members:
        _watch(kind, members, predicted)
        _cure(kind, story, members)
        _compare(kind, members, predicted)
    with st.expander("**Why** · what happens, and what helps"):
        if predicted is None and not members:
            st.caption("Say first what you expect.")
        else:
            st.markdown(story.why)
            st.caption(f"Source: {story.source}")
    with st.expander("**Code** · what is trained and checked, and what the diagnosis looks for"):
        teaching.source(sys.modules[type(story).__module__], diagnosis.diagnose)


def _predict(kind: str, story: Story) -> str | None:
    trained = [f"Trained here: {_said(label, one)}." for label, one in list(story.recipes(0).items())[:1]]
    st.caption(" ".join([*trained, f"Source: {story.source}."]))
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(story.question, story.answers, f"failure:{kind}")
    if predicted is not None:
        st.markdown(f"**The claim** that your runs are checked against: {story.claim}")
    return predicted


def _said(label: str, recipe: Recipe) -> str:
    penalty = "".join(f" with {one.kind}" for one in recipe.penalties)
    return f"{label}: {recipe.dataset.title}, {recipe.loss.kind} loss{penalty}, {recipe.stop_images:,} images"


def _break(kind: str, story: Story, members: Sequence[Trained], predicted: str | None) -> None:
    teaching.step("Break it", "let it train")
    show_notice()
    first = next(iter(story.recipes(0)))
    broken = any(one.label == first for one in members)
    obstacle = story.unavailable()
    if obstacle:
        st.warning(obstacle)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        given = _seed_of(members)
        seed = st.number_input(
            "Seed", 0, LARGEST_SEED, given or 0, key=f"failure:{kind}:seed:{given}", width=140, disabled=bool(members),
            help="The cures start from the same seed: the same weights, the same noise, the same order of the data.",
        )  # fmt: skip
        # the first training needs a prediction, so that there is something to compare it with
        if st.button("Break it", icon="🔨", type="primary", key="failure:break",
                     disabled=broken or predicted is None or bool(obstacle)):  # fmt: skip
            failure_runs.start(kind, [first], int(seed), members)
            st.rerun()
        if members:
            ids = [one.run.id for one in members]
            st.button("Start over", icon="🆕", on_click=failure_runs.forget, args=(kind, ids))
    if predicted is None and not members:
        st.caption("Say first what you expect; then it can be broken.")


def _seed_of(members: Sequence[Trained]) -> int | None:
    return members[0].run.recipe().seed if members else None


def _watch(kind: str, members: Sequence[Trained], predicted: str | None) -> None:
    """The runs as they train, and what the diagnosis says of them."""
    ids = [one.run.id for one in members]
    teaching.step("See", "pictures and curves, live")
    st.fragment(run_every=live.STEADY if live.is_active(ids) else None)(_waiting)(members)
    live.watch(ids)
    if st.session_state.get("forking") in ids:  # the button of a card: the form is on the page of comparisons
        st.switch_page(page("train"), query_params={"runs": ",".join(ids)})
    teaching.step("Diagnose", "what the numbers of these runs say")
    if predicted is None:
        st.info("Say above what you expect; then the diagnosis is shown.")
        return
    pace = _pace_of_diagnosis(members)
    st.fragment(run_every=pace)(_diagnose)(kind, members, pace)


def _waiting(members: Sequence[Trained]) -> None:
    for one in members:
        said = failure_runs.said_waiting(one)
        if said:
            st.caption(said)


def _pace_of_diagnosis(members: Sequence[Trained]) -> float | None:
    """Seconds until there may be something new; None when there is nothing to wait for."""
    if live.is_active([one.run.id for one in members]):
        return live.CHARTS
    return background.AGAIN if any(failure_findings.is_measuring(one.run) for one in members) else None


def _diagnose(kind: str, members: Sequence[Trained], pace: float | None) -> None:
    """The findings on one run, marked on its curves."""
    labels = [one.label for one in members]
    chosen = labels[0]
    if len(members) > 1:
        chosen = st.pills("Run", labels, default=chosen, required=True, key=f"failure:{kind}:of")
    one = next((member for member in members if member.label == chosen), members[0])
    failure_findings.of_one(one.run, f"failure:{kind}")
    if _pace_of_diagnosis(members) != pace:
        st.rerun()


def _cure(kind: str, story: Story, members: Sequence[Trained]) -> None:
    teaching.step("Cure", "what could help? Choose up to three")
    recipes = story.recipes(_seed_of(members) or 0)
    first, *cures = recipes
    there = [one.label for one in members]
    free = [label for label in cures if label not in there]
    room = failure_runs.MOST_CURES - sum(label != first for label in there)
    if not cures:
        st.caption("This failure has no cure to choose: it shows what happens.")
        return
    for label in cures:
        changes = recipes[label].difference(recipes[first])
        changes = {path: value for path, value in changes.items() if path not in WATCHING}
        st.markdown(f"- **{label}**: {failure_findings.said_changes(changes)}")
    if not free:
        st.caption("All its cures are here.")
    elif room <= 0:
        st.caption("No more cures fit beside each other; take one off to choose another.")
    else:
        chosen = st.pills("Cures to try", free, selection_mode="multi", key=f"failure:{kind}:cures:{len(there)}")
        if len(chosen) > room:
            st.caption(f"Choose at most {room}: {failure_runs.MOST_CURES} cures fit beside the broken training.")
        if st.button("Run the cures", icon="💊", type="primary", key="failure:cure",
                     disabled=not 1 <= len(chosen) <= room):  # fmt: skip
            failure_runs.start(kind, chosen, _seed_of(members), members)
            st.rerun()
    running = [one for one in members if one.label != first]
    with st.container(horizontal=True):
        for one in running:
            st.button(f"✕ {one.label}", key=f"off:{one.run.id}", on_click=failure_runs.forget,
                      args=(kind, [one.run.id]), help="Off the screen; it stays on the page “Runs”.")  # fmt: skip


def _compare(kind: str, members: Sequence[Trained], predicted: str | None) -> None:
    teaching.step("Compare", "what was measured on exactly these runs")
    if predicted is None:
        st.info("Say above what you expect; then the runs are judged.")
        return
    pace = _pace_of_verdict(kind, members)
    st.fragment(run_every=pace)(_judge)(kind, members, predicted, pace)


def _pace_of_verdict(kind: str, members: Sequence[Trained]) -> float | None:
    if live.is_active([one.run.id for one in members]):
        return live.CHARTS
    return background.AGAIN if failure_verdict.is_measuring(kind, members) else None


def _judge(kind: str, members: Sequence[Trained], predicted: str, pace: float | None) -> None:
    failure_verdict.show(kind, members, predicted)
    if _pace_of_verdict(kind, members) != pace:
        st.rerun()
