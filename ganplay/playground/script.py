"""A playground as data: what it began with, what its reader did and when, and where it stands. All fits in a link.

Worlds are a pure function of their script, so the text below restores one anywhere. It has sections between `~`:

    500~r;loss=wasserstein;g.widths=32,32~r;penalties=gradient-penalty~c120.0;go.learning_rate=0.0001~d300*2~g300

The position (in iterations), one or two recipes (the first as changes of `toy-ring`, the second as changes of the
first), then the events by time: `c` changes settings of one member or, without `.0` or `.1`, of all; `d` and `g` are
single updates of all discriminators or generators, so many in a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from ganplay.playground.limits import MOST_EVENTS, MOST_ITERATIONS, MOST_TEXT, check_continues, check_pair, check_recipe
from ganplay.recipe import Recipe
from ganplay.recipes import recipe

BASE = "toy-ring"
CHANGE, DISCRIMINATOR, GENERATOR = "change", "discriminator", "generator"
_LETTERS = {CHANGE: "c", DISCRIMINATOR: "d", GENERATOR: "g"}
_KINDS = {letter: kind for kind, letter in _LETTERS.items()}
_SHORT = {  # first words of a path, for links
    "generator_optimiser": "go", "discriminator_optimiser": "do", "generator": "g", "discriminator": "d",
    "penalties": "p", "dataset": "s",
}  # fmt: skip
_LONG = {short: word for word, short in _SHORT.items()}
_HEAD = re.compile(r"([cdg])(\d{1,7})(?:\.(\d))?(?:\*(\d{1,4}))?")
_MOST_IN_A_ROW = 1_000
# Fields that leave no trace when they change twice at once. Other changes do: another part brings its own defaults.
_DIALS = ("loss.", "penalties.", "generator_optimiser.", "discriminator_optimiser.")


@dataclass(frozen=True)
class Event:
    """Something a reader did after `at` whole iterations.

    Attributes:
        kind: CHANGE, DISCRIMINATOR or GENERATOR.
        member: whose settings change, None for all.
        changes: by path, the new value as text.
        times: updates in a row.
    """

    at: int
    kind: str
    member: int | None = None
    changes: Mapping[str, str] | None = None
    times: int = 1


@dataclass(frozen=True)
class Script:
    """One or two recipes, events by time, and the position in iterations; events may lie behind it.

    Raises:
        ValueError: a recipe is not for the playground, an event is out of order or cannot be, or there is too much.
    """

    recipes: tuple[Recipe, ...]
    events: tuple[Event, ...] = ()
    at: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.recipes) <= 2:
            raise ValueError(f"The playground was given {len(self.recipes)} recipes; it holds 1 or 2.")
        if not 0 <= self.at <= MOST_ITERATIONS:
            raise ValueError(f"The position is {self.at:,}; it must be 0 to {MOST_ITERATIONS:,} iterations.")
        if len(self.events) > MOST_EVENTS:
            raise ValueError(f"There are {len(self.events)} events; at most {MOST_EVENTS} are kept.")
        self.at_event(len(self.events))

    def at_event(self, count: int) -> tuple[Recipe, ...]:
        """The members' recipes after the first `count` events."""
        return _folded(self.recipes, _frozen(self.events[:count]))

    def passed(self, at: int) -> int:
        """How many events happen up to and including iteration `at`."""
        return sum(event.at <= at for event in self.events)

    def recipe(self, member: int = 0) -> Recipe:
        """A member's recipe with all changes up to the position, as an ordinary run could train it.

        It stops after as many images as that many iterations show; single updates are no part of a recipe.
        """
        made = self.at_event(self.passed(self.at))[member]
        images = max(1, self.at) * made.batch_size * made.critic_steps
        return made.change({"stop_images": images, "title": f"Playground: {made.dataset.title}"})

    def moved(self, at: int) -> Script:
        """The same history seen from another iteration."""
        return replace(self, at=at)

    def with_event(self, event: Event) -> Script:
        """This script with one more event at its position; what lay behind it never happened.

        An event joins the one before where that says the same: a slider that is dragged leaves one change.
        """
        if event.at != self.at:
            raise ValueError(f"The event is at iteration {event.at:,}, the playground at {self.at:,}; it happens now.")
        kept = self.events[: self.passed(self.at)]
        if kept and (joined := _joined(kept[-1], event)):
            kept, event = kept[:-1], joined
        found = replace(self, events=(*kept, event))
        found.check_length()
        return found

    def check_length(self) -> None:
        """Raises a ValueError when no link can hold this script."""
        if len(self.text()) > MOST_TEXT:
            raise ValueError(
                f"What happened here no longer fits into a link of {MOST_TEXT:,} characters; start anew from here."
            )

    # Text

    def text(self) -> str:
        """The script for a link, made of characters that need no escape in an address."""
        first, *others = self.recipes
        return "~".join([
            str(self.at),
            _section("r", _texts(first.difference(recipe(BASE)))),
            *(_section("r", _texts(other.difference(first))) for other in others),
            *map(_event_text, self.events),
        ])  # fmt: skip

    @classmethod
    def read(cls, text: str) -> Script:
        """The script that `text` wrote.

        Raises:
            ValueError: the text is too long or nonsense; the sentence quotes the part that is wrong.
        """
        if len(text) > MOST_TEXT:
            raise ValueError(f"A playground's link may have {MOST_TEXT:,} characters; this one has {len(text):,}.")
        at, *sections = text.split("~")
        if not re.fullmatch(r"\d{1,7}", at, re.ASCII):
            raise ValueError(f"A playground's link begins with its iteration; this one begins with '{at[:40]}'.")
        recipes: list[Recipe] = []
        events: list[Event] = []
        for section in sections:
            head, *parts = section.split(";")
            changes = _read_changes(parts)
            if head == "r" and not events:
                recipes.append((recipes[0] if recipes else recipe(BASE)).change(changes))
                if len(recipes) > 2:
                    raise ValueError("The playground holds 1 or 2 recipes; the link has more.")
            else:
                events.append(_read_event(head, changes))
        return cls(tuple(recipes), tuple(events), int(at))


def new(*recipes: Recipe) -> Script:
    """A script that begins with these recipes."""
    return Script(recipes)


def change(at: int, changes: Mapping[str, Any], member: int | None = None) -> Event:
    """A change of settings; values may be anything that a recipe takes."""
    return Event(at, CHANGE, member, _texts(changes))


_Frozen = tuple[tuple[int, str, int | None, tuple[tuple[str, str], ...], int], ...]


def _frozen(events: Iterable[Event]) -> _Frozen:
    """Events as what a cache can look up."""
    return tuple((e.at, e.kind, e.member, tuple((e.changes or {}).items()), e.times) for e in events)


@lru_cache(maxsize=512)
def _folded(recipes: tuple[Recipe, ...], events: _Frozen) -> tuple[Recipe, ...]:
    """The recipes after these events, each of which is checked."""
    if not events:
        for one in recipes:
            check_recipe(one)
        check_pair(recipes)
        return recipes
    now = list(_folded(recipes, events[:-1]))
    at, kind, member, changes, times = events[-1]
    if kind not in _LETTERS:
        raise ValueError(f"There is no event '{kind}'; choose one of {', '.join(_LETTERS)}.")
    earliest = events[-2][0] if len(events) > 1 else 0
    if not earliest <= at <= MOST_ITERATIONS:
        raise ValueError(f"An event is at iteration {at:,}; allowed is {earliest:,} to {MOST_ITERATIONS:,}.")
    if kind != CHANGE:
        if changes or member is not None or not 1 <= times <= _MOST_IN_A_ROW:
            raise ValueError(f"Single updates are those of all members, 1 to {_MOST_IN_A_ROW:,} in a row.")
        return tuple(now)
    if not changes or times != 1:
        raise ValueError("A change happens once and names one setting or more.")
    if member is not None and not 0 <= member < len(now):
        raise ValueError(f"There is no member {member}; this playground has {len(now)}, counted from 0.")
    for index in range(len(now)) if member is None else (member,):
        changed = now[index].change(dict(changes))
        check_recipe(changed)
        check_continues(now[index], changed)
        now[index] = changed
    check_pair(now)
    return tuple(now)


def _joined(before: Event, event: Event) -> Event | None:
    """Two events as one where they say the same, else None."""
    if (before.at, before.kind, before.member) != (event.at, event.kind, event.member):
        return None
    if event.kind != CHANGE:
        times = before.times + event.times
        return replace(event, times=times) if times <= _MOST_IN_A_ROW else None
    repeated = set(before.changes) <= set(event.changes) and all(path.startswith(_DIALS) for path in event.changes)
    return event if repeated else None


def _texts(changes: Mapping[str, Any]) -> dict[str, str]:
    return {path: _value_text(value) for path, value in changes.items()}


def _value_text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(map(_value_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _event_text(event: Event) -> str:
    member = "" if event.member is None else f".{event.member}"
    times = "" if event.times == 1 else f"*{event.times}"
    return _section(f"{_LETTERS[event.kind]}{event.at}{member}{times}", event.changes or {})


def _section(head: str, changes: Mapping[str, str]) -> str:
    parts = []
    for path, value in changes.items():
        first, *rest = path.split(".")
        # quote leaves ~ as it is, which separates sections here
        parts.append(f"{'.'.join([_SHORT.get(first, first), *rest])}={quote(value, safe=',').replace('~', '%7E')}")
    return ";".join([head, *parts])


def _read_changes(parts: Iterable[str]) -> dict[str, str]:
    changes = {}
    for part in parts:
        path, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"The link says '{part[:60]}'; a setting is written as name=value.")
        first, *rest = path.split(".")
        changes[".".join([_LONG.get(first, first), *rest])] = unquote(value)
    return changes


def _read_event(head: str, changes: dict[str, str]) -> Event:
    found = re.fullmatch(_HEAD, head)
    if not found:
        raise ValueError(f"The link says '{head[:40]}'; an event begins with c, d or g and the iteration.")
    letter, at, member, times = found.groups()
    return Event(int(at), _KINDS[letter], None if member is None else int(member), changes or None, int(times or 1))
