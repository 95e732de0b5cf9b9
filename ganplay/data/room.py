"""A bound on the cache of prepared arrays: those least recently used give way to a new one.

A run whose array is deleted goes on: its mapping keeps the bytes until it ends. Windows refuses to delete a mapped
file, which then stays for another time.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from ganplay.environment import limit, size_text

GRACE = 60.0  # seconds after its last use before an array may be deleted


def touch(path: Path) -> None:
    """Marks a prepared array as used now."""
    with suppress(OSError):  # somebody else's cache, only to be read
        os.utime(path)


def beside(path: Path) -> tuple[Path, Path]:
    """The files of labels and class names that belong to a prepared array."""
    return path.with_suffix(".labels.npy"), path.with_suffix(".classes.json")


def make_room(path: Path, needed: int) -> None:
    """Deletes prepared arrays beside `path` until `needed` bytes more fit into GANPLAY_CACHE_GB gigabytes, or 4.

    Nobody else may write to the folder meanwhile. What `path` itself holds does not count, as it is to be replaced.

    Raises:
        ValueError: it could never fit, all else was used within the last minute, or GANPLAY_CACHE_GB is no number.
    """
    allowed = int(limit("GANPLAY_CACHE_GB", 4, "gigabytes") * 1e9)
    sentence = f"The prepared images need {size_text(needed)} and the cache may take {size_text(allowed)}"
    if needed > allowed:
        raise ValueError(f"{sentence}; choose smaller images or raise GANPLAY_CACHE_GB.")
    for unfinished in path.parent.glob(".*.tmp"):  # of a process that was killed
        _delete(unfinished)
    found = []
    for array in set(path.parent.glob("*.npy")) - set(path.parent.glob("*.labels.npy")) - {path}:
        with suppress(FileNotFoundError):  # its picture set is deleted at this moment
            size = sum(file.stat().st_size for file in (array, *beside(array)))
            found.append((array.stat().st_mtime, array, size))
    used = sum(size for _, _, size in found)
    for last_use, array, size in sorted(found):
        if used + needed > allowed and abs(time.time() - last_use) >= GRACE and _delete(array):
            used -= size
            for file in beside(array):
                _delete(file)
    if used + needed > allowed:
        busy = f"of which {size_text(used)} are in use"
        raise ValueError(f"{sentence}, {busy}; try again in a minute or raise GANPLAY_CACHE_GB.")


def _delete(file: Path) -> bool:
    try:
        file.unlink(missing_ok=True)
    except OSError:  # mapped by a run on Windows
        return False
    return True
