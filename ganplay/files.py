"""Files that a reader sees whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """An open file that takes the place of `path` when the block ends well, and vanishes when it raises.

    Its folder is created. The bytes reach the disk before the name does, so that a power cut leaves the old file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are private to the user, and these are to be read like any other file of the folder.
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes | str) -> None:
    """Writes a whole file, text as UTF-8; readers see the old content or the new, never a part.

    Raises:
        OSError: it could not be written; the old content is untouched and no temporary file stays behind.
    """
    with atomic_file(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def locked(path: Path, wait: float = 0.0) -> Iterator[bool]:
    """Holds the lock of a file, which is created, inside the block; False, without it, when not free in `wait` seconds.

    The system frees it however its holder dies.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait, poll_interval=0.02)
    except (Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        ValueError: the file is missing, cannot be read or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"The file '{path}' is missing.") from None
    except OSError as error:
        raise ValueError(f"The file '{path}' cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):  # not JSON, or not even text
        raise ValueError(f"The file '{path}' is damaged: its content is not JSON.") from None


def _replace(temporary: Path, path: Path) -> None:
    """Takes the place of the old file; patient on Windows, where that fails while somebody has the old one open."""
    for _ in range(40 if os.name == "nt" else 0):
        try:
            temporary.replace(path)
            return
        except PermissionError:
            time.sleep(0.05)
    temporary.replace(path)
