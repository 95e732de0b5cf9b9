"""Classes on disk: `classes/<CODE>.json` in the home, written as a whole under one lock.

A class's code is for its students, its key for its teacher: of the key only a salted hash is kept. It has 78 random
bits, so a fast hash will do; nobody can try them all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ganplay.classroom.exercises import Exercise, line
from ganplay.files import locked, read_json, write_atomically
from ganplay.paths import home

MOST_CLASSES, MOST_EXERCISES, MOST_NAMES = 100, 20, 60
LONGEST_NAME = 24
UNUSED_DAYS = 60  # without a start, after which anybody may delete a class; without an exercise it is one day
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so that no word comes out
KEY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike on paper
_CODE = re.compile(f"[{LETTERS}]{{6}}")
_DAY = 86_400.0


@dataclass(frozen=True)
class Classroom:
    """A class.

    Attributes:
        used: Unix time of the last start or change.
        names: those that students have given, as first written.
        salt, key: of the teacher's key: a random text, and the SHA-256 of both, in hexadecimal.
    """

    code: str
    title: str
    created: float
    used: float
    exercises: tuple[Exercise, ...]
    names: tuple[str, ...]
    salt: str
    key: str

    def exercise(self, id: str) -> Exercise:
        """The exercise with this id.

        Raises:
            ValueError: there is none.
        """
        for one in self.exercises:
            if one.id == id:
                return one
        raise ValueError(f"The class '{self.title}' has no exercise {str(id)[:20]!r}; it may have been deleted.")

    def is_key(self, key: str) -> bool:
        """True for the teacher's key. Takes as long for a wrong one."""
        return hmac.compare_digest(_hash(self.salt, key), self.key)

    @property
    def unused(self) -> bool:
        """True when nobody has needed it for so long that anybody may delete it."""
        return time.time() - self.used > (UNUSED_DAYS if self.exercises else 1) * _DAY


def make(title: str) -> tuple[Classroom, str]:
    """A new class and the teacher's key, which is kept nowhere.

    Raises:
        ValueError: the title is not allowed, or there are too many classes.
    """
    key = "-".join("".join(secrets.choice(KEY_LETTERS) for _ in range(4)) for _ in range(4))
    salt = secrets.token_hex(8)
    with _locked():
        known = _codes()
        if len(known) >= MOST_CLASSES:
            raise ValueError(f"This server has {len(known)} classes, and no more fit; delete one first.")
        code = next(code for code in iter(_random_code, "") if code not in known)
        now = time.time()
        made = Classroom(code, line(title, "title"), now, now, (), (), salt, _hash(salt, key))
        _write(made)
    return made, key


def find(code: str) -> Classroom:
    """The class with this code; small letters will do.

    Raises:
        ValueError: there is none, or its file is damaged.
    """
    written = clean_code(code)
    path = _path(written)
    if not path.is_file():
        raise ValueError(f"There is no class {written}; ask your teacher for the code.")
    try:
        content = read_json(path)
        exercises = tuple(map(Exercise.parsed, content["exercises"]))
        texts = {name: str(content[name]) for name in ("title", "salt", "key")}
        times = {name: float(content[name]) for name in ("created", "used")}
        return Classroom(written, exercises=exercises, names=tuple(map(str, content["names"])), **texts, **times)
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"The class {written} cannot be read; its file is damaged.") from None


def clean_code(code: str) -> str:
    """A code as it is kept, and safe as the name of a file.

    Raises:
        ValueError: it has another form.
    """
    written = re.sub(r"[\s-]", "", str(code)[:20]).upper()
    if not _CODE.fullmatch(written):
        raise ValueError(f"{str(code)[:20]!r} is no code of a class; one has six letters, such as KWMPTX.")
    return written


def unused() -> list[Classroom]:
    """The classes that anybody may delete, the longest unused first."""
    found = []
    for code in _codes():
        with suppress(ValueError):  # damaged, or deleted meanwhile
            found.append(find(code))
    return sorted((one for one in found if one.unused), key=lambda one: one.used)


def add_exercise(code: str, key: str, exercise: Exercise) -> None:
    """Puts an exercise into a class.

    Raises:
        ValueError: the key is not the teacher's, or the class is full.
    """

    def add(found: Classroom) -> Classroom:
        if len(found.exercises) >= MOST_EXERCISES:
            raise ValueError(f"The class has {MOST_EXERCISES} exercises, and no more fit; delete one first.")
        return replace(found, exercises=(*found.exercises, exercise))

    _change(code, add, key)


def remove_exercise(code: str, key: str, id: str) -> None:
    """Takes an exercise out of a class; its runs stay on the board.

    Raises:
        ValueError: the key is not the teacher's.
    """
    _change(code, lambda found: replace(found, exercises=tuple(e for e in found.exercises if e.id != id)), key)


def join(code: str, name: str) -> str:
    """Notes that somebody of this name starts something; the name as it was first written.

    Raises:
        ValueError: the name is not allowed, or the class has too many.
    """
    wanted = clean_name(name)

    def enter(found: Classroom) -> Classroom:
        names = found.names if any(_same(wanted, one) for one in found.names) else (*found.names, wanted)
        if len(names) > MOST_NAMES:
            raise ValueError(f"The class has {MOST_NAMES} names, and no more fit; use one that is on the board.")
        return replace(found, names=names)

    return next(one for one in _change(code, enter).names if _same(wanted, one))


def clean_name(name: str) -> str:
    """A student's name: letters of any script, digits, spaces and . ' -, so that it can stand anywhere.

    Raises:
        ValueError: it has other characters, or is empty or too long.
    """
    clean = " ".join(unicodedata.normalize("NFC", str(name)[:200]).split())
    kinds = [unicodedata.category(letter)[0] for letter in clean]
    allowed = all(kind in "LMN" or letter in " .'-" for kind, letter in zip(kinds, clean, strict=True))
    if not allowed or not 1 <= len(clean) <= LONGEST_NAME or kinds[0] not in "LN":
        raise ValueError(
            f"The name is {str(name)[:40]!r}; it must have 1 to {LONGEST_NAME} letters, digits, spaces or . ' - "
            "and begin with a letter or digit."
        )
    return clean


def delete(code: str, key: str = "") -> None:
    """Removes a class; its runs stay.

    Raises:
        ValueError: the key is not the teacher's and the class is not unused.
    """
    with _locked():
        found = find(code)
        if not found.unused:
            _demand(found, key)
        _path(found.code).unlink(missing_ok=True)


def _change(code: str, change: Callable[[Classroom], Classroom], key: str | None = None) -> Classroom:
    """Replaces a class by what `change` makes of it; without a key for what students may do."""
    with _locked():
        found = find(code)
        if key is not None:
            _demand(found, key)
        changed = replace(change(found), used=time.time())
        _write(changed)
    return changed


def _demand(found: Classroom, key: str) -> None:
    if not found.is_key(key):
        raise ValueError(f"That is not the teacher's key of the class '{found.title}'.")


def _write(found: Classroom) -> None:
    content: dict[str, Any] = asdict(found) | {"exercises": [one.to_json() for one in found.exercises]}
    write_atomically(_path(found.code), json.dumps(content, indent=1))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _hash(salt: str, key: str) -> str:
    plain = re.sub(r"[\s-]", "", str(key)[:100]).lower()
    return hashlib.sha256(f"{salt}{plain}".encode()).hexdigest()


def _random_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(6))


def _folder() -> Path:
    return home() / "classes"


def _path(code: str) -> Path:
    return _folder() / f"{code}.json"


def _codes() -> list[str]:
    return [path.stem for path in _folder().glob("*.json") if _CODE.fullmatch(path.stem)]


@contextmanager
def _locked() -> Iterator[None]:
    """Holds the lock over all classes: every change reads, checks and writes."""
    _folder().mkdir(parents=True, exist_ok=True)
    with locked(_folder() / ".lock", wait=10) as held:
        if not held:
            raise ValueError("The classes are being changed by somebody else; try again in a moment.")
        yield
