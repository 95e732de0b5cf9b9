"""Pictures as the studio shows them: drawn once for all who ask for the same, with the texts that make them again."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import NamedTuple

from torch import nn

from ganplay import pictures, sources
from ganplay.drawings import Drawing, Model, canvas
from ganplay.studio import files

_REMEMBERED = 64  # pictures of one generator; each is a path


class Drawn(NamedTuple):
    """A picture's file, and how to make it again from a command line and in Python."""

    path: str
    command: str
    python: str


def open_source(source: str | None) -> Model:
    """The generator behind a key.

    Raises:
        ValueError: nothing is chosen, or it cannot be opened.
    """
    if not source:
        raise ValueError("No checkpoint or run is chosen; choose one from the list.")
    return sources.open_source(source)


def drawn(source: str | None, drawing: Drawing) -> Drawn:
    """The picture, or the animation, that a drawing makes of a source.

    Raises:
        ValueError: the source cannot be opened or not be drawn.
    """
    model = open_source(source)
    path = _recall(model.module, drawing)
    if path is None:
        path = files.keep(_encoded(model, drawing), drawing.file)
        _remember(model.module, drawing, path)
    name = sources.short(str(source))
    return Drawn(path, drawing.command(name), drawing.python(name))


def _encoded(model: Model, drawing: Drawing) -> bytes:
    if drawing.animate:
        return canvas.encode(drawing.frames(model), canvas.file_kind(drawing.file, True), drawing.frame_ms)
    return pictures.png(drawing.show(model))


# The paths of pictures by drawing, the one asked for last at the end, for as long as the generator itself is open.
_paths: weakref.WeakKeyDictionary[nn.Module, OrderedDict[Drawing, str]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _recall(module: nn.Module, drawing: Drawing) -> str | None:
    with _lock:
        known = _paths.get(module, {})
        path = known.get(drawing)
        if path is not None:
            known.move_to_end(drawing)
    return path if path is not None and files.touch(path) else None


def _remember(module: nn.Module, drawing: Drawing, path: str) -> None:
    with _lock:
        known = _paths.setdefault(module, OrderedDict())
        known[drawing] = path
        while len(known) > _REMEMBERED:
            known.popitem(last=False)
