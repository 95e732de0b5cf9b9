"""Which runs belong to a failure on the screen: kept in the address and in the session, known by their recipes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.stories import stories
from ganplay.stories.story import Story
from ganplay.ui import links
from ganplay.ui.shared import MOST_RUNS, attempt, manager, runs

PAGE = "failure_modes"
STORED, SHOWN = "failure:runs", "failure:shown"
MOST_CURES = MOST_RUNS - 1
QUEUE_SECONDS = 2.0  # for which the order of the queue is read once for all sessions


class Trained(NamedTuple):
    """A run of a story.

    Attributes:
        label: of the recipe that it trains, as the story calls it.
    """

    label: str
    run: Run


@st.cache_data(show_spinner=False)
def offered() -> dict[str, str]:
    """The titles of this page's stories by name."""
    return {kind: stories[kind].title for kind in stories if stories[kind].page == PAGE}


def story(kind: str) -> Story:
    """The story called `kind`."""
    return stories[kind]()


def trained(kind: str) -> list[Trained]:
    """The runs of this story in the address, or those that the reader made before; what is unknown is told."""
    stored = st.session_state.setdefault(STORED, {})
    asked = links.run_ids(st.query_params.get("runs"))
    if asked and st.session_state.get(SHOWN) in (None, kind):  # the address is still about another failure otherwise
        stored[kind] = asked
    st.session_state[SHOWN] = kind
    found, sentences = runs(stored.get(kind, []))
    members = []
    for run in found:
        label = _label(kind, run)
        if label:
            members.append(Trained(label, run))
        else:
            sentences.append(f"The run '{run.label}' does not train a recipe of this failure; it is left out.")
    for sentence in sentences:
        st.warning(sentence)
    order = list(story(kind).recipes(0))
    members.sort(key=lambda one: order.index(one.label))
    _remember(kind, [one.run.id for one in members])
    return members


def trained_nothing(kind: str) -> None:
    """Takes the runs of another failure out of the address, for one that is computed."""
    st.session_state[SHOWN] = kind
    st.query_params.pop("runs", None)


def start(kind: str, labels: Sequence[str], seed: int, beside: Sequence[Trained]) -> None:
    """Queues trainings of a story beside those that are there; what is refused becomes the page's notice."""
    recipes = story(kind).recipes(seed)
    group = beside[0].run.info["group"] if beside else secrets.token_hex(4)
    ids = [one.run.id for one in beside]
    for label in labels[: MOST_RUNS - len(ids)]:
        run = attempt(manager().submit, recipes[label], label[:80], None, group)
        if run is None:
            break
        ids.append(run.id)
        _remember(kind, ids)


def forget(kind: str, ids: Sequence[str]) -> None:
    """Takes runs off the screen; they stay on the page "Runs"."""
    kept = [id for id in st.session_state.get(STORED, {}).get(kind, []) if id not in ids]
    _remember(kind, kept)


@st.cache_data(show_spinner=False, ttl=QUEUE_SECONDS, max_entries=1)
def queue() -> list[str]:
    """The ids of the runs that wait, in the order in which they will begin."""
    waiting = [(status.updated, run.id) for run in store.unsorted_runs()
               if (status := run.written_status()).state == "queued"]  # fmt: skip
    return [id for _, id in sorted(waiting)]


def said_waiting(member: Trained) -> str:
    """How many runs begin before this one, in words; empty when it does not wait."""
    waiting = queue()
    if member.run.id not in waiting:
        return ""
    before = waiting.index(member.run.id)
    said = {0: "it is the next to begin", 1: "one run begins before it"}.get(before, f"{before} runs begin before it")
    return f"**{member.label}** waits for a free place: {said}. {manager().limit} train at once here."


def _label(kind: str, run: Run) -> str | None:
    """The story's name for what a run trains."""
    try:
        recipe = run.recipe()
    except ValueError:
        return None
    return next((label for label, one in story(kind).recipes(recipe.seed).items() if one == recipe), None)


def _remember(kind: str, ids: list[str]) -> None:
    st.session_state.setdefault(STORED, {})[kind] = ids
    if ids:
        st.query_params["runs"] = ",".join(ids)
    else:
        st.query_params.pop("runs", None)
