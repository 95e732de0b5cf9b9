"""The results of evaluations on disk, beside the queue, bounded in number and size. No torch on import.

<key>.json                   figures, neighbours, the stamp they hold for, and a checksum of all that
<key>.<digest>.jpg, .webp    its pictures, named by their content
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganplay.evaluations.asks import VERSION, Ask, exists
from ganplay.evaluations.queue import Request, end, file, folder, requests
from ganplay.files import read_json, write_atomically

MOST_RESULTS, MOST_BYTES = 200, 100 * 10**6
ABANDONED = 3_600.0  # seconds after which a file that belongs to nothing is removed

_RESULT = re.compile(r"[0-9a-f]{24}\.json")
_PICTURE = re.compile(r"[0-9a-f]{16}\.(?:jpg|webp)")


def keep(request: Request, result: Mapping[str, Any], pictures: Mapping[str, tuple[str, bytes]]) -> None:
    """Stores the result of a request in the place of an older one, and ends the request.

    Args:
        result: plain JSON data.
        pictures: name -> ("jpg" or "webp", content).

    Raises:
        OSError: it cannot be written; the older result is unharmed.
    """
    key = request.ask.key
    names = {}
    for name, (suffix, content) in pictures.items():
        names[name] = f"{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
        write_atomically(folder() / f"{key}.{names[name]}", content)
    whole = {**result, "version": VERSION, "ask": request.ask.to_json(), "pictures": names, "made": time.time()}
    write_atomically(file(key), json.dumps(whole | {"checksum": _checksum(whole)}))
    for path in _pictures(key):
        if path.name.split(".", 1)[1] not in names.values():
            path.unlink(missing_ok=True)
    end(request)


def find(ask: Ask) -> dict[str, Any] | None:
    """The result of an ask, whatever the weights were by then; None when there is none that is whole and readable."""
    try:
        content = read_json(file(ask.key))
    except ValueError:
        return None
    if not isinstance(content, dict) or (content.get("version"), content.get("ask")) != (VERSION, ask.to_json()):
        return None
    checksum = content.pop("checksum", None)
    return content if checksum == _checksum(content) else None


def version(ask: Ask) -> tuple[int, int]:
    """Changes with the result; (0, 0) without one."""
    try:
        found = file(ask.key).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def picture(ask: Ask, name: str) -> bytes:
    """A picture of a result.

    Args:
        name: as it stands in the result's `pictures`.

    Raises:
        ValueError: it is gone.
    """
    if not isinstance(name, str) or not _PICTURE.fullmatch(name):
        raise ValueError("This is not the name of a picture.")
    try:
        return (folder() / f"{ask.key}.{name}").read_bytes()
    except OSError:
        raise ValueError("The picture is gone; evaluate once more.") from None


def prune() -> None:
    """Removes results of what was deleted, then the oldest beyond the bounds, and files that belong to nothing."""
    found = []  # (time, key, bytes)
    for path in folder().glob("*.json"):
        if _RESULT.fullmatch(path.name):
            ask, key = _ask_of(path), path.stem
            if ask is None or not exists(ask.source):
                _remove(key)
            else:
                found.append((_changed(path), key, _size(path) + sum(map(_size, _pictures(key)))))
    found.sort()
    total = sum(size for _, _, size in found)
    while found and (len(found) > MOST_RESULTS or total > MOST_BYTES):
        _, key, size = found.pop(0)
        total -= size
        _remove(key)
    known = {key for _, key, _ in found} | {request.ask.key for request in requests()}
    for path in folder().iterdir():
        left = path.suffix == ".tmp" or (path.suffix != ".lock" and path.name.split(".", 1)[0] not in known)
        if left and time.time() - _changed(path) > ABANDONED:
            path.unlink(missing_ok=True)


def _remove(key: str) -> None:
    for path in (file(key), *_pictures(key)):  # the result first: without it nobody asks for its pictures
        with suppress(OSError):
            path.unlink()


def _pictures(key: str) -> list[Path]:
    return [path for path in folder().glob(f"{key}.*") if _PICTURE.fullmatch(path.name.split(".", 1)[1])]


def _ask_of(path: Path) -> Ask | None:
    try:
        return Ask.from_json(read_json(path)["ask"])
    except (KeyError, TypeError, ValueError):
        return None


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile
        return time.time()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
