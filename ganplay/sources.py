"""What can be sampled: bundled checkpoints, runs that have saved one, model folders, and downloads from the Hub.

A key names a source in links and programs: `checkpoint:<name>`, `run:<id>`, `folder:<name>` (below GANPLAY_MODELS) or
`hub:<owner>/<name>[@<revision>]`. Listing reads file names and JSON only and imports no torch; opening reads weights,
and never waits for a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ganplay import opening, paths
from ganplay.files import read_json
from ganplay.hub import cache
from ganplay.hub.downloading import download
from ganplay.hub.reference import HUB, Reference
from ganplay.layout import CONFIG, CONFIG_BYTES, DISCRIMINATOR, GENERATOR
from ganplay.runs import store

if TYPE_CHECKING:
    from torch import nn

    from ganplay.checkpoint import LoadedGenerator

CHECKPOINT, RUN, FOLDER = "checkpoint:", "run:", "folder:"
KINDS = (CHECKPOINT, RUN, FOLDER, HUB)
CLASSIFIER = "ganplay-classifier-"  # how the format in a bundled classifier's config.json begins
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")  # of a folder: never a path, never hidden
_LONGEST = 80  # characters of a title in a list, whoever wrote it
_NAMED = 12  # names in a sentence
_Opened = TypeVar("_Opened")


@dataclass(frozen=True)
class Source:
    """One thing to sample.

    Attributes:
        key: see the top of this file.
        title: what a reader calls it.
        kind: "checkpoint", "run", "folder" or "hub".
        detail: what it was trained on and for how long, in a few words.
    """

    key: str
    title: str
    kind: str
    detail: str


def sources() -> list[Source]:
    """Everything that can be sampled now: checkpoints, folders and downloads by name, then runs, newest first."""
    downloaded = [_describe(reference.key, "hub", folder) for reference, folder in cache.downloads()]
    own = _folders(paths.models_folder(), FOLDER, "folder")
    return [*_folders(paths.bundled_checkpoints(), CHECKPOINT, "checkpoint"), *own, *downloaded, *_runs()]


def open_source(key: str) -> LoadedGenerator:
    """The generator behind a key, with its newest weights; safe to call from many threads.

    A run whose newest checkpoint is damaged gives the one before it.

    Raises:
        ValueError: the key is unknown, there is nothing readable behind it, or it is not downloaded yet.
    """
    return _open(key, opening.open_generator)


def open_discriminator(key: str) -> nn.Module:
    """The discriminator behind a key, in eval mode and without gradients, shared by all: change a copy.

    Raises:
        ValueError: as for `open_source`, or the weights were published without their discriminator.
    """
    if not has_discriminator(key):
        open_source(key)  # whose sentence comes first
        raise ValueError(f"{short(key)} comes without its discriminator; runs and some checkpoints have theirs.")
    return _open(key, opening.open_discriminator)


def has_discriminator(key: str) -> bool:
    """True when `open_discriminator` has a file to read."""
    try:
        if key.startswith(RUN):
            return bool(store.find(key.removeprefix(RUN)).checkpoints())
        return (folder_of(key) / DISCRIMINATOR).is_file()
    except (AttributeError, ValueError):
        return False


def short(key: str) -> str:
    """What a person types for a key, understood by `resolve`: a bundled name, a run's id, or the key itself."""
    return key.removeprefix(CHECKPOINT).removeprefix(RUN)


def folder_of(key: str) -> Path:
    """The model folder behind a key of any kind but a run's.

    Raises:
        ValueError: the key is unknown, there is no such folder, or it is not downloaded yet.
    """
    if isinstance(key, str) and key.startswith(HUB):
        reference = Reference.parse(key)
        folder = cache.find(reference)
        if folder is None:
            name = short(reference.key).removeprefix(HUB)
            raise ValueError(f"{name} is not on this computer yet; download it first (ganplay pull {name}).")
        return folder
    for prefix, root, noun in (
        (CHECKPOINT, paths.bundled_checkpoints(), "checkpoint {} in the package"),
        (FOLDER, paths.models_folder(), "model folder {} in GANPLAY_MODELS"),
    ):
        if isinstance(key, str) and key.startswith(prefix):
            name = key.removeprefix(prefix)
            if _NAME.fullmatch(name) and (root / name).is_dir():
                return root / name
            known = _some(_usable(root)) or "none yet"
            raise ValueError(f"There is no {noun.format(repr(name[:80]))}; there is {known}.")
    raise ValueError(f"There is no checkpoint or run {str(key)[:80]!r}; a key begins with {', '.join(KINDS)}.")


def resolve(text: str, allow_paths: bool = False) -> LoadedGenerator:
    """The generator that a person named: a key, the name of a bundled checkpoint, or a run's id.

    Args:
        allow_paths: also accept the path of a checkpoint file or model folder, download a `hub:` key that is not here,
            and open what it took the environment's token to download. Only for a person at the machine's own command
            line: whoever may name paths may open any file.

    Raises:
        ValueError: nothing has that name, or it cannot be read.
    """
    if allow_paths and text.startswith(HUB):
        reference = Reference.parse(text)
        folder = cache.find(reference, restricted=True) or download(reference.repository, reference.revision)
        cache.touch(folder)
        return opening.open_generator(folder)
    if text.startswith(KINDS):
        return open_source(text)
    if store.is_id(text):
        return open_source(RUN + text)
    if _NAME.fullmatch(text) and (paths.bundled_checkpoints() / text / CONFIG).is_file():
        return open_source(CHECKPOINT + text)
    if allow_paths and Path(text).exists():
        return opening.open_generator(Path(text))
    known = _some([source.key for source in sources()]) or "nothing yet: train a recipe first"
    also = " and there is no such path" if allow_paths else ""
    raise ValueError(f"There is no checkpoint or run {text[:200]!r}{also}; there is {known}.")


def _some(names: list[str]) -> str:
    """The first of them, and how many there are beside; a sentence must not grow with a folder."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _open(key: str, read: Callable[[Path], _Opened]) -> _Opened:
    if isinstance(key, str) and key.startswith(RUN):
        return _open_run(store.find(key.removeprefix(RUN)), read)
    folder = folder_of(key)
    if key.startswith(HUB):
        cache.touch(folder)
    return read(folder)


def _open_run(run: store.Run, read: Callable[[Path], _Opened]) -> _Opened:
    """What `read` makes of the newest checkpoint that can be read."""
    for _ in range(2):  # a worker may have replaced every listed file before the first was opened
        for path in run.checkpoints():
            try:
                return read(path)
            except ValueError:
                continue
    if run.checkpoints():
        raise ValueError(f"No checkpoint of the run '{run.label}' can be read; they are damaged.")
    raise ValueError(f"The run '{run.label}' has no checkpoint yet; it saves the first one after a while of training.")


def _folders(root: Path, prefix: str, kind: str) -> list[Source]:
    return [_describe(prefix + name, kind, root / name) for name in _usable(root)]


def _usable(root: Path) -> list[str]:
    """The names of the model folders directly below `root`."""
    names = sorted(path.parent.name for path in root.glob(f"*/{CONFIG}")) if root.is_dir() else []
    usable = [name for name in names if _NAME.fullmatch(name) and (root / name / GENERATOR).is_file()]
    return [name for name in usable if not _is_classifier(root / name)]


def _is_classifier(folder: Path) -> bool:
    """True for the classifiers that lie beside the generators and cannot be sampled."""
    try:
        return str(_config(folder)["format"]).startswith(CLASSIFIER)
    except (KeyError, TypeError, ValueError):
        return False


def _describe(key: str, kind: str, folder: Path) -> Source:
    name = short(key).removeprefix(FOLDER).removeprefix(HUB)
    try:
        config = _config(folder)
        title = " ".join(str(config["recipe"]["title"]).split())[:_LONGEST]
        return Source(key, title or name, kind, _detail(config["recipe"], int(config["images"])))
    except (KeyError, OverflowError, TypeError, ValueError):
        return Source(key, name, kind, "its config.json is damaged")


def _config(folder: Path) -> Any:
    path = folder / CONFIG
    if not path.is_file() or path.stat().st_size > CONFIG_BYTES:
        raise ValueError(f"The {CONFIG} of {folder.name} is too large.")
    return read_json(path)


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
    return f"{str(recipe['dataset']['kind'])[:_LONGEST]}, {images:,} images seen"
