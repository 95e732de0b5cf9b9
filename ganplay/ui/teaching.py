"""The steps that every teaching page walks through: Idea, Predict, Do, See, Why, Code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import streamlit as st

from ganplay.contracts import Loss, Penalty
from ganplay.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]


def step(name: str, title: str) -> None:
    """The heading of one step."""
    st.markdown(f"#### :primary[{name}] · {title}")


def predict(question: str, answers: Sequence[str], key: str) -> str | None:
    """Asks before the answer is shown; what the reader thinks, kept while other pages are visited."""
    stored = st.session_state.get(f"predicted:{key}")
    index = list(answers).index(stored) if stored in answers else None
    chosen = st.radio(question, answers, index, key=f"predict:{key}", horizontal=True)
    st.session_state[f"predicted:{key}"] = chosen
    return chosen


def losses(recipes: Sequence[Recipe]) -> None:
    """What the networks of these recipes minimise: each loss with its worked example, and each penalty, once."""
    for loss in dict.fromkeys(type(recipe.loss) for recipe in recipes):
        _part(loss, "loss")
        st.markdown(worked_example(loss))
    for penalty in dict.fromkeys(type(one) for recipe in recipes for one in recipe.penalties):
        _part(penalty, "penalty")


def worked_example(loss: type[Loss]) -> str:
    """The hand-worked value of a loss as Markdown."""
    example = loss.example
    real, fake = (", ".join(f"{logit:g}" for logit in logits) for logits in (example.real, example.fake))
    kind = "scores" if loss.scores else "logits"
    working = re.sub(r"\bL_[DG]\b", r"$\g<0>$", example.working)
    return (
        f"**By hand**, with the {kind} {real} for real samples and {fake} for generated ones: {working} "
        f"That is $L_D$ = {example.discriminator:.4g} and $L_G$ = {example.generator:.4g}."
    )


def _part(part: type[Loss] | type[Penalty], what: str) -> None:
    st.markdown(f"**{part.kind}** ({what}) · {(inspect.getdoc(part) or '').splitlines()[0]}")
    st.latex(in_lines(part.formula))


def in_lines(formula: str) -> str:
    """LaTeX with each of its equations on a line of its own, so that a phone shows it whole."""
    parts = re.split(r",?\s*\\qq?uad\s*", formula)
    return r"\small\begin{gathered}" + r"\\ ".join(parts) + r"\end{gathered}"


def source(*parts: Callable[..., Any] | ModuleType | type) -> None:
    """Shows the code that did the work, as it is in the package."""
    for part in parts:
        path = Path(inspect.getsourcefile(part) or "").resolve()
        st.caption(f"`{path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name}`")
        st.code(inspect.getsource(part), language="python")
