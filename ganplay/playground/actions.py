"""What a reader can do with a playground: JSON objects with the name of the action in `do`.

- `play`, `pause`;
- `speed`: `speed` iterations a frame, 1 to 1,000;
- `step`: `which` is generator, discriminator or both; in slow motion, `both` is the next stage;
- `slow`: `on` is true or false;
- `seek`: to iteration `at`, forth or back;
- `change`: `changes` by path, of `member` 0 or 1, or of all (null). Before the first iteration everything can change;
  later the nets live on, and what only a new training can do is refused, unless `restart` is true;
- `points`: a drawing, `points` as pairs in [-2, 2], becomes the data of all; `restart` as above;
- `restart`: from iteration 0, with all that was changed on the way and `changes` as above, if there are any.

The answer is {"seq", "at", "script"}, or {"error"} and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ganplay.data.drawn import write_drawing
from ganplay.playground.script import Script
from ganplay.playground.world import World

if TYPE_CHECKING:
    from ganplay.playground.session import Session

Action = Mapping[str, Any]
MOST_SPEED = 1_000  # iterations a frame
_MOST_CHANGES = 40
_MOST_DRAWN = 2_000  # points that a browser may send; equal ones are one


def act(session: Session, action: Action) -> None:
    """Does it.

    Raises:
        ValueError: it is unknown or cannot be done; nothing has changed.
    """
    name = action.get("do")
    if not isinstance(name, str) or name not in _ACTIONS:
        raise ValueError(f"There is no action {str(name)[:40]!r}; choose one of {', '.join(_ACTIONS)}.")
    _ACTIONS[name](session, action)


def _play(session: Session, action: Action) -> None:
    session.play()


def _pause(session: Session, action: Action) -> None:
    session.playing = False


def _speed(session: Session, action: Action) -> None:
    session.speed = _whole(action, "speed", 1, MOST_SPEED)


def _step(session: Session, action: Action) -> None:
    which = action.get("which", "both")
    session.playing = False
    if session.slow is not None and which == "both":
        session.slow.next()
        return
    slow = session.slow is not None
    session.leave_slow_motion()
    session.world.step(which)
    if which != "both":
        session.forget_future()
    _slow(session, {"on": slow})


def _slow(session: Session, action: Action) -> None:
    if not isinstance(action.get("on"), bool):
        raise ValueError("Slow motion is switched with on true or false.")
    session.leave_slow_motion()
    if action["on"]:
        session.world.settle()
        session.begin_slow_motion()


def _seek(session: Session, action: Action) -> None:
    at = _whole(action, "at", 0, 10**9)
    session.leave_slow_motion()
    session.world.seek(at)


def _change(session: Session, action: Action) -> None:
    changes, member = _changes(action), _member(action)
    world = session.world
    untouched = world.at == 0 and world.target is None and not world.script.events
    if untouched or action.get("restart") is True:
        _renew(session, changes, member)
        return
    slow = session.slow is not None
    session.leave_slow_motion()
    try:
        world.change(changes, member)
        session.forget_future()
    finally:
        _slow(session, {"on": slow})


def _points(session: Session, action: Action) -> None:
    given = action.get("points")
    pairs = isinstance(given, list) and len(given) <= _MOST_DRAWN and all(map(_is_pair, given))
    if not pairs:
        raise ValueError(f"A drawing is a list of at most {_MOST_DRAWN:,} pairs of numbers.")
    drawing = {"dataset": "drawn", "dataset.points": write_drawing((x, y) for x, y in given)}
    _change(session, {"changes": drawing, "restart": action.get("restart")})


def _restart(session: Session, action: Action) -> None:
    _renew(session, _changes(action) if action.get("changes") else {}, _member(action))


def _renew(session: Session, changes: Mapping[str, Any], member: int | None) -> None:
    """Begins anew from the present recipes with some changes."""
    recipes = list(session.world.recipes)
    for index in range(len(recipes)) if member is None else (member,):
        if not 0 <= index < len(recipes):
            raise ValueError(f"There is no member {index}; this playground has {len(recipes)}, counted from 0.")
        recipes[index] = recipes[index].change(changes)
    script = Script(tuple(recipes))
    script.check_length()
    session.replace(World(script))


def _changes(action: Action) -> Mapping[str, Any]:
    changes = action.get("changes")
    if not isinstance(changes, dict) or not 1 <= len(changes) <= _MOST_CHANGES:
        raise ValueError(f"changes must be an object with 1 to {_MOST_CHANGES} settings.")
    for path, value in changes.items():
        entries = value if isinstance(value, list) else [value]
        if not all(isinstance(entry, (str, int, float)) for entry in entries):
            raise ValueError(f"{path[:60]} must be text, a number, true or false, or a list of these.")
    return changes


def _member(action: Action) -> int | None:
    member = action.get("member")
    if member is not None and type(member) is not int:
        raise ValueError(f"member is {str(member)[:40]!r}; it must be 0, 1 or null for all.")
    return member


def _whole(action: Action, name: str, low: int, high: int) -> int:
    value = action.get(name)
    if type(value) is not int and not (isinstance(value, float) and value.is_integer()):
        raise ValueError(f"{name} is {str(value)[:40]!r}; it must be a whole number.")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value:,}; allowed is {low:,} to {high:,}.")
    return int(value)


def _is_pair(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(type(one) in (int, float) and abs(one) < 1e6 for one in value)


_ACTIONS: dict[str, Callable[[Session, Action], None]] = {
    "play": _play, "pause": _pause, "speed": _speed, "step": _step, "slow": _slow, "seek": _seek, "change": _change,
    "points": _points, "restart": _restart,
}  # fmt: skip
