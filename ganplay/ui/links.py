"""Recipes in a link, so that a reader sees what they say: `?recipe=quick-digits;loss=wasserstein;seed=3&recipe=...`.

Each recipe is the name of a registered one and the settings in which it differs from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import streamlit as st

from ganplay.recipe import Recipe
from ganplay.recipes import recipe, recipes
from ganplay.ui.shared import MOST_RUNS

LONGEST = 1_500  # characters of one recipe: four of them stay below what browsers and servers take
READABLE = ";=,._-:/"  # left as they are in an address


class Contender(NamedTuple):
    """A registered recipe with changes; plain data, fit for session state."""

    base: str
    changes: Mapping[str, Any]

    def recipe(self) -> Recipe:
        """The recipe.

        Raises:
            ValueError: the base is unknown, or a change is not allowed.
        """
        return recipe(self.base).change(self.changes)


def contender(of: Recipe, base: str | None = None) -> Contender:
    """A recipe as changes of the registered recipe `base`; of the nearest one when the name is unknown."""
    if base in recipes:
        return Contender(base, of.difference(recipe(base)))
    return min((Contender(name, of.difference(recipe(name))) for name in recipes), key=lambda found: len(found.changes))


def to_text(one: Contender) -> str:
    """`base;path=value;...`, with the letters that separate written as %3B and %25 inside values."""
    return ";".join([one.base, *(f"{path}={_value_text(value)}" for path, value in one.changes.items())])


def from_text(text: str) -> Contender:
    """The contender that `to_text` wrote.

    Raises:
        ValueError: the text is too long, or names an unknown recipe, setting or value.
    """
    if len(text) > LONGEST:
        raise ValueError(f"A recipe in a link may have {LONGEST:,} characters; this one has {len(text):,}.")
    base, *parts = text.split(";")
    changes: dict[str, str] = {}
    for part in parts:
        path, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"The link says '{part[:60]}' of {base[:40]}; a setting is written as name=value.")
        changes[path.strip()] = unquote(value)
    start = recipe(base.strip())
    try:
        changed = start.change(changes)
    except ValueError as error:
        raise ValueError(f"{base}: {error}") from None
    return Contender(base.strip(), changed.difference(start))


def query(contenders: Iterable[Contender]) -> str:
    """The query string of a link, without the question mark."""
    return "&".join("recipe=" + quote(to_text(one), safe=READABLE) for one in contenders)


def parse(texts: Sequence[str]) -> tuple[list[Contender], list[str]]:
    """The contenders of a link and one sentence for each that cannot be understood."""
    found, sentences = [], []
    for text in texts[:MOST_RUNS]:
        try:
            found.append(from_text(text))
        except ValueError as error:
            sentences.append(str(error))
    if len(texts) > MOST_RUNS:
        sentences.append(f"The link has {len(texts)} recipes; the first {MOST_RUNS} are used.")
    return found, sentences


def address(query: str) -> str:
    """A whole link to the page that is being drawn."""
    return f"{(st.context.url or 'http://localhost:8501/').split('?')[0]}?{query}"


def run_query(ids: Iterable[str]) -> str:
    """The query string of a page that shows these runs."""
    return "runs=" + ",".join(ids)


def run_ids(text: str | None) -> list[str]:
    """The ids in the value of `runs`, which may be missing, long or nonsense."""
    return [id for id in (text or "")[:1_000].split(",") if id]


def _value_text(value: Any) -> str:
    entries = value if isinstance(value, (tuple, list)) else [value]
    text = ",".join(map(_entry_text, entries))
    return text.replace("%", "%25").replace(";", "%3B")  # once for all entries: it is read back once


def _entry_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
