"""The same pair from several seeds, on the page "Vanishing gradients": does the growth of the counts repeat itself?"""

from __future__ import annotations

import secrets
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from ganplay.charts import vanishing
from ganplay.data import datasets
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.ui import live
from ganplay.ui.shared import ACTIVE, attempt, manager, points

SEEDS = (1, 2, 3)


class Grown(NamedTuple):
    """How the counts of one run's discriminator grew.

    Attributes:
        worst: the largest factor of its layers.
        early: the largest factor of layers 1 to 3, which the document names.
        full: the smallest share of a layer's entries that are small from the beginning.
    """

    kind: str
    seed: int
    worst: float
    early: float
    full: float = 0.0


def section(data: str, changes: Mapping[str, Any], pair: Mapping[str, str]) -> None:
    """Draws the table and the button that starts its runs.

    Args:
        data: the registered data set that they train on.
        changes: what makes the document's nets small.
        pair: registered recipes and what they are called.
    """
    with st.container(border=True):
        st.markdown(
            f"**One training is an anecdote.** The small pair from {len(SEEDS)} seeds on the data chosen above, "
            f"{datasets[data].title}, with its spread:"
        )
        if st.button(f"Start the small pair with {len(SEEDS)} seeds", key="seeds:start"):
            attempt(_submit, data, changes, pair)
            st.rerun()
        group = _newest(data, pair)
        if group:
            active = any(run.status().state in ACTIVE for run in _members(group))
            st.fragment(run_every=live.CHARTS if active else None)(_table)(group, dict(pair), active)


def _submit(data: str, changes: Mapping[str, Any], pair: Mapping[str, str]) -> None:
    group = secrets.token_hex(4)
    for seed in SEEDS:
        for base, name in pair.items():
            one = recipe(base).change({"dataset": data, "seed": seed, **changes})
            manager().submit(one, f"{name}, seed {seed}", base, group)


def _members(group: str) -> list[Run]:
    return [run for run in store.list_runs() if run.info["group"] == group]


def _newest(data: str, pair: Mapping[str, str]) -> str | None:
    """The newest group with both recipes from several seeds of this data."""
    groups: dict[str, list[Run]] = {}
    for run in store.list_runs():
        info = run.info
        if info["group"] and info["base"] in pair and run.recipe_json().get("dataset", {}).get("kind") == data:
            groups.setdefault(info["group"], []).append(run)
    return next((group for group, members in groups.items() if len(members) > len(pair)), None)


def _table(group: str, pair: dict[str, str], active: bool) -> None:
    members = _members(group)
    states = [run.status() for run in members]
    going = sum(status.state in ACTIVE for status in states)
    seen = sum(status.images for status in states)
    if going:
        st.caption(f"{going} of {len(members)} runs train or wait; together they have seen {seen:,} images.")
    found = [one for run in members if (one := _grown(run, pair))]
    if found:
        st.dataframe(table(found), hide_index=True)
        st.markdown(sentence(found))
    if bool(going) != active:
        st.rerun()


def _grown(run: Run, pair: Mapping[str, str]) -> Grown | None:
    layers = vanishing.growth(points(run), "discriminator")
    base = run.info["base"]
    if not layers or base not in pair:
        return None
    factors = [layer.factor for layer in layers]
    full = min(layer.first / layer.total for layer in layers)
    return Grown(pair[base], int(run.recipe_json().get("seed", 0)), max(factors), max(factors[:3]), full)


def table(found: Sequence[Grown]) -> list[dict[str, Any]]:
    """One row a kind: factor by seed, mean and standard deviation."""
    rows = []
    for kind in dict.fromkeys(one.kind for one in found):
        mine = sorted((one for one in found if one.kind == kind), key=lambda one: one.seed)
        worst = [one.worst for one in mine]
        row: dict[str, Any] = {"discriminator of": kind}
        row |= {f"seed {one.seed}": round(one.worst, 2) for one in mine}
        row |= {
            "mean factor": round(statistics.mean(worst), 2),
            "spread": round(statistics.stdev(worst), 2) if len(worst) > 1 else None,
            "layers 1 to 3": round(statistics.mean(one.early for one in mine), 2),
        }
        rows.append(row)
    return rows


def sentence(found: Sequence[Grown]) -> str:
    """Whether the two kinds differ by more than their spread, and which way, with their numbers."""
    kinds = {kind: [one.worst for one in found if one.kind == kind] for kind in dict.fromkeys(o.kind for o in found)}
    if len(kinds) < 2 or min(map(len, kinds.values())) < 2:
        return "Two runs of each kind are needed before a spread can be told."
    (first, ours), (second, theirs) = sorted(kinds.items(), key=lambda pair: -statistics.mean(pair[1]))
    apart = statistics.mean(ours) - statistics.mean(theirs)
    spread = max(statistics.stdev(ours), statistics.stdev(theirs))
    said = (
        f"In its worst layer the count grew × {statistics.mean(ours):.2f} on average for the {first} and "
        f"× {statistics.mean(theirs):.2f} for the {second} (from the first to the newest fifth of training). "
    )
    if statistics.mean(ours) < vanishing.FLAT:
        said += f"Neither grows: below × {vanishing.FLAT} a count stays about flat."
    else:
        judged = "more than" if apart > 2 * spread else "no verdict: not more than"
        said += f"The difference, {apart:.2f}, is {judged} twice the spread over seeds, {spread:.2f}."
    return " ".join([said, *filter(None, (_no_room(kind, found) for kind in kinds))])


def _no_room(kind: str, found: Sequence[Grown]) -> str:
    """A warning where a kind's counts are full from the beginning, which makes any comparison of growth unfair."""
    full = min(one.full for one in found if one.kind == kind)
    if full <= vanishing.FULL:
        return ""
    return (
        f"But {vanishing.share(full)} of each layer of the {kind} are small from the beginning: its counts have no "
        "room to grow."
    )
