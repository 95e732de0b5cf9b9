"""The form of the page "Feature study" that starts a study: base, data, switches, seeds, images, and what it takes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ganplay.data import catalogue
from ganplay.recipes import recipe, recipes
from ganplay.runs.limits import concurrent_runs, queue_places
from ganplay.studies import estimate, store
from ganplay.studies.driving import Driver
from ganplay.studies.plan import IMAGES, QUICK, SEEDS, SMALL, plan
from ganplay.studies.plan import count as counted
from ganplay.studies.switches import fitting, switch
from ganplay.ui import drawing
from ganplay.ui.shared import attempt, manager

DOCUMENT = ("sigmoid", "uniform", "dropout", "flipped", "critic-twice", "generator-twice")
OFFLINE = "digits"
OWN = "study:own"
BASES: dict[str, tuple[str, dict[str, Any], int]] = {  # what comes first in the list: name, changes, images
    QUICK: ("Small nets on the embedded digits, seconds a training", dict(SMALL), 24_000),
    "toy-ring": ("Points: ring of eight Gaussians, seconds a training", {}, 250_000),
    "kth-simple": ("Document 002: simple model", {}, 100_000),
    "kth-intermediate": ("Document 002: intermediate model", {}, 60_000),
    "kth-dcgan": ("Document 002: complete DCGAN, hours", {}, 60_000),
}
LONG = 3_600.0  # seconds of a study above which a reader is warned


@st.cache_resource(show_spinner=False)
def driver() -> Driver:
    """What drives the studies of this server, started on first use."""
    running = Driver(manager())
    running.start()
    return running


def start_form() -> None:
    """Draws the form; a study that is started becomes the one that the page shows."""
    own = st.expander("**A study of your own** · choose a base and what to switch", key=OWN, on_change="rerun")
    if not own.open:  # what fits a base takes a moment to find out
        return
    with own:
        left, right = st.columns(2)
        base = left.selectbox(
            "Base", [*BASES, *(name for name in recipes.names() if name not in BASES)], key="study:base",
            format_func=lambda name: BASES[name][0] if name in BASES else f"Recipe {name}",
        )  # fmt: skip
        with right:
            data = _data(base)
        _, usual, images = BASES.get(base, ("", {}, 60_000))
        changes = {**usual, **({"dataset": data} if data else {})}
        try:
            fit, unfit = _fitting(base, changes)
        except ValueError as error:
            st.error(str(error))
            return
        chosen = st.pills(
            "Switches, each alone against the base", list(fit), selection_mode="multi", key=f"study:switches:{base}",
            default=[name for name in DOCUMENT if name in fit], format_func=lambda name: switch(name).title,
        )  # fmt: skip
        for name, reason in unfit.items():
            st.caption(f"*{switch(name).title}* does not fit: {reason}")
        left, right = st.columns(2)
        seeds = left.number_input(
            "Seeds", *SEEDS, value=3, key="study:seeds",
            help="With more seeds smaller differences stand out: 3 show only large ones, 5 or more are better.",
        )  # fmt: skip
        images = right.number_input(
            "Images that each training sees", *IMAGES, value=images, step=10_000, key=f"study:images:{base}"
        )
        _start(base, changes, tuple(chosen), int(seeds), int(images))


def _data(base: str) -> str | None:
    """The data set to train on instead of the recipe's own, None for that one."""
    own = recipe(base).dataset
    if own.kind == OFFLINE or len(own.native) == 1:
        st.selectbox("Data", [own.title], key=f"study:data:{base}", disabled=True)
        return None
    chosen = st.selectbox(
        "Data", [own.kind, OFFLINE], key=f"study:data:{base}",
        format_func=lambda kind: own.title if kind == own.kind else "Digits (8 x 8 scans), offline",
    )  # fmt: skip
    available = {entry["kind"]: entry["available"] for entry in catalogue.describe()}
    if not available.get(chosen, True):
        st.caption("Downloads on first use.")
    return chosen if chosen != own.kind else None


@st.cache_data(show_spinner="Looking which switches fit this base", max_entries=32)
def _fitting(base: str, changes: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    return fitting(recipe(base).change(changes))


def _start(base: str, changes: dict[str, Any], switches: tuple[str, ...], seeds: int, images: int) -> None:
    places = concurrent_runs()
    refusal = ""
    try:
        sentence, long = _takes(base, changes, switches, seeds, images, places)
        st.markdown(sentence)
        if long:
            st.warning("That is long. Fewer switches, seeds or images make it shorter; it can be stopped and resumed.")
    except ValueError as error:
        refusal = str(error)
        st.info(refusal)
    st.caption(
        f"This server trains {places} at once and lets {queue_places()} wait. A study puts no more than {places} into "
        "the queue, so that others get their turn between its trainings; of several studies one goes on at a time."
    )
    if st.button("Start the study", type="primary", key="study:start", disabled=bool(refusal)):
        id = attempt(_submit, base, changes, switches, seeds, images)
        if id:
            st.query_params["study"] = id
            st.session_state.pop("study:chosen", None)
        st.rerun()


@st.cache_data(show_spinner=False, max_entries=64)
def _takes(
    base: str, changes: dict[str, Any], switches: tuple[str, ...], seeds: int, images: int, places: int
) -> tuple[str, bool]:
    """What a study would be, in a sentence, and whether it is long."""
    made = plan(base, changes, switches, seeds, images)
    count, wait = len(made.variants) * seeds, estimate.seconds(made, places)
    return (
        f"**{count} trainings** of {made.images:,} images ({counted(len(switches))} and the base, {seeds} seeds), "
        f"about **{drawing.duration(wait)}** on free processors, by the arithmetic of the networks. "
        f"Score: {made.score_name}."
    ), wait > LONG


def _submit(base: str, changes: dict[str, Any], switches: tuple[str, ...], seeds: int, images: int) -> str:
    study = store.create(plan(base, changes, switches, seeds, images))
    try:
        driver().drive(study.id)
    except ValueError:
        store.delete(study)  # too many wait: nothing is left behind
        raise
    return study.id
