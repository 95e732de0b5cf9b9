"""An exercise: recipes with chosen settings, and the few settings that a student may change.

It lives on the server under its id. A link holds the id alone, so nothing in a link can open another setting.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

LONGEST_TITLE, LONGEST_TASK = 60, 1_000  # characters
MOST_RECIPES, MOST_OPEN = 4, 40
SCORING = ("metric", "score_every", "stop_score")
CLOSED = ("dataset", "title", "precision", "log_every", "sample_every", *SCORING)
SCORES = 20  # looks at the score during a run


@dataclass(frozen=True)
class Exercise:
    """What students of a class are asked to do.

    Attributes:
        id: eight hexadecimal digits.
        task: plain text with line breaks.
        recipes: one to four: {"base": a registered recipe's name, "changes": {path: value}}.
        open: paths of the settings students see; that of a part opens the part's own fields with it.
        created: Unix time.
    """

    id: str
    title: str
    task: str
    recipes: tuple[dict[str, Any], ...]
    open: tuple[str, ...]
    created: float

    def recipe(self, place: int) -> Recipe:
        """The recipe at this place as the teacher left it.

        Raises:
            ValueError: the package knows its base or a setting no more.
        """
        from ganplay.recipes import recipe

        one = self.recipes[place]
        return recipe(one["base"]).change(one["changes"])

    def attempt(self, place: int, changes: Mapping[str, Any]) -> Recipe:
        """The recipe at this place with a student's changes.

        Raises:
            ValueError: a change is not allowed here, or its value never is.
        """
        start = self.recipe(place)
        changed = start.change(changes)
        closed = sorted(path for path in {*changes, *changed.difference(start)} if not self.is_open(path))
        if closed:
            allowed = ", ".join(self.open) or "nothing"
            raise ValueError(f"{', '.join(closed)} cannot be changed in this exercise; {allowed} can.")
        return changed

    def is_open(self, path: str) -> bool:
        """True for a setting that students may change."""
        return any(path == one or path.startswith(f"{one}.") for one in self.open)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"recipes": list(self.recipes), "open": list(self.open)}

    @classmethod
    def parsed(cls, content: Mapping[str, Any]) -> Exercise:
        """The exercise that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or of another type.
        """
        recipes = tuple({"base": str(one["base"]), "changes": dict(one["changes"])} for one in content["recipes"])
        texts = {name: str(content[name]) for name in ("id", "title", "task")}
        return cls(recipes=recipes, open=tuple(map(str, content["open"])), created=float(content["created"]), **texts)


def compose(
    title: str, task: str, recipes: Sequence[tuple[str, Mapping[str, Any]]], open: Iterable[str], id: str = ""
) -> Exercise:
    """A new exercise.

    Args:
        recipes: (name of a registered recipe, changes) each.
        id: a random one by default.

    Raises:
        ValueError: a text is empty or too long, there are too many recipes, one of them is not allowed, or none of
            them has a setting that is to be open.
    """
    chosen = tuple(dict.fromkeys(open))
    if not 1 <= len(recipes) <= MOST_RECIPES:
        raise ValueError(f"The exercise has {len(recipes)} recipes; 1 to {MOST_RECIPES} are allowed.")
    if len(chosen) > MOST_OPEN:
        raise ValueError(f"{len(chosen)} settings are to be open; at most {MOST_OPEN} may be.")
    made = Exercise(
        id or secrets.token_hex(4), line(title, "title"), _task(task),
        tuple({"base": base, "changes": dict(changes)} for base, changes in recipes), chosen, time.time(),
    )  # fmt: skip
    known = openable([made.recipe(place) for place in range(len(recipes))])
    unknown = [path for path in chosen if path not in known]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} cannot be opened; {', '.join(known)} can.")
    return made


def openable(recipes: Iterable[Recipe]) -> list[str]:
    """The settings of these recipes that an exercise may open, parts before fields. Data and scores stay closed."""
    paths = [setting.path for one in recipes for setting in one.settings()]
    return [path for path in dict.fromkeys(paths) if path.split(".", 1)[0] not in CLOSED]


def scored(recipe: Recipe) -> Recipe:
    """The recipe with a score for the board: where it has none, the distance that suits its data, 20 times a run."""
    if recipe.score_every:
        return recipe
    changes: dict[str, Any] = {"score_every": max(1, recipe.stop_images // SCORES)}
    if len(recipe.shapes.sample) == 1:
        return recipe.change(changes | {"metric": "sliced-wasserstein"})
    from ganplay.metrics.features import choose

    features = choose(recipe.dataset, recipe.shapes.sample)
    return recipe.change(changes | {"metric": "frechet-distance", "metric.features": features})


def line(text: str, what: str, longest: int = LONGEST_TITLE) -> str:
    """A line that somebody typed, its spaces made one.

    Raises:
        ValueError: it is empty, too long, or has characters that cannot be seen.
    """
    clean = " ".join(str(text).split())
    if not 1 <= len(clean) <= longest or not clean.isprintable():
        raise ValueError(f"The {what} is {str(text)[:80]!r}; it must have 1 to {longest} printable characters.")
    return clean


def _task(text: str) -> str:
    clean = "\n".join(" ".join(row.split()) for row in str(text).splitlines()).strip()
    if len(clean) > LONGEST_TASK or not clean.replace("\n", "").isprintable():
        raise ValueError(f"The task has {len(clean):,} characters; up to {LONGEST_TASK:,} printable ones are allowed.")
    return clean
