"""Links to a playground, with controls that a teacher hides, and what can be taken along from it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import streamlit as st

from ganplay.recipe import Recipe
from ganplay.ui import links, playground_world

if TYPE_CHECKING:
    from ganplay.playground.script import Script

# By name in the address: what a reader of the link does not see.
HIDEABLE = {
    "idea": "the idea", "predict": "the prediction", "stories": "stories", "settings": "settings", "draw": "drawing",
    "graph": "the model's graph", "layers": "the choice of layers", "transport": "play, steps and time travel",
    "curves": "curves", "why": "why", "export": "links and export", "code": "code",
}  # fmt: skip
KEPT = ("layers", "part")  # of the address beside the playground itself


def hidden() -> list[str]:
    """What the address hides."""
    asked = st.query_params.get("hide", "")[:200].split(",")
    return [name for name in HIDEABLE if name in asked]


def export(script: Script) -> None:
    """Draws the link, the recipes as files, the command line and the animation."""
    with st.expander("**Share** · a link to this moment, the recipe, the command line"):
        wanted = st.multiselect(
            "Hide from those who open the link", list(HIDEABLE), format_func=HIDEABLE.get, placeholder="nothing",
            key="playground:hide", help="They see the rest. Taking the words out of the address brings all back.",
        )  # fmt: skip
        st.code(links.address(query(playground_world.text(), wanted)), language=None, wrap_lines=True)
        st.caption("Pause first: the link leads to the iteration where the playground came to rest, with all changes.")
        for index, name in enumerate("AB"[: len(script.recipes)]):
            made = script.recipe(index)
            title = f"Recipe of {name}" if len(script.recipes) > 1 else "Recipe"
            st.download_button(
                f"{title} (JSON)", json.dumps(made.to_json(), indent=1), f"playground-{made.hash}.json",
                "application/json", key=f"playground:recipe:{index}",
            )  # fmt: skip
            st.code(command(made), language="bash", wrap_lines=True)


def query(text: str, hide: Sequence[str]) -> str:
    """The query of a link, without the question mark."""
    parts = {playground_world.ADDRESS: text} | {name: st.query_params[name] for name in KEPT if name in st.query_params}
    if hide:
        parts["hide"] = ",".join(hide)
    return "&".join(f"{name}={quote(value, safe='~;=,.*')}" for name, value in parts.items())


def command(made: Recipe) -> str:
    """The command that trains the same as an ordinary run."""
    from ganplay.playground.script import BASE
    from ganplay.recipes import recipe

    flags = [
        f"--{path.replace('_', '-')} {shlex.quote(_text(value))}"
        for path, value in made.difference(recipe(BASE)).items()
    ]
    return " ".join(["python -m ganplay train --recipe", BASE, *flags])


def _text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(map(_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
