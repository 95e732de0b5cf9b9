"""The steps that every teaching page walks through: Idea, Predict, Do, See, Why, Code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import streamlit as st

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


def source(*parts: Callable[..., Any] | ModuleType | type) -> None:
    """Shows the code that did the work, as it is in the package."""
    for part in parts:
        path = Path(inspect.getsourcefile(part) or "").resolve()
        st.caption(f"`{path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name}`")
        st.code(inspect.getsource(part), language="python")
