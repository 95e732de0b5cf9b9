"""The folder of one run and how to read it while another process writes it.

A run is `runs/<id>/` with `recipe.json`, `run.json`, `status.json`, `metrics.jsonl`, `samples/`, `checkpoints/` and
`worker.log`. Its worker holds `.lock` for life, and the operating system frees it however the worker dies: that, not
what the status says, decides whether a run is alive. This module imports no torch.
"""

from __future__ import annotations

import bisect
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganplay.environment import processor
from ganplay.files import locked, read_json, write_atomically

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

STATES = ("queued", "starting", "running", "paused", "stopped", "finished", "failed", "interrupted")
LIVE = ("starting", "running")  # states that only a living worker can be in
RESUMABLE = ("paused", "stopped", "interrupted", "failed")
ENDED = ("finished", "stopped", "failed")  # offered for deletion when the disk quota is used up
REQUESTS = ("pause", "stop", "checkpoint")
QUEUED = "Waiting for a free place."
GONE = "The worker ended without a word; the run can be resumed from its last checkpoint."

_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{4}")
_IMPLAUSIBLE = 1e15  # no image, second or rate is ever counted so far
_LINE_START = re.compile(rb'\{"images": (\d+)[,}]')


def is_id(text: object) -> bool:
    """True for text that has the form of a run's id, and so is safe as the name of a folder."""
    return isinstance(text, str) and len(text) <= 80 and _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Status:
    """What a run does at the moment.

    Attributes:
        state: one of `STATES`.
        images: real images seen.
        seconds: time spent training, without pauses.
        rate: images per second, 0 before it is known.
        left: seconds until the run's stop condition at this rate, None when unknown.
        message: one sentence: what it does, or why it ended.
        progress: finished share, 0 to 1, while data is prepared; else None.
        updated: Unix time at which this was written.
    """

    state: str
    images: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    left: float | None = None
    message: str = ""
    progress: float | None = None
    updated: float = 0.0

    @property
    def live(self) -> bool:
        """True while a worker has the run."""
        return self.state in LIVE

    @classmethod
    def parsed(cls, content: Any) -> Status:
        """The status that plain data describe.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or of another type.
        """
        status = cls(**{name: content[name] for name in cls.__dataclass_fields__})
        numbers = [status.images, status.seconds, status.rate, status.updated]
        numbers += [value for value in (status.left, status.progress) if value is not None]
        if not all(type(value) in (int, float) and 0 <= value < _IMPLAUSIBLE for value in numbers):
            raise ValueError("a number is missing or impossible")
        if status.state not in STATES or type(status.images) is not int or not isinstance(status.message, str):
            raise ValueError("its state, images or message is none")
        return status

    def at_rest(self, state: str, message: str) -> Status:
        """The same counters in a state without a worker."""
        return replace(self, state=state, message=message, rate=0.0, left=None, progress=None)


@dataclass(frozen=True)
class Run:
    """A run by its id. Everything is read from disk at each call, so two processes always see the same."""

    id: str
    folder: Path

    def recipe_json(self) -> dict[str, Any]:
        """The recipe as plain data.

        Raises:
            ValueError: `recipe.json` is missing or damaged.
        """
        return read_json(self.folder / "recipe.json")

    def recipe(self) -> Recipe:
        """The recipe.

        Raises:
            ValueError: `recipe.json` is missing, damaged, or of another version of the package.
        """
        from ganplay.recipe import Recipe  # imports the networks, and torch with them

        return Recipe.from_json(self.recipe_json())

    @property
    def info(self) -> dict[str, Any]:
        """`run.json`: label, created (Unix time), base, group, threads, forked_from; defaults where it is damaged.

        A run of a class also has `lesson`: the class, the exercise, the student's name, what the student changed.
        """
        defaults = {"label": self.id, "created": 0.0, "base": None, "group": None, "threads": 1, "forked_from": None}
        try:
            return defaults | dict(read_json(self.folder / "run.json"))
        except (OSError, TypeError, ValueError):
            return defaults

    @property
    def reasons(self) -> tuple[str, ...]:
        """What the newest worker chose for this machine and why, a sentence each; empty before the first."""
        try:
            return tuple(map(str, read_json(self.folder / "machine.json")["reasons"]))
        except (KeyError, OSError, TypeError, ValueError):
            return ()

    def write_machine(self, reasons: Sequence[str]) -> None:
        """Keeps the processor's name and what was chosen for it.

        Raises:
            OSError: it cannot be written.
        """
        write_atomically(
            self.folder / "machine.json", json.dumps({"processor": processor(), "reasons": list(reasons)}, indent=1)
        )

    @property
    def label(self) -> str:
        """The name a reader gave the run."""
        return str(self.info["label"])

    @property
    def created(self) -> float:
        """Unix time at which the run was made, 0 when its folder is damaged."""
        created = self.info["created"]
        return float(created) if isinstance(created, (int, float)) else 0.0

    def status(self) -> Status:
        """The state now; `interrupted` when a worker was at it and is gone, `failed` when it cannot be read."""
        status = self.written_status()
        while status.live and not self.is_locked():
            # A worker writes its last status before it lets the lock go, so what is read after the lock was seen free
            # is the truth, unless the next worker has begun in between.
            again = self.written_status()
            if again == status:
                return status.at_rest("interrupted", GONE)
            status = again
        return status

    def written_status(self) -> Status:
        """What `status.json` says, whether or not a worker is alive."""
        try:
            return Status.parsed(read_json(self.folder / "status.json"))
        except (KeyError, OSError, TypeError, ValueError):
            return Status("failed", message="The status of this run cannot be read; its folder is damaged.")

    def write_status(self, status: Status) -> Status:
        """Replaces `status.json` and returns what was written, with the time."""
        status = replace(status, updated=time.time())
        write_atomically(self.folder / "status.json", json.dumps(asdict(status)))
        return status

    def force_status(self, status: Status) -> Status:
        """`write_status` that also works on a full disk: it writes into the bytes that the file already has."""
        try:
            return self.write_status(status)
        except OSError:
            status = replace(status, updated=time.time())
            with (self.folder / "status.json").open("r+b", buffering=0) as file:
                file.write(json.dumps(asdict(status)).encode().ljust(os.fstat(file.fileno()).st_size))
                file.truncate()
            return status

    def metrics(self, after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """The points of the curves, in order.

        Args:
            after: only points with more images than this.
            limit: at most so many, evenly thinned; the newest is always kept.
        """
        lines = metric_lines(self.folder)
        lines = lines[bisect.bisect_right(lines, after, key=images_of) :]
        if limit is not None and len(lines) > limit:
            last = len(lines) - 1
            lines = [lines[last - (last * step) // max(limit - 1, 1)] for step in reversed(range(limit))]
        return [point for point in map(_parsed, lines) if point is not None]

    def samples(self) -> list[int]:
        """Images seen at each saved sample, sorted."""
        return [images for images, _ in _numbered(self.folder / "samples", ".webp")]

    def sample_path(self, images: int) -> Path:
        """The picture saved after that many images; it need not exist."""
        return self.folder / "samples" / f"{int(images):09d}.webp"

    def checkpoints(self) -> list[Path]:
        """The saved checkpoints, newest first. Their name is the number of images seen."""
        return [path for _, path in reversed(_numbered(self.folder / "checkpoints", ".safetensors"))]

    def size(self) -> int:
        """Bytes on disk."""
        walk = os.walk(self.folder)  # passes over what is removed meanwhile
        return sum(_size(Path(parent, name)) for parent, _, names in walk for name in names)

    @property
    def _control(self) -> Path:
        return self.folder / "control"

    def ask(self, request: str) -> None:
        """Leaves a request for the worker: pause, stop, or checkpoint."""
        if request not in REQUESTS:
            raise ValueError(f"The request is {request!r}; it must be one of {', '.join(REQUESTS)}.")
        write_atomically(self._control, request)

    def request(self) -> str:
        """The request that waits, or an empty text."""
        try:
            return self._control.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def forget_request(self) -> None:
        """Removes the request that waits, if any."""
        self._control.unlink(missing_ok=True)

    def is_locked(self) -> bool:
        """True while a worker, or for a moment another reader, holds the run."""
        if not (self.folder / ".lock").exists():
            return False
        with self.locked() as held:
            return not held and self.folder.is_dir()

    @contextmanager
    def locked(self, wait: float = 0.0) -> Iterator[bool]:
        """Holds the run's lock inside the block. Gives False, without the lock, when it is not free in `wait` seconds.

        A block that only looks must be short: a worker waits for it.
        """
        if not self.folder.is_dir():  # deleted meanwhile; the lock must not bring the folder back
            yield False
            return
        with locked(self.folder / ".lock", wait) as held:
            yield held


def metric_lines(folder: Path) -> list[bytes]:
    """The complete lines of `metrics.jsonl`; a line that is still being written, or was cut off, is left out."""
    try:
        content = (folder / "metrics.jsonl").read_bytes()
    except OSError:
        return []
    return [line for line in content.split(b"\n")[:-1] if _LINE_START.match(line) and line.endswith(b"}")]


def images_of(line: bytes) -> int:
    """Images seen at a line that `metric_lines` gave."""
    return int(_LINE_START.match(line)[1])


def sidecar(checkpoint: Path) -> Path:
    """The file beside a checkpoint with the means of the curves' unfinished interval."""
    return checkpoint.with_suffix(".json")


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _numbered(folder: Path, suffix: str) -> list[tuple[int, Path]]:
    """The files of a folder that are named by a number, in its order."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
    stems = [name.removesuffix(suffix) for name in names if name.endswith(suffix)]
    return sorted((int(stem), folder / (stem + suffix)) for stem in stems if re.fullmatch(r"[0-9]{9,}", stem))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # removed meanwhile
        return 0
