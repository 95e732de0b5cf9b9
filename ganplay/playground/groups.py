"""Members of a playground that train as one batched computation, and what becomes of them when settings change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ganplay.contracts import Dataset
from ganplay.data.resident import Samples, load
from ganplay.playground.past import COLUMNS
from ganplay.recipe import Recipe
from ganplay.state import State
from ganplay.tiny import Snapshot, TinyGan, plan

_REACH = 1.3  # how much wider the plane is than the data


@lru_cache(maxsize=12)
def points(dataset: Dataset, split: str = "train") -> Samples:
    """A set of points, shared by all worlds."""
    return load(dataset, dataset.native, split)


@lru_cache(maxsize=64)
def extent(dataset: Dataset) -> float:
    """Half the width of the plane that is shown around the data, a number of two digits."""
    largest = float(points(dataset).values.abs().amax(1).quantile(0.999))
    return float(f"{max(_REACH * largest, 1e-3):.2g}")


@dataclass(eq=False)
class Group:
    """Members that train as one.

    Attributes:
        last: (members, columns of `past.Series`), means of the newest iterations; without rows before the first.
    """

    members: tuple[int, ...]
    gan: TinyGan
    last: np.ndarray


def build(members: tuple[int, ...], recipes: Sequence[Recipe], states: Sequence[State] | None = None) -> Group:
    """A group of new nets, or of these states."""
    gan = TinyGan(recipes, states=states, data=[points(recipe.dataset) for recipe in recipes])
    return Group(members, gan, np.zeros((0, len(COLUMNS))))


def fit(recipes: Sequence[Recipe]) -> bool:
    """True when the engine can train these as one."""
    try:
        plan.check(recipes)
    except ValueError:
        return False
    return True


def _in_place(old: Sequence[Recipe], new: Sequence[Recipe]) -> bool:
    """True when an engine of the old recipes can hold the new ones."""
    same = all((a.seed, a.dataset) == (b.seed, b.dataset) for a, b in zip(old, new, strict=True))
    return same and fit([old[0], *new])


def restored(members: tuple[int, ...], snapshot: Snapshot, known: Group | None) -> Group:
    """A group as it was, in its present engine where that can hold it."""
    if known is None or not _in_place(known.gan.recipes, snapshot.recipes):
        known = build(members, snapshot.recipes)
    known.gan.restore(snapshot)
    return known


def changed(group: Group, changes: Mapping[str, str], wanted: Sequence[int]) -> list[Group]:
    """A group after a change of some members: itself, or others with its members' states."""
    places = [place for place, member in enumerate(group.members) if member in wanted]
    if not places:
        return [group]
    old = group.gan.recipes
    new = [recipe.change(changes) if place in places else recipe for place, recipe in enumerate(old)]
    if _in_place(old, new):
        group.gan.change(changes, places)
        return [group]
    states = [_continued(group.gan.state(place), recipe) for place, recipe in enumerate(new)]
    if fit(new):
        return [build(group.members, new, states)]
    alone = zip(group.members, new, states, strict=True)
    return [build((member,), [recipe], [state]) for member, recipe, state in alone]


def _continued(state: State, recipe: Recipe) -> State:
    """A state that goes on with another recipe of equally shaped networks."""
    found = State.initial(recipe)
    found.restore(state.tensors(), state.counters(), exact=False)
    return found
