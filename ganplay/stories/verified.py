"""What `ganplay verify` found over many seeds: a file that comes with the program, for pages to show beside one run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganplay.files import read_json, write_atomically
from ganplay.recipe import Recipe
from ganplay.stories.checking import Check
from ganplay.stories.story import Story

BUNDLED = Path(__file__).with_name("verified.json")  # written by `ganplay verify --page playground --json`
DIGITS = 3


@dataclass(frozen=True)
class Verified:
    """One story over many seeds.

    Attributes:
        seeds: first and last.
        held: on how many the claim held.
        spread: by training, then by quantity: mean, smallest and largest value over the seeds.
    """

    seeds: tuple[int, int]
    held: int
    spread: Mapping[str, Mapping[str, tuple[float, float, float]]]


def verified(story: Story, path: Path = BUNDLED) -> Verified | None:
    """What was found for a story as it is now; None when it was never verified, or has changed since."""
    try:
        entry = dict(read_json(path))[story.kind]
        then = {label: Recipe.from_json(given) for label, given in entry["recipes"].items()}
    except (OSError, KeyError, TypeError, ValueError):
        return None
    if then != story.recipes(0):
        return None
    spread = {
        training: {name: tuple(values) for name, values in measured.items()}
        for training, measured in entry["spread"].items()
    }
    return Verified(tuple(entry["seeds"]), entry["held"], spread)


def record(checks: Iterable[Check], path: Path) -> None:
    """Adds what was found to a file; stories that it holds already are replaced, others stay.

    Raises:
        ValueError: the file is there and cannot be read.
    """
    known: dict[str, Any] = dict(read_json(path)) if path.exists() else {}
    known |= {check.story.kind: _entry(check) for check in checks}
    write_atomically(path, json.dumps(known, separators=(",", ":")))


def _entry(check: Check) -> dict[str, Any]:
    return {
        "seeds": [check.seeds[0], check.seeds[-1]],
        "held": check.held,
        "spread": {
            training: {name: [float(f"{value:.{DIGITS}g}") for value in values] for name, values in measured.items()}
            for training, measured in check.spread().items()
        },
        "recipes": {label: recipe.to_json() for label, recipe in check.story.recipes(0).items()},
    }
