"""Flags made from a recipe's settings, so that a new part needs no flag of its own."""

from __future__ import annotations

import argparse
import json
import typing
from pathlib import Path
from typing import Any

from ganplay.recipe import SLOTS, Recipe
from ganplay.recipes import recipe, recipes


def base_recipe(text: str) -> Recipe:
    """A recipe by name, or from a JSON file.

    Raises:
        ValueError: the name is unknown or the file holds no valid recipe.
    """
    if not text.endswith(".json"):
        return recipe(text)
    try:
        content = json.loads(Path(text).read_text("utf-8"))
    except OSError:
        raise ValueError(f"There is no readable recipe file {text}.") from None
    except ValueError:
        raise ValueError(f"The recipe file {text} holds no valid JSON.") from None
    return Recipe.from_json(content)


def chosen_recipe(words: list[str], default: str) -> Recipe:
    """The recipe whose settings become flags: `--recipe`, with the parts named in `words` swapped in.

    Raises:
        ValueError: a recipe or a part is unknown.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--recipe", default=default)
    for slot in SLOTS:
        first.add_argument(_flag(slot), dest=slot)
    given, _ = first.parse_known_args(words)
    parts = {slot: getattr(given, slot) for slot in SLOTS if getattr(given, slot) is not None}
    return base_recipe(given.recipe).change(parts)


def add_settings(parser: argparse.ArgumentParser, base: Recipe) -> None:
    """One flag for each setting of `base`, grouped by part, with help, range and present value."""
    groups: dict[str, Any] = {}
    for setting in base.settings():
        slot = setting.path.split(".")[0] if setting.path.split(".")[0] in SLOTS else ""
        if slot not in groups:
            groups[slot] = parser.add_argument_group(slot.replace("_", " ") or "training")
        allowed = setting.option.range_text()
        value = ",".join(map(str, setting.value)) if isinstance(setting.value, tuple) else setting.value
        text = f"{setting.option.help} {f'({allowed}; ' if allowed else '('}now {value if value != '' else 'empty'})"
        groups[slot].add_argument(
            _flag(setting.path),
            dest=f"setting:{setting.path}",
            metavar=_metavar(setting.type),
            help=text.replace("%", "%%"),
            default=None,
        )


def changes(options: argparse.Namespace) -> dict[str, str]:
    """The settings given on the command line, as text for `Recipe.change`."""
    return {
        name.removeprefix("setting:"): value
        for name, value in vars(options).items()
        if name.startswith("setting:") and value is not None
    }


def known_recipes() -> str:
    """The names of all recipes, for a help text."""
    return ", ".join(recipes.names())


def _flag(path: str) -> str:
    return "--" + path.replace("_", "-")


def _metavar(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        return "A,B,..."
    return {int: "N", float: "X", bool: "YES/NO", str: "NAME"}[kind]
