"""What a study has found so far, as plain data: of a study on disk, or of one that comes with the program."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from ganplay.files import read_json
from ganplay.studies import store
from ganplay.studies.plan import Plan
from ganplay.studies.store import Study
from ganplay.studies.trial import Trial

BUNDLED = Path(__file__).with_name("data")
SMOOTHING = 0.6  # weight of the past in a smoothed curve


@dataclass(frozen=True)
class Outcome:
    """A study with everything that is shown of it.

    Attributes:
        state: one of `store.STATES`.
        real: scores of real data, by seed; empty while unknown.
        machine: `processor` and `created`, a Unix time.
        pictures: WebP files of the first seed, by variant.
    """

    id: str
    plan: Plan
    state: str
    trials: tuple[Trial, ...]
    real: tuple[float, ...]
    machine: Mapping[str, Any]
    pictures: Mapping[str, bytes]

    def of(self, name: str) -> list[Trial]:
        """The trials of one variant, by seed."""
        return [trial for trial in self.trials if trial.name == name]

    def marks(self) -> list[int]:
        """Images seen at which every finished trial was scored."""
        known = [{images for images, _ in trial.scores} for trial in self.trials if trial.state == "finished"]
        return sorted(set.intersection(*known)) if known else []

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, complete in itself. A study that is not finished is cut to the seeds that are whole."""
        whole = [seed for seed in self.plan.seeds if all(one.over for one in self.trials if one.seed == seed)]
        if not whole:
            raise ValueError("No seed of this study is finished with every switch yet; there is nothing to keep.")
        real = [score for seed, score in zip(self.plan.seeds, self.real, strict=False) if seed in whole]
        return {
            "plan": replace(self.plan, seeds=tuple(whole)).to_json(),
            "trials": [_trial_json(trial) for trial in self.trials if trial.seed in whole],
            "real": real,
            "machine": dict(self.machine),
            "pictures": {name: base64.b64encode(_thin(data)).decode() for name, data in self.pictures.items()},
        }


def outcome(study: Study) -> Outcome:
    """What a study on disk has found so far.

    Raises:
        ValueError: its plan cannot be read.
    """
    plan = study.plan()
    first = plan.seeds[0]
    pictures = {one.name: study.picture(one.name, first) for one in plan.variants}
    kept = {name: data for name, data in pictures.items() if data}
    return Outcome(study.id, plan, study.state(), tuple(study.trials()), study.real(), study.machine(), kept)


def bundled_names() -> list[str]:
    """The studies that come with the program."""
    return sorted(path.stem for path in BUNDLED.glob("*.json"))


def bundled(name: str) -> Outcome:
    """A study that comes with the program.

    Raises:
        ValueError: there is none of that name, or its file is damaged.
    """
    if name not in bundled_names():
        raise ValueError(f"No study '{name}' comes with the program; there are {', '.join(bundled_names()) or 'none'}.")
    content = read_json(BUNDLED / f"{name}.json")
    trials = tuple(
        Trial(one["name"], one["seed"], one["state"], None, one["images"], one["seconds"],
              tuple((int(images), float(score)) for images, score in one["scores"]), one["message"])
        for one in content["trials"]
    )  # fmt: skip
    pictures = {key: base64.b64decode(text) for key, text in content["pictures"].items()}
    return Outcome(
        name, Plan.from_json(content["plan"]), "finished", trials, tuple(content["real"]), content["machine"], pictures
    )


def found(id: str) -> Outcome:
    """The study of this id, one of those that come with the program or one on disk.

    Raises:
        ValueError: there is none.
    """
    return bundled(id) if id in bundled_names() else outcome(store.find(id))


def smoothed(scores: Iterable[tuple[int, float]], weight: float = SMOOTHING) -> list[tuple[int, float]]:
    """An exponential moving average over the points, whose first values are not pulled to 0.

        s_t = sum_k weight^(t - k) x_k / sum_k weight^(t - k)

    Each score is of finitely many samples and of one moment; this takes a part of that noise out. It lags behind.
    """
    past = mass = 0.0
    made = []
    for images, score in scores:
        past, mass = weight * past + score, weight * mass + 1
        made.append((images, past / mass))
    return made


def spread(values: Iterable[float]) -> float | None:
    """Standard deviation, with n - 1; None of fewer than two values."""
    values = list(values)
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def curves(outcome: Outcome, smooth: bool) -> dict[str, dict[int, list[tuple[int, float]]]]:
    """The scores of every trial that has some, by variant and seed."""
    made: dict[str, dict[int, list[tuple[int, float]]]] = {one.name: {} for one in outcome.plan.variants}
    for trial in outcome.trials:
        if trial.scores:
            made[trial.name][trial.seed] = smoothed(trial.scores) if smooth else list(trial.scores)
    return made


def _thin(picture: bytes) -> bytes:
    """A saved picture in about half the bytes: it is looked at, not measured."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture)).save(buffer, "WEBP", quality=60, method=6)
    return buffer.getvalue()


def _trial_json(trial: Trial) -> dict[str, Any]:
    scores = [[images, float(f"{score:.6g}")] for images, score in trial.scores]
    return {
        "name": trial.name, "seed": trial.seed, "state": trial.state, "images": trial.images,
        "seconds": round(trial.seconds, 1), "scores": scores, "message": trial.message,
    }  # fmt: skip
