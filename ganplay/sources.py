"""What can be sampled: the checkpoints that come with the package and the runs that have saved one.

A key names a source in links and programs: `checkpoint:<name>` or `run:<id>`. Listing reads file names and JSON only
and imports no torch; opening reads weights and keeps the last few open.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganplay import paths
from ganplay.files import read_json
from ganplay.runs import store

if TYPE_CHECKING:
    from ganplay.checkpoint import LoadedGenerator

CHECKPOINT, RUN = "checkpoint:", "run:"
CLASSIFIER = "ganplay-classifier-"  # how the format in a bundled classifier's config.json begins
OPEN_AT_ONCE = 8  # generators kept in memory
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")  # of a bundled folder: never a path, never hidden


@dataclass(frozen=True)
class Source:
    """One thing to sample.

    Attributes:
        key: `checkpoint:<name>` or `run:<id>`.
        title: what a reader calls it.
        kind: "checkpoint" or "run".
        detail: what it was trained on and for how long, in a few words.
    """

    key: str
    title: str
    kind: str
    detail: str


def sources() -> list[Source]:
    """Everything that can be sampled now: checkpoints by name, then runs, newest first."""
    return _bundled() + _runs()


def open_source(key: str) -> LoadedGenerator:
    """The generator behind a key, with its newest weights; safe to call from many threads.

    A run whose newest checkpoint is damaged gives the one before it.

    Raises:
        ValueError: the key is unknown, or there is nothing readable behind it.
    """
    if isinstance(key, str) and key.startswith(CHECKPOINT):
        return _open(_bundled_folder(key.removeprefix(CHECKPOINT)))
    if isinstance(key, str) and key.startswith(RUN):
        return _open_run(store.find(key.removeprefix(RUN)))
    raise ValueError(f"There is no checkpoint or run {str(key)[:80]!r}; a key looks like {CHECKPOINT}NAME or {RUN}ID.")


def resolve(text: str, allow_paths: bool = False) -> LoadedGenerator:
    """The generator that a person named: a key, the name of a bundled checkpoint, or a run's id.

    Args:
        allow_paths: also accept the path of a checkpoint file or model folder. Only for a person at the machine's own
            command line: whoever may name paths may open any file.

    Raises:
        ValueError: nothing has that name, or it cannot be read.
    """
    if text.startswith((CHECKPOINT, RUN)):
        return open_source(text)
    if store.is_id(text):
        return open_source(RUN + text)
    if _NAME.fullmatch(text) and (paths.bundled_checkpoints() / text / "config.json").is_file():
        return open_source(CHECKPOINT + text)
    if allow_paths and Path(text).exists():
        return _open(Path(text))
    known = ", ".join(source.key for source in sources()[:12]) or "nothing yet: train a recipe first"
    also = " and there is no such path" if allow_paths else ""
    raise ValueError(f"There is no checkpoint or run {text[:200]!r}{also}; there is {known}.")


def _bundled() -> list[Source]:
    root = paths.bundled_checkpoints()
    names = sorted(path.parent.name for path in root.glob("*/config.json")) if root.is_dir() else []
    usable = [name for name in names if _NAME.fullmatch(name) and (root / name / "model.safetensors").is_file()]
    return [_describe_bundled(name, root / name) for name in usable if not _is_classifier(root / name)]


def _is_classifier(folder: Path) -> bool:
    """True for the classifiers that lie beside the generators and cannot be sampled."""
    try:
        return str(read_json(folder / "config.json")["format"]).startswith(CLASSIFIER)
    except (KeyError, TypeError, ValueError):
        return False


def _describe_bundled(name: str, folder: Path) -> Source:
    try:
        config = read_json(folder / "config.json")
        recipe = config["recipe"]
        return Source(CHECKPOINT + name, recipe["title"] or name, "checkpoint", _detail(recipe, int(config["images"])))
    except (KeyError, TypeError, ValueError):
        return Source(CHECKPOINT + name, name, "checkpoint", "its config.json is damaged")


def _runs() -> list[Source]:
    found = []
    for run in store.list_runs():
        saved = run.checkpoints()
        if saved:
            found.append(Source(RUN + run.id, run.label, "run", _run_detail(run, int(saved[0].stem))))
    return found


def _run_detail(run: store.Run, images: int) -> str:
    try:
        return f"{_detail(run.recipe_json(), images)}, {run.status().state}"
    except (AttributeError, KeyError, TypeError, ValueError):
        return "its recipe.json is damaged"


def _detail(recipe: Mapping[str, Any], images: int) -> str:
    return f"{recipe['dataset']['kind']}, {images:,} images seen"


def _bundled_folder(name: str) -> Path:
    folder = paths.bundled_checkpoints() / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        known = ", ".join(source.key.removeprefix(CHECKPOINT) for source in _bundled()) or "none yet"
        raise ValueError(f"There is no checkpoint {name[:80]!r} in the package; there is {known}.")
    return folder


def _open_run(run: store.Run) -> LoadedGenerator:
    """The newest checkpoint that can be read."""
    for _ in range(2):  # a worker may have replaced every listed file before the first was opened
        for path in run.checkpoints():
            try:
                return _open(path)
            except ValueError:
                continue
    if run.checkpoints():
        raise ValueError(f"No checkpoint of the run '{run.label}' can be read; they are damaged.")
    raise ValueError(f"The run '{run.label}' has no checkpoint yet; it saves the first one after a while of training.")


# The open generators, the one used last at the end. Views share them: a module in eval mode is only ever read.
_cache: OrderedDict[tuple[Any, ...], LoadedGenerator] = OrderedDict()
_cache_lock = threading.Lock()
_load_lock = threading.Lock()  # one load at a time, so that thirty viewers of a new checkpoint read it once


def _open(path: Path) -> LoadedGenerator:
    """The generator of a checkpoint file or a model folder, read again only when the file has changed."""
    from ganplay.checkpoint import load_generator

    stamp = _stamp(path)
    found = _cached(stamp)
    if found is None:
        with _load_lock:
            found = _cached(stamp)
            if found is None:
                found = load_generator(path)
                _keep(stamp, found)
    return found


def _stamp(path: Path) -> tuple[Any, ...]:
    """Changes when the content of a checkpoint file or a model folder is replaced."""
    files = [path / "model.safetensors", path / "config.json"] if path.is_dir() else [path]
    stamps = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            raise ValueError(f"There is no checkpoint {path.name}: {file.name} is missing.") from None
        stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return (path.absolute(), *stamps)


def _cached(stamp: tuple[Any, ...]) -> LoadedGenerator | None:
    with _cache_lock:
        if stamp in _cache:
            _cache.move_to_end(stamp)
        return _cache.get(stamp)


def _keep(stamp: tuple[Any, ...], loaded: LoadedGenerator) -> None:
    with _cache_lock:
        for other in [known for known in _cache if known[0] == stamp[0]]:  # older weights of the same path
            del _cache[other]
        _cache[stamp] = loaded
        while len(_cache) > OPEN_AT_ONCE:
            _cache.popitem(last=False)
