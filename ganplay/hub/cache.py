"""What was downloaded from the Hub: one model folder for each repository and revision, within a bound.

A folder appears whole or not at all. Those used longest ago give way to a new one, and can be downloaded again.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from ganplay.environment import limit, size_text
from ganplay.files import read_json, write_atomically
from ganplay.hub.reference import Reference
from ganplay.layout import NEEDED
from ganplay.paths import hub_folder

ABOUT = "download.json"  # beside the files of a model; its time is that of the last use
PLAN = "plan.json"  # in a download under way: {"bytes": what it will take}
FILES = "files"  # the folder in a download under way that becomes the model folder
_LOADING = ".loading-"


@dataclass(frozen=True)
class About:
    """Where the files of a folder come from.

    Attributes:
        restricted: it took a token to get them, so that only the token's owner may use them.
    """

    repository: str
    revision: str
    commit: str
    restricted: bool = False


def find(reference: Reference, restricted: bool = False) -> Path | None:
    """The folder of a download on this computer, None when there is none.

    Args:
        restricted: also one that it took a token to get.
    """
    folder = hub_folder() / reference.folder
    about = _about(folder)
    if about is None or (about.restricted and not restricted):
        return None
    return folder


def about(folder: Path) -> About:
    """Where a download comes from.

    Raises:
        ValueError: it is not there any more.
    """
    found = _about(folder)
    if found is None:
        raise ValueError(f"The download {folder.name} is gone; download it again.")
    return found


def downloads() -> list[tuple[Reference, Path]]:
    """Everything on this computer that anybody may use, sorted by name."""
    found = []
    for folder in sorted(hub_folder().glob(f"[!.]*/{ABOUT}")):
        with suppress(ValueError):  # a folder that is not ours
            reference = Reference.of_folder(folder.parent.name)
            if find(reference):
                found.append((reference, folder.parent))
    return found


def touch(folder: Path) -> None:
    """Marks a download as used now."""
    with suppress(OSError):  # deleted meanwhile, or only to be read
        os.utime(folder / ABOUT)


@contextmanager
def loading(patience: float) -> Iterator[Path]:
    """A folder of its own for one download under way, deleted afterwards.

    Args:
        patience: seconds after which a download of another process cannot be under way any more.
    """
    folder = hub_folder() / f"{_LOADING}{secrets.token_hex(8)}"
    for left in hub_folder().glob(f"{_LOADING}*"):
        with suppress(OSError):
            if abs(time.time() - left.stat().st_mtime) > patience:
                shutil.rmtree(left, ignore_errors=True)
    (folder / FILES).mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_room(folder: Path, reference: Reference, needed: int) -> None:
    """Reserves `needed` bytes for the download under way in `folder`; those used longest ago are deleted for it.

    The download that it will replace stays until then.

    Raises:
        ValueError: it could never fit, or the rest is in use, or GANPLAY_HUB_GB is no number.
    """
    allowed = int(limit("GANPLAY_HUB_GB", 2, "gigabytes") * 1e9)
    sentence = f"{reference.repository} needs {size_text(needed)} and downloads may take {size_text(allowed)} together"
    if needed > allowed:
        raise ValueError(f"{sentence}; raise GANPLAY_HUB_GB.")
    with _lock():
        known = [(path.stat().st_mtime, path.parent, size(path.parent)) for path in hub_folder().glob(f"[!.]*/{ABOUT}")]
        used = sum(count for _, _, count in known) + _reserved(folder)
        for _, other, count in sorted(known):
            if used + needed > allowed and other.name != reference.folder:
                _remove(other)
                used -= count
        if used + needed > allowed:
            raise ValueError(f"{sentence}, of which {size_text(used)} are in use; raise GANPLAY_HUB_GB or try later.")
        write_atomically(folder / PLAN, json.dumps({"bytes": needed}))


def put(folder: Path, about: About) -> Path:
    """Gives the finished download in `folder` its place, instead of an older one, and returns that."""
    place = hub_folder() / Reference(about.repository, about.revision).folder
    write_atomically(folder / FILES / ABOUT, json.dumps(asdict(about)))
    with _lock():
        _remove(place)
        os.replace(folder / FILES, place)
    return place


def size(folder: Path) -> int:
    """Bytes of all files below a folder, whatever comes and goes meanwhile."""
    total = 0
    for parent, _, files in os.walk(folder):  # unlike `rglob` it passes over folders that have just gone
        for file in files:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, file)).st_size
    return total


def planned(folder: Path) -> int:
    """Bytes that the download under way in `folder` will take, 0 while they are not known."""
    try:
        return int(read_json(folder / PLAN)["bytes"])
    except (KeyError, TypeError, ValueError):
        return 0


def _reserved(folder: Path) -> int:
    return sum(planned(other) for other in hub_folder().glob(f"{_LOADING}*") if other != folder)


def _about(folder: Path) -> About | None:
    try:
        found = About(**read_json(folder / ABOUT))
    except (TypeError, ValueError):
        return None
    return found if all((folder / name).is_file() for name in NEEDED) else None


def _remove(folder: Path) -> None:
    """Deletes a download, if it is there; whoever looks meanwhile sees all of it or nothing."""
    doomed = folder.with_name(f"{_LOADING}{secrets.token_hex(8)}")
    with suppress(FileNotFoundError):
        os.replace(folder, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _lock() -> FileLock:
    return FileLock(hub_folder() / "hub.lock")
