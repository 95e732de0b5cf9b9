"""The networks that are open: read once for all who look at them, the last few kept, read again when files change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganplay.layout import CONFIG, DISCRIMINATOR, GENERATOR

if TYPE_CHECKING:
    from torch import nn

    from ganplay.checkpoint import LoadedGenerator

OPEN_AT_ONCE = 8  # networks kept in memory
OPEN_BYTES = 10**9  # of their weights together, the last one apart

# The open networks, the one used last at the end. Views share them: a module in eval mode is only ever read.
_cache: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
_cache_lock = threading.Lock()
_load_lock = threading.Lock()  # one load at a time, so that thirty viewers of a new checkpoint read it once


def open_generator(path: Path) -> LoadedGenerator:
    """The generator of a checkpoint file or a model folder.

    Raises:
        ValueError: something is missing, damaged, or does not fit.
    """
    from ganplay import checkpoint

    return _open(path, GENERATOR, checkpoint.load_generator)


def open_discriminator(path: Path) -> nn.Module:
    """The discriminator of a checkpoint file or a model folder, shared by all: look at it, and change a copy.

    Raises:
        ValueError: there is none, or it is damaged, or does not fit.
    """
    from ganplay import checkpoint

    return _open(path, DISCRIMINATOR, checkpoint.load_discriminator)


def _open(path: Path, file: str, load: Callable[[Path], Any]) -> Any:
    stamp = _stamp(path, file)
    found = _cached(stamp)
    if found is None:
        with _load_lock:
            found = _cached(stamp)
            if found is None:
                found = load(path)
                _keep(stamp, found)
    return found


def _stamp(path: Path, file: str) -> tuple[Any, ...]:
    """Changes when the content of a checkpoint file or a model folder is replaced."""
    files = [path / file, path / CONFIG] if path.is_dir() else [path]
    stamps = []
    for one in files:
        try:
            status = one.stat()
        except OSError:
            raise ValueError(f"There is no checkpoint {path.name}: {one.name} is missing.") from None
        stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return (path.absolute(), file, *stamps)


def _cached(stamp: tuple[Any, ...]) -> Any:
    with _cache_lock:
        if stamp in _cache:
            _cache.move_to_end(stamp)
        return _cache.get(stamp)


def _keep(stamp: tuple[Any, ...], loaded: Any) -> None:
    with _cache_lock:
        for other in [known for known in _cache if known[:2] == stamp[:2]]:  # older weights of the same path
            del _cache[other]
        _cache[stamp] = loaded
        while len(_cache) > OPEN_AT_ONCE or (len(_cache) > 1 and sum(map(_size, _cache.values())) > OPEN_BYTES):
            _cache.popitem(last=False)


def _size(loaded: Any) -> int:
    """Bytes of the weights and buffers of a network or a loaded generator."""
    return sum(value.nbytes for value in getattr(loaded, "module", loaded).state_dict().values())
