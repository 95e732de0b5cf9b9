"""The setup of a comparison: what is common to all contenders, and what each does its own way.

Session state holds plain data only: names, paths and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ganplay.advice import advice
from ganplay.charts.style import colour
from ganplay.data.images import ImageSet
from ganplay.recipe import Recipe
from ganplay.recipes import recipe, recipes
from ganplay.ui import forms, links
from ganplay.ui.datasets import dataset_inputs
from ganplay.ui.drawing import dot
from ganplay.ui.links import Contender

COMMON = ("seed", "stop_images", "stop_seconds")
SKIP = ("dataset", *COMMON)
FIRST = (
    Contender("quick-digits", {}),
    Contender("quick-digits", {"loss": "wasserstein", "penalties": ["weight-clip"]}),
)
WHOSE = {"generator": "G ", "discriminator": "D ", "generator_optimiser": "G ", "discriminator_optimiser": "D "}


def load(contenders: Sequence[Contender]) -> None:
    """Fills the form; what the first contender says of data, seed and budget holds for all of them."""
    common = contenders[0].recipe()
    kept = [s for s in common.settings() if s.path.split(".", 1)[0] in SKIP]
    generation = st.session_state.get("generation", 0) + 1
    st.session_state["generation"] = generation  # fresh keys: the widgets forget what they held
    st.session_state["common"] = {setting.path: setting.value for setting in kept}
    st.session_state["contenders"] = [
        {"id": f"{generation}.{index}", "base": one.base, "changes": _own(one.changes)}
        for index, one in enumerate(contenders)
    ]


def setup() -> tuple[list[Contender], str]:
    """Draws the form.

    Returns:
        the contenders with all that is common to them, and the sentence that forbids to start, or an empty one.
    """
    if "contenders" not in st.session_state:
        load(FIRST)
    rows: list[dict[str, Any]] = st.session_state["contenders"]
    common = _common(rows)
    chosen, problem = [], ""
    for index, row in enumerate(rows):
        one, sentence = _row(row, index, common, len(rows))
        chosen.append(one)
        problem = problem or sentence
    if len(rows) < links.MOST_RUNS:
        st.button("Add a contender", icon="➕", on_click=_add)
    return chosen, problem


def names(contenders: Sequence[Contender]) -> list[str]:
    """A short and different name for each contender."""
    bases = [one.base for one in contenders]
    found: list[str] = []
    for one in contenders:
        own = {path: value for path, value in _own(one.changes).items() if path != "title"}
        title = one.changes.get("title") or recipe(one.base).title or one.base
        name = f"{title}, {summary(own)}" if own and bases.count(one.base) > 1 else str(title)
        name = name[:60]
        found.append(name if name not in found else f"{name} ({len(found) + 1})")
    return found


@st.cache_data(show_spinner=False, max_entries=500)
def problem_of(plain: dict[str, Any]) -> str:
    """The sentence that says why a recipe's networks cannot be built, or an empty one."""
    from ganplay.building import check

    try:
        check(Recipe.from_json(plain))
    except ValueError as error:
        return str(error)
    return ""


@st.cache_data(show_spinner=False, max_entries=500)
def advice_of(plain: dict[str, Any]) -> tuple[str, ...]:
    """A sentence for each doubtful combination in a recipe."""
    return advice(Recipe.from_json(plain))


def _common(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Draws what holds for all; its values by path."""
    stored = st.session_state["common"]
    shown = recipe(rows[0]["base"]).change(stored)
    key = f"common:{st.session_state['generation']}"
    with st.container(border=True):
        st.markdown("**The same for all:** data, starting noise, and how long")
        data = dataset_inputs(shown, f"{key}:data")
        own = forms.setting_inputs(shown, lambda path: path in COMMON, key)
    common = {path: value for path, value in stored.items() if path in COMMON} | own | data
    st.session_state["common"] = common
    return common


def _row(row: dict[str, Any], index: int, common: dict[str, Any], count: int) -> tuple[Contender, str]:
    """Draws one contender; what it is now, and the sentence that forbids to start it."""
    key = f"contender:{row['id']}"
    with st.container(border=True):
        left, middle, right = st.columns([3, 5, 1], vertical_alignment="bottom")
        options = recipes.names()
        with left:
            base = st.selectbox(f"Contender {index + 1}", options, options.index(row["base"]), key=f"{key}:base")
        if base != row["base"]:
            row["base"], row["changes"] = base, {}
        with middle:
            st.html(dot(colour(index), _description(row)))
        with right:
            st.button(
                "✕", key=f"{key}:remove", on_click=_remove, args=(row["id"],), disabled=count == 1,
                help="Remove this contender",
            )  # fmt: skip
        sentence = _settings(row, key)
        one = Contender(base, {})
        if not sentence:
            try:
                whole = recipe(base).change(_own(row["changes"])).change(common)
                one = links.contender(whole, base)
                if isinstance(whole.dataset, ImageSet):
                    whole.dataset.content()  # a set of one's own pictures may be missing
                sentence = problem_of(whole.to_json())
                for doubt in advice_of(whole.to_json()):
                    st.warning(doubt, icon="🤔")
            except ValueError as error:
                sentence = str(error)
        if sentence:
            st.error(sentence)
    return one, sentence


def _settings(row: dict[str, Any], key: str) -> str:
    """Draws all settings when the reader opens them; the sentence about a value that is not allowed."""
    key = f"{key}:{row['base']}"
    box = st.expander("All settings", key=f"{key}:open", on_change="rerun")
    if not box.open:
        row.pop("start", None)
        return ""
    base = recipe(row["base"])
    start = row.setdefault("start", dict(row["changes"]))  # what the open form began with
    with box:
        try:
            begun = base.change(start)
            changes = forms.settings_form(begun, key, skip=SKIP)
            row["changes"] = begun.change(changes).difference(base)
        except ValueError as error:
            return str(error)
    return ""


def _description(row: dict[str, Any]) -> str:
    own = _own(row["changes"])
    changed = f", with {summary(own, most=4)}" if own else ""
    return f"{recipe(row['base']).title}{changed}"


def summary(changes: dict[str, Any], most: int = 2) -> str:
    """Changes in a few words: "wasserstein, weight-clip and 3 more"."""
    said = []
    for path, value in list(changes.items())[:most]:
        text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        if path in ("loss", "penalties"):
            said.append(text or "no penalty")
        else:
            said.append(f"{said_of(path)} {text}")
    more = len(changes) - most
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")


def said_of(path: str) -> str:
    """A setting in a sentence: "G learning rate"."""
    return f"{WHOSE.get(path.split('.', 1)[0], '')}{forms.label(path).lower()}"


def _own(changes: Any) -> dict[str, Any]:
    return {path: value for path, value in changes.items() if path.split(".", 1)[0] not in SKIP}


def _add() -> None:
    rows = st.session_state["contenders"]
    st.session_state["added"] = st.session_state.get("added", 0) + 1
    fresh = f"{st.session_state['generation']}.+{st.session_state['added']}"
    rows.append({"id": fresh, "base": rows[-1]["base"], "changes": dict(rows[-1]["changes"])})


def _remove(id: str) -> None:
    st.session_state["contenders"] = [row for row in st.session_state["contenders"] if row["id"] != id]
