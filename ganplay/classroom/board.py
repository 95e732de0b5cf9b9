"""The runs of a class as plain rows: who trained what, how far it is, its newest picture, its curves and its score.

A run belongs to a class by `lesson` in its `run.json`: {"class", "exercise", "student", "changes"}.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ganplay.runs import store
from ganplay.runs.folder import Run, metric_lines

if TYPE_CHECKING:
    from ganplay.classroom.exercises import Exercise

ACTIVE = ("queued", "starting", "running")
MOST_ACTIVE = 4  # runs of one name that train or wait, as many as an exercise may start at once
POINTS = 40  # of a small curve
COLUMNS = ("student", "exercise", "run", "label", "state", "images", "seconds", "score", "metric", "changes")
_NO_SCORE = (b'"score": null', b'"score":null')

Row = dict[str, Any]


def lesson(code: str, exercise: Exercise, student: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What a run of this exercise keeps about it; `changes` are those of the student."""
    plain = {path: list(value) if isinstance(value, tuple) else value for path, value in changes.items()}
    return {"class": code, "exercise": exercise.id, "student": student, "changes": plain}


def rows(code: str) -> list[Row]:
    """A row for each run of a class, newest first.

    Each has run, student, exercise (its id), label, changes, state, images, seconds, message, sample (images seen at
    the newest picture, or None), losses (two lists of numbers, of D and of G), score (or None), metric, created.
    """
    found = []
    for run in store.list_runs():
        info = run.info
        about = _lesson_of(info)
        if about is not None and about["class"] == code:
            found.append(_row(run, about, str(info["label"])))
    return found


def refuse_more(code: str, student: str, count: int) -> None:
    """Looks at what a student has in the queue before `count` runs more are started.

    Raises:
        ValueError: that would be too many at once.
    """
    waiting = 0
    for run in store.unsorted_runs():
        about = _lesson_of(run.info)
        if about is not None and (about["class"], about["student"]) == (code, student):
            waiting += run.status().state in ACTIVE
    if waiting + count > MOST_ACTIVE:
        raise ValueError(
            f"{student} has {waiting} run{'s' if waiting != 1 else ''} that train or wait, and {MOST_ACTIVE} may at "
            "once; stop one, or wait until one has ended."
        )


def ordered(found: Sequence[Row], by: str) -> list[Row]:
    """Rows by "score" (smallest first, those without one last), "images" (most first), "student" or "newest"."""
    keys = {
        "score": lambda row: (row["score"] is None, row["score"] or 0.0),
        "images": lambda row: -row["images"],
        "student": lambda row: row["student"].casefold(),
        "newest": lambda row: -row["created"],
    }
    if by not in keys:
        raise ValueError(f"Runs are sorted by {by!r}; {', '.join(keys)} are known.")
    return sorted(found, key=keys[by])


def table(found: Sequence[Row], titles: Mapping[str, str]) -> str:
    """The rows as CSV with a header; `titles` are those of the exercises by id."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in found:
        changes = "; ".join(f"{path}={_text(value)}" for path, value in row["changes"].items())
        own = row | {"exercise": titles.get(row["exercise"], row["exercise"]), "changes": changes}
        writer.writerow([_cell(own[name]) for name in COLUMNS])
    return text.getvalue()


def _row(run: Run, about: dict[str, Any], label: str) -> Row:
    status, pictures = run.status(), run.samples()
    curves = _curves(run.id, _written(run))
    return about | {
        "run": run.id, "label": label, "state": status.state, "images": status.images, "seconds": status.seconds,
        "message": status.message, "sample": pictures[-1] if pictures else None, "losses": curves[0],
        "score": curves[1], "metric": _metric(run) if curves[1] is not None else "", "created": run.created,
    }  # fmt: skip


def _lesson_of(info: Mapping[str, Any]) -> dict[str, Any] | None:
    """The lesson of a run, if it has one that can be read."""
    about = info.get("lesson")
    if not isinstance(about, dict) or not isinstance(about.get("changes"), dict):
        return None
    texts = {name: about.get(name) for name in ("class", "exercise", "student")}
    return texts | {"changes": about["changes"]} if all(isinstance(text, str) for text in texts.values()) else None


def _written(run: Run) -> tuple[int, int]:
    try:
        found = (run.folder / "metrics.jsonl").stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=512)
def _curves(id: str, written: tuple[int, int]) -> tuple[tuple[list[float], list[float]], float | None]:
    """The losses of D and G, thinned, and the newest score, as they are when the run's file looks like `written`."""
    try:
        run = store.find(id)
    except ValueError:  # deleted meanwhile
        return ([], []), None
    points, names = run.metrics(limit=POINTS), ("discriminator_loss", "generator_loss")
    losses = tuple([point[name] for point in points if _finite(point.get(name))] for name in names)
    return losses, _newest_score(metric_lines(run.folder))


def _newest_score(lines: Sequence[bytes]) -> float | None:
    for one in reversed(lines):
        if not any(text in one for text in _NO_SCORE):
            try:
                score = json.loads(one).get("score")
            except ValueError:
                continue
            if _finite(score):
                return float(score)
    return None


def _metric(run: Run) -> str:
    """What a run's score is, in the words of its recipe."""
    try:
        metric = run.recipe_json()["metric"]
        return f"{metric['kind']} ({metric['features']})" if "features" in metric else str(metric["kind"])
    except (KeyError, TypeError, ValueError):
        return ""


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
