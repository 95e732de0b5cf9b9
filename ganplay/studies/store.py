"""The studies on disk, in `studies/<id>/` of the home.

    study.json                the plan, written once
    wish                      "run" or "stop": what its reader wants
    trials/<name>.<seed>.json the id of the trial's run, an ordinary one in the group `<id>`, and its result at the end
    trials/<name>.<seed>.webp its last picture, so that the result outlives the run
    real.json                 the scores of real data, by seed
    note                      what keeps the study from going on, one sentence
    .lock                     held by the process that drives it, so that one home drives a study once

No threads here. Whoever reads sees the same from every process.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganplay.environment import processor
from ganplay.files import locked, read_json, write_atomically
from ganplay.paths import home
from ganplay.runs import store as runs
from ganplay.runs.folder import Run, sidecar
from ganplay.studies.plan import Plan
from ganplay.studies.trial import Trial, scores_of

STATES = ("running", "stopped", "interrupted", "finished")
MOST_STUDIES = 200
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


@dataclass(frozen=True)
class Study:
    """A study by its id; everything is read from disk at each call."""

    id: str
    folder: Path

    def plan(self) -> Plan:
        """The plan.

        Raises:
            ValueError: it is missing, damaged, or of another version of the package.
        """
        return Plan.from_json(self._content().get("plan") or {})

    @property
    def title(self) -> str:
        """What lists call it."""
        try:
            return str(self._content()["plan"]["title"])
        except (KeyError, TypeError, ValueError):
            return self.id

    def machine(self) -> dict[str, Any]:
        """Where and when it was made: processor, created (Unix time)."""
        content = self._content()
        return {"processor": content.get("processor", ""), "created": content.get("created", 0.0)}

    def _content(self) -> dict[str, Any]:
        content = read_json(self.folder / "study.json")
        if not isinstance(content, dict):
            raise ValueError(f"The file '{self.folder / 'study.json'}' is damaged: it holds no object.")
        return content

    def wish(self) -> str:
        """ "run" or "stop"."""
        try:
            return (self.folder / "wish").read_text("utf-8").strip()
        except OSError:
            return "stop"

    def want(self, wish: str) -> None:
        """Leaves a wish for whoever drives the study."""
        write_atomically(self.folder / "wish", wish)

    def note(self) -> str:
        """What keeps it from going on, one sentence or nothing."""
        try:
            return (self.folder / "note").read_text("utf-8")
        except OSError:
            return ""

    def say(self, note: str) -> None:
        """Leaves such a sentence; an empty one removes it."""
        if note != self.note():
            write_atomically(self.folder / "note", note)

    def state(self) -> str:
        """One of `STATES`; "interrupted" when it should run and nobody drives it."""
        done, all_trials = self.progress()
        if done == all_trials:
            return "finished"
        if self.wish() != "run":
            return "stopped"
        return "running" if self.is_driven() else "interrupted"

    def is_driven(self) -> bool:
        """True while a process drives it, and for the moment in which somebody else looks."""
        if not (self.folder / ".lock").exists():
            return False
        with self.driving() as held:
            return not held

    @contextmanager
    def driving(self, wait: float = 0.0) -> Iterator[bool]:
        """Holds the study inside the block; gives False, without it, when it is not free in `wait` seconds."""
        if not self.folder.is_dir():
            yield False
            return
        with locked(self.folder / ".lock", wait) as held:
            yield held

    def progress(self) -> tuple[int, int]:
        """Trials that are over, and all of them."""
        names = self._names()
        return sum(self.kept(name, seed) for name, seed in names), len(names)

    def _names(self) -> list[tuple[str, int]]:
        try:
            plan = self._content()["plan"]
            return [(one["name"], seed) for seed in plan["seeds"] for one in plan["variants"]]
        except (KeyError, TypeError, ValueError):
            return []

    # Trials

    def trials(self) -> list[Trial]:
        """Every trial in the order of the plan."""
        return [self.trial(name, seed) for name, seed in self._names()]

    def trial(self, name: str, seed: int) -> Trial:
        """One trial: its result, or what its run has come to."""
        content = self._trial(name, seed)
        run = content.get("run")
        if result := content.get("result"):
            scores = tuple((int(images), float(score)) for images, score in result["scores"])
            return Trial(name, seed, result["state"], run, result["images"], result["seconds"], scores,
                         result["message"])  # fmt: skip
        if run is None:
            return Trial(name, seed, "waiting")
        try:
            found = runs.find(run)
        except ValueError:
            return Trial(name, seed, "lost", run)
        status = found.status()
        message = status.message if status.state == "failed" else ""
        return Trial(name, seed, status.state, run, status.images, status.seconds, scores_of(found), message)

    def assign(self, name: str, seed: int, run: Run) -> None:
        """Notes the run that trains a trial."""
        write_atomically(self._path(name, seed, "json"), json.dumps({"run": run.id, "result": None}))

    def settle(self, trial: Trial) -> None:
        """Keeps the result and the last picture of a trial that is over, and of its run the newest checkpoint only."""
        result = {name: getattr(trial, name) for name in ("state", "images", "seconds", "scores", "message")}
        try:
            run = runs.find(str(trial.run))
            if seen := run.samples():
                shutil.copyfile(run.sample_path(seen[-1]), self._path(trial.name, trial.seed, "webp"))
            for old in run.checkpoints()[1:]:  # three of each trial would fill the disk that all runs share
                old.unlink(missing_ok=True)
                sidecar(old).unlink(missing_ok=True)
        except (OSError, ValueError):  # deleted meanwhile: the result stands without
            pass
        write_atomically(self._path(trial.name, trial.seed, "json"), json.dumps({"run": trial.run, "result": result}))

    def picture(self, name: str, seed: int) -> bytes | None:
        """The newest picture of a trial as a WebP file, None before there is one."""
        try:
            return self._path(name, seed, "webp").read_bytes()
        except OSError:
            pass
        try:
            run = runs.find(str(self._trial(name, seed).get("run")))
            return run.sample_path(run.samples()[-1]).read_bytes()
        except (IndexError, OSError, ValueError):
            return None

    def real(self) -> tuple[float, ...]:
        """The scores of real data, one for each seed; empty before they are known."""
        try:
            return tuple(map(float, read_json(self.folder / "real.json")))
        except (TypeError, ValueError):
            return ()

    def keep_real(self, scores: tuple[float, ...]) -> None:
        """Keeps the scores of real data."""
        write_atomically(self.folder / "real.json", json.dumps(scores))

    def _trial(self, name: str, seed: int) -> Mapping[str, Any]:
        try:
            content = read_json(self._path(name, seed, "json"))
            return content if isinstance(content, dict) else {}
        except ValueError:
            return {}

    def kept(self, name: str, seed: int) -> bool:
        """True when the result of a trial is kept."""
        return self._trial(name, seed).get("result") is not None

    def _path(self, name: str, seed: int, ending: str) -> Path:
        return self.folder / "trials" / f"{name}.{seed}.{ending}"


def folder() -> Path:
    """Where the studies lie."""
    return home() / "studies"


def create(plan: Plan) -> Study:
    """A new study, which nobody drives yet.

    Raises:
        ValueError: there are too many.
    """
    if len(list_studies()) >= MOST_STUDIES:
        raise ValueError(f"There are {MOST_STUDIES} studies; delete one first.")
    now = time.time()
    id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(2)}"
    content = {"plan": plan.to_json(), "created": now, "processor": processor()}
    write_atomically(folder() / id / "study.json", json.dumps(content, indent=1))
    made = Study(id, folder() / id)
    made.want("run")
    return made


def find(id: str) -> Study:
    """The study with this id.

    Raises:
        ValueError: there is none, or it is no id at all.
    """
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise ValueError(f"{str(id)[:40]!r} is not the id of a study; one looks like 20261122-121500-3f2a.")
    if not (folder() / id / "study.json").is_file():
        raise ValueError(f"There is no study {id}; it may have been deleted.")
    return Study(id, folder() / id)


def list_studies() -> list[Study]:
    """Every study, newest first."""
    try:
        names = sorted((entry.name for entry in folder().iterdir() if _ID.fullmatch(entry.name)), reverse=True)
    except OSError:
        return []
    return [Study(name, folder() / name) for name in names if (folder() / name / "study.json").is_file()]


def runs_of(study: Study) -> list[Run]:
    """The runs of a study, those that a crash left unnoted too."""
    return [run for run in runs.unsorted_runs() if run.info["group"] == study.id]


def delete(study: Study, keep_runs: bool = False) -> None:
    """Removes a study, and its runs unless they are to be kept.

    Raises:
        ValueError: it is being driven, or a run is being trained.
    """
    with study.driving(wait=0.5) as held:
        if not held and study.folder.is_dir():
            raise ValueError(f"The study '{study.title}' is running; stop it before deleting it.")
        for run in [] if keep_runs else runs_of(study):
            runs.delete(run)
    with suppress(OSError):
        shutil.rmtree(study.folder)
