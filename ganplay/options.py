"""Frozen configurations whose fields carry their own help and range.

One declaration serves five readers: the check on construction, JSON, the form on a page, the flags of the command
line and the query string of a shared link.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar


@dataclass(frozen=True)
class Option:
    """What a reader of a field must know beside its type and default."""

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    length: tuple[int, int] = (0, 16)  # of a tuple field

    def range_text(self) -> str:
        """The allowed values in words, empty when anything of the right type is allowed."""
        if self.choices:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.low is not None and self.high is not None:
            return f"{_number(self.low)} to {_number(self.high)}"
        if self.low is not None:
            return f"{_number(self.low)} or more"
        return "" if self.high is None else f"{_number(self.high)} or less"


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
    length: tuple[int, int] = (0, 16),
) -> Any:
    """A dataclass field with its help text and its range (`low` and `high` are included).

    Args:
        length: fewest and most entries, for a tuple field; the range then holds for each entry.
    """
    return dataclasses.field(default=default, metadata={"option": Option(help, low, high, choices, length)})


@dataclass(frozen=True)
class Checked:
    """Base of every configuration: construction checks types and ranges.

    Raises:
        ValueError: names the field, the value given and the values allowed.
    """

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field, annotation in option_fields(type(self)):
            value = coerce(getattr(self, field.name), annotation, field.name, field.metadata["option"])
            object.__setattr__(self, field.name, value)

    def values(self) -> dict[str, Any]:
        """The fields as plain JSON values (tuples become lists)."""
        plain = {field.name: getattr(self, field.name) for field, _ in option_fields(type(self))}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


@cache
def option_fields(owner: type) -> tuple[tuple[dataclasses.Field, Any], ...]:
    """The fields made by `option`, each with its resolved type: the class's own first, then inherited ones."""
    hints = typing.get_type_hints(owner)
    own = inspect.get_annotations(owner)
    fields = [field for field in dataclasses.fields(owner) if "option" in field.metadata]
    fields.sort(key=lambda field: field.name not in own)
    return tuple((field, hints[field.name]) for field in fields)


def coerce(value: Any, annotation: Any, name: str, option: Option) -> Any:
    """`value` as `annotation` (int, float, bool, str, or a tuple of one of them), checked against `option`.

    Text, as it comes from a command line or a link, is parsed; a tuple is written with commas.

    Raises:
        ValueError: one sentence with the value given and what is allowed.
    """
    if typing.get_origin(annotation) is tuple:
        entries = value.split(",") if isinstance(value, str) else value
        if not isinstance(entries, (list, tuple)):
            raise ValueError(f"{name} is {value!r}; it must be a list, such as 64,128.")
        entries = [entry for entry in entries if entry != ""]
        shortest, longest = option.length
        if not shortest <= len(entries) <= longest:
            raise ValueError(f"{name} has {len(entries)} entries; {shortest} to {longest} are allowed.")
        inner = typing.get_args(annotation)[0]
        return tuple(_scalar(entry, inner, name, option) for entry in entries)
    return _scalar(value, annotation, name, option)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _scalar(value: Any, kind: type, name: str, option: Option) -> Any:
    allowed = option.range_text()
    try:
        parsed = _parse(value, kind)
    except (KeyError, OverflowError, TypeError, ValueError):
        wanted = _WORDS[kind] + (f", {allowed}" if allowed else "")
        raise ValueError(f"{name} is {value!r}; it must be {wanted}.") from None
    outside = (
        (option.choices and parsed not in option.choices)
        or (option.low is not None and parsed < option.low)
        or (option.high is not None and parsed > option.high)
    )
    if outside:
        raise ValueError(f"{name} is {parsed!r}; allowed is {allowed}.")
    return parsed


def _parse(value: Any, kind: type) -> Any:
    if kind is bool:
        if isinstance(value, bool):
            return value
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[str(value).lower()]
    if kind is str:
        if not isinstance(value, str):
            raise TypeError
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    number = float(value) if not isinstance(value, int) else value
    if not math.isfinite(number) or (kind is int and number != int(number)):
        raise ValueError
    return kind(number)
