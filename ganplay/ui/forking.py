"""The form that lets a run go on with a changed recipe."""

from __future__ import annotations

import streamlit as st

from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.ui import forms
from ganplay.ui.contenders import problem_of
from ganplay.ui.shared import MOST_RUNS, manager, sentence

SKIP = ("dataset", "seed")


def fork_form(ids: list[str]) -> None:
    """Draws the form when the reader asked to fork one of these runs; starts the fork beside them."""
    id = st.session_state.get("forking")
    if id is None:
        return
    try:
        run = store.find(id)
        recipe = run.recipe()
    except ValueError as error:
        st.session_state.pop("forking")
        st.error(str(error))
        return
    with st.container(border=True):
        st.markdown(
            f"**Fork of {run.label}**: it goes on from its newest weights, with the settings you change here. "
            "The generator may get more feature maps; it draws the same until it learns to use them."
        )
        problem = ""
        changes = {}
        try:
            changes = forms.settings_form(recipe, f"fork:{id}", SKIP)
            problem = problem_of(recipe.change(changes).to_json())
        except ValueError as error:
            problem = str(error)
        if problem:
            st.error(problem)
        with st.container(horizontal=True):
            if st.button("Start the fork", type="primary", disabled=bool(problem) or not changes, key="start-fork"):
                _start(run, changes, ids)
            if st.button("Cancel", key="cancel-fork"):
                st.session_state.pop("forking")
                st.rerun()
        if not changes:
            st.caption("Change at least one setting.")


def _start(run: Run, changes: dict, ids: list[str]) -> None:
    try:
        child = manager().fork(run.id, changes)
    except (ValueError, OSError) as error:
        st.error(sentence(error))
        return
    st.session_state.pop("forking")
    beside = [run.id, child.id] if len(ids) >= MOST_RUNS else [*ids, child.id]
    st.session_state["watched"] = beside
    st.query_params.from_dict({"runs": ",".join(beside)})
    st.rerun()
