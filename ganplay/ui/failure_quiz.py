"""A quiz: curves of unnamed trainings; the learner names what they show before the diagnosis does."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from ganplay.files import read_json
from ganplay.recipe import Recipe
from ganplay.runs import store
from ganplay.ui import failure_findings, teaching
from ganplay.ui.failure_findings import Plain
from ganplay.ui.shared import points, written

CURVES = Path(__file__).with_name("failure_quiz.json")  # written by tests/failure_quiz_curves.py
CHOICES = 4
USUAL = (  # what the diagnosis may say, where too few curves are there to choose among their answers
    "Nothing unusual", "D separates perfectly", "D is guessing, and always was", "The losses swing", "Gradients spike",
    "The numbers explode",
)  # fmt: skip
MOST_RUNS = 12  # of this server's own
FEWEST = 20  # points that a run must have
QUESTION = "What do these curves show?"
IDEA = """
Here are the curves of trainings without their names: some that went well, some that were broken, and some that were
trained on this server. Say what you see before the diagnosis does.
"""


class Case(NamedTuple):
    """One training of the quiz.

    Attributes:
        key: where its curves are: the name of a bundled one, or a run's id.
        title: what it was, told afterwards.
        answer: the title of the gravest finding.
    """

    key: str
    title: str
    answer: str


def section() -> None:
    """Draws the quiz."""
    teaching.step("Idea", "read curves that have no name")
    st.markdown(IDEA)
    known = _cases()
    if not known:
        st.info("There are no curves to guess yet: train something first.")
        return
    number = st.number_input("Case", 1, len(known), 1, key="case", bind="query-params", width=140)
    case = known[int(number) - 1]
    curve, recipe = _material(case)
    findings = _findings(case)
    teaching.step("Predict", f"case {number} of {len(known)}")
    said = teaching.predict(QUESTION, _choices(case, known), f"quiz:{case.key}")
    failure_findings.on_curves(curve, not recipe.loss.scores, findings if said else [], f"quiz:{case.key}")
    if said is None:
        return
    teaching.step("See", "what the diagnosis says")
    right = any(one["title"] == said for one in findings)
    told = st.success if right else st.warning
    titles = ", ".join(f"*{one['title']}*" for one in findings)
    told(f"You said *{said}*. The diagnosis says: {titles}. These were the curves of: {case.title}.")
    failure_findings.show(findings, f"quiz:{case.key}")
    _count(case.key, right)


def _count(key: str, right: bool) -> None:
    """How many the reader has named so far; the first word counts."""
    counted = st.session_state.setdefault("quiz:right", {})
    counted.setdefault(key, right)
    st.caption(f"Named at first sight so far: {sum(counted.values())} of {len(counted)}.")


def _cases() -> list[Case]:
    """The bundled cases, then this server's newest runs of which the diagnosis has something to say."""
    found = list(_bundled())
    for run in store.list_runs():
        if len(found) >= len(_bundled()) + MOST_RUNS:
            break
        case = _case_of_run(run.id, run.label, run.status().state, written(run))
        found += [case] if case else []
    return found


@st.cache_data(show_spinner=False, max_entries=1)
def _bundled() -> list[Case]:
    """The cases that come with the program; without those that another version of it wrote."""
    found = []
    for name, one in _file().items():
        try:
            findings = failure_findings.of_points(one["points"], Recipe.from_json(one["recipe"]))
        except ValueError:
            continue
        found.append(Case(name, one["title"], findings[0]["title"]))
    return found


@st.cache_data(show_spinner=False, max_entries=1)
def _file() -> dict[str, Any]:
    try:
        return dict(read_json(CURVES))
    except (OSError, TypeError, ValueError):
        return {}


@st.cache_data(show_spinner=False, max_entries=200)
def _case_of_run(id: str, label: str, state: str, version: tuple[int, int]) -> Case | None:
    if state not in ("finished", "stopped", "failed"):
        return None
    try:
        run = store.find(id)
        findings = failure_findings.of_curves(run) if len(points(run)) >= FEWEST else []
    except ValueError:
        return None
    return Case(id, f"the run “{label}”", findings[0]["title"]) if findings else None


def _material(case: Case) -> tuple[list[Plain], Recipe]:
    """The curves and the recipe of a case."""
    bundled = _file().get(case.key)
    if bundled:
        return bundled["points"], Recipe.from_json(bundled["recipe"])
    run = store.find(case.key)
    return points(run), run.recipe()


def _findings(case: Case) -> list[Plain]:
    bundled = _file().get(case.key)
    if bundled:
        return failure_findings.of_points(bundled["points"], Recipe.from_json(bundled["recipe"]))
    return failure_findings.of_curves(store.find(case.key))


def _choices(case: Case, known: list[Case]) -> list[str]:
    """The answer among others, in an order that stays."""
    others = sorted({*USUAL, *(one.answer for one in known)} - {case.answer})
    order = random.Random(case.key)
    shown = [case.answer, *order.sample(others, min(len(others), CHOICES - 1))]
    order.shuffle(shown)
    return shown
