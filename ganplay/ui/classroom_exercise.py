"""An exercise as a student sees it: the task, a name, the settings that are open, and one's own runs."""

from __future__ import annotations

import hashlib
import secrets
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ganplay.charts.style import colour
from ganplay.classroom import board, store
from ganplay.classroom.exercises import SCORING, Exercise, compose
from ganplay.classroom.store import LONGEST_NAME, Classroom
from ganplay.recipe import SLOTS, Recipe
from ganplay.runs.folder import Run
from ganplay.ui import contenders, drawing, forms, links, live, teaching
from ganplay.ui.navigation import page
from ganplay.ui.shared import attempt, manager, show_notice


def query(exercise: Exercise) -> str:
    """The query string of a link that holds the whole exercise: it works on any server and belongs to no class."""
    texts = {"title": exercise.title, "task": exercise.task, "open": ",".join(exercise.open)}
    return f"{urlencode(texts)}&{links.query(_contenders(exercise))}"


def from_link() -> Exercise:
    """The exercise that the address holds. Its id follows from it, so that the form stays while it is filled in.

    Raises:
        ValueError: a recipe cannot be understood, or the exercise is not allowed.
    """
    found, sentences = links.parse(st.query_params.get_all("recipe"))
    if sentences:
        raise ValueError(f"The link could not be read. {sentences[0]}")
    title, task, open = (st.query_params.get(name, "") for name in ("title", "task", "open"))
    id = hashlib.sha256(repr((title, task, open, found)).encode()).hexdigest()[:8]
    recipes = [(one.base, one.changes) for one in found]
    return compose(title or "An exercise", task, recipes, filter(None, open.split(",")), id)


def show(room: Classroom | None, exercise: Exercise) -> None:
    """Draws the exercise, and the runs in the address below it. Without a class it asks for no name."""
    ids = _own_runs(exercise)
    if st.session_state.get("forking") in ids:  # a fork may change everything, so it is none of the exercise's
        st.switch_page(page("train"), query_params={"runs": ",".join(ids)})
    st.html(f"<h1 style='padding:0'>{escape(exercise.title)}</h1>")
    st.caption(f"An exercise of the class {room.code}" if room else "This exercise is all in its link")
    if exercise.task:
        st.html(f"<p style='white-space:pre-wrap'>{escape(exercise.task)}</p>")
    teaching.step("Do", "change what you like, then start")
    show_notice()
    name = _name() if room else ""
    changes, problem = _form(exercise)
    nameless = room is not None and not name.strip()
    if st.button("Start", icon="▶️", type="primary", disabled=bool(problem) or nameless, key="start-exercise"):
        started = attempt(_start, room, exercise, name, changes)
        if started:
            st.query_params["runs"] = ",".join(started)
        st.rerun()
    if nameless:
        st.caption("Start is possible once you have a name.")
    if ids:
        teaching.step("See", "your runs")
        live.watch(ids)


def _name() -> str:
    name = st.text_input(
        "Your name, as the board shows it", st.session_state.get("student", ""), max_chars=LONGEST_NAME, width=320
    )
    st.session_state["student"] = name
    return name


def _own_runs(exercise: Exercise) -> list[str]:
    """The runs in the address; those of before when the student comes back from the board or another page."""
    key = f"exercise-runs:{exercise.id}"
    if "runs" not in st.query_params and st.session_state.get(key):
        st.query_params["runs"] = st.session_state[key]
    st.session_state[key] = st.query_params.get("runs", "")
    return links.run_ids(st.session_state[key])


def _form(exercise: Exercise) -> tuple[list[dict[str, Any]], str]:
    """Draws the open settings of each recipe; a student's changes to each, and what forbids to start, if anything."""
    found: list[dict[str, Any]] = []
    problem = ""
    try:
        starts = [exercise.recipe(place) for place in range(len(exercise.recipes))]
    except ValueError as error:  # the package has changed since
        st.error(f"This exercise cannot be read any more. {error}")
        return found, "unreadable"
    for place, (start, name) in enumerate(zip(starts, _names(exercise), strict=True)):
        with st.container(border=True):
            st.html(drawing.dot(colour(place), name, strong=True))
            changes, sentence = _changes(exercise, place, start)
            if sentence:
                st.error(sentence)
        found.append(changes)
        problem = problem or sentence
    return found, problem


def _changes(exercise: Exercise, place: int, start: Recipe) -> tuple[dict[str, Any], str]:
    paths = [setting.path for setting in start.settings() if exercise.is_open(setting.path)]
    if not paths:
        st.caption("Nothing to change here.")
    changes: dict[str, Any] = {}
    try:
        for part in dict.fromkeys(map(_part_of, paths)):
            if part and part not in paths:  # only a field of it is open: say whose
                st.caption(forms.label(part))
            key = f"exercise:{exercise.id}:{place}:{part}"
            changes |= forms.setting_inputs(
                start, lambda path, part=part: _part_of(path) == part and exercise.is_open(path), key
            )
        whole = exercise.attempt(place, changes).to_json()
    except ValueError as error:
        return {}, str(error)
    for doubt in contenders.advice_of(whole):
        st.warning(doubt, icon="🤔")
    return changes, contenders.problem_of(whole)


def _part_of(path: str) -> str:
    """The part of a recipe that a setting belongs to, an empty text for what belongs to the recipe itself."""
    first = path.split(".", 1)[0]
    return first if first in SLOTS else ""


def _names(exercise: Exercise) -> list[str]:
    """What the recipes are called, without what is the same for all of them."""
    shown = [
        {path: value for path, value in one["changes"].items() if path.split(".", 1)[0] not in SCORING}
        for one in exercise.recipes
    ]
    return contenders.names(
        [links.Contender(one["base"], own) for one, own in zip(exercise.recipes, shown, strict=True)]
    )


def _contenders(exercise: Exercise) -> list[links.Contender]:
    return [links.Contender(one["base"], one["changes"]) for one in exercise.recipes]


def _start(room: Classroom | None, exercise: Exercise, name: str, changes: list[dict[str, Any]]) -> list[str]:
    """Starts a run of each recipe until there is no room; the ids of those that were started.

    Raises:
        ValueError: the name or a change is not allowed, or this student has too many runs.
    """
    recipes = [exercise.attempt(place, own) for place, own in enumerate(changes)]
    student, group = exercise.title, secrets.token_hex(4)
    if room:
        student = store.clean_name(name)
        board.refuse_more(room.code, student, len(recipes))
        student = store.join(room.code, student)
    started: list[Run] = []
    for place, (recipe, own, title) in enumerate(zip(recipes, changes, _names(exercise), strict=True)):
        lesson = board.lesson(room.code, exercise, student, own) if room else None
        label, base = f"{student}: {title}"[:80], exercise.recipes[place]["base"]
        run = attempt(manager().submit, recipe, label, base, group, None, lesson)
        if run is None:
            break
        started.append(run)
    return [run.id for run in started]
