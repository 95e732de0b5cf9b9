"""Writes `ganplay/ui/failure_quiz.json`, the curves that the quiz of the page "Failure modes" comes with.

Run it after a change of the stories: `python tests/failure_quiz_curves.py`. It takes some minutes on one core. The
answers are not written: the page lets the diagnosis read the curves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ganplay.files import write_atomically
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.training import train_all

TARGET = Path(__file__).parents[1] / "ganplay" / "ui" / "failure_quiz.json"
POINTS = 56  # of each case
DIGITS = 3
CASES = {  # a story and which of its trainings, with a seed that the story's own checks do not use
    "a": ("exploding-gradients", 0), "b": ("mode-collapse", 1), "c": ("d-too-strong", 0), "d": ("clip-too-small", 0),
    "e": ("exploding-gradients", 2), "f": ("d-too-weak", 0), "g": ("clip-too-large", 0), "h": ("d-too-strong", 2),
    "i": ("oscillation", 0), "j": ("oscillation", 1),
}  # fmt: skip
SEED = 101


def main() -> None:
    made = {key: _recipe(*case) for key, case in CASES.items()}
    trained = train_all(list(made.values()))
    content = {
        key: {"title": one.title, "recipe": one.to_json(), "points": _thinned(points)}
        for (key, one), (points, _) in zip(made.items(), trained, strict=True)
    }
    write_atomically(TARGET, json.dumps(content, separators=(",", ":")))
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes", file=sys.stderr)


def _recipe(story: str, place: int) -> Recipe:
    return list(stories[story]().recipes(SEED).values())[place]


def _thinned(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = len(points) - 1
    kept = [points[last * step // (POINTS - 1)] for step in range(POINTS)] if len(points) > POINTS else points
    return [_rounded(point | {"seconds": 0.0, "rate": 0.0}) for point in kept]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
