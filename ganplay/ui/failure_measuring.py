"""Measuring what runs have left: their samples, spectra, copies and a story's verdict, in the background."""

from __future__ import annotations

import io
from concurrent.futures import Future
from typing import Any

import torch
from PIL import Image

from ganplay import checkpoint
from ganplay.data.resident import load
from ganplay.diagnosis.measures import fakes, measures
from ganplay.metrics.neighbours import nearest_samples
from ganplay.pictures import grid
from ganplay.runs import store
from ganplay.state import State
from ganplay.stories import stories
from ganplay.stories.story import End, Verdict
from ganplay.ui.background import ask
from ganplay.ui.shared import WIDEST

COMPARED = 256  # images behind a spectrum
SHOWN, ROW = 24, 12  # samples beside their neighbours, and of them in a row

Stamp = tuple[Any, ...]  # changes when there is more to measure


def samples(id: str, name: str) -> Future:
    """What the samples of a run's checkpoint say, by the names of `ganplay.diagnosis.measures`."""
    return ask(_measured, id, name)


def verdict(kind: str, members: tuple[tuple[str, str, Stamp], ...]) -> Future:
    """A story's verdict on runs as plain data: `holds`, `evidence` and `measured`.

    Args:
        members: label, id and stamp of each run.
    """
    return ask(_judged, kind, members)


def computed(kind: str, seed: int) -> Future:
    """The verdict of a story that computes it instead of training runs, as plain data."""
    return ask(_computed, kind, seed)


def spectra(id: str, name: str) -> Future:
    """Shares of the power by frequency of a checkpoint's samples (`made`) and of as many real ones (`real`)."""
    return ask(_spectra, id, name)


def copies(id: str, name: str) -> Future:
    """Samples of a checkpoint above the training samples that are nearest to them, as JPEG in `picture`."""
    return ask(_copies, id, name)


def _measured(id: str, name: str) -> dict[str, float]:
    return measures(_state(id, name))


def _judged(kind: str, members: tuple[tuple[str, str, Stamp], ...]) -> dict[str, Any]:
    ends = {label: End.of(store.find(id)) for label, id, _ in members}
    try:
        found = stories[kind]().judge(ends)
    except KeyError as missing:
        raise ValueError(f"The claim is about “{missing.args[0]}” too: let it train beside these.") from None
    return _plain(found)


def _computed(kind: str, seed: int) -> dict[str, Any]:
    return _plain(stories[kind]().verify(seed))


def _plain(found: Verdict) -> dict[str, Any]:
    measured = {label: {name: float(value) for name, value in one.items()} for label, one in found.measured.items()}
    return {"holds": bool(found.holds), "evidence": found.evidence, "measured": measured}


def _spectra(id: str, name: str) -> dict[str, list[float]]:
    state = _state(id, name)
    made, _ = fakes(state, COMPARED, average=True)
    real = load(state.recipe.dataset, state.recipe.shapes.sample)
    known, _ = real.batch(torch.arange(min(COMPARED, len(real))))
    return {"made": _shares(made), "real": _shares(known)}


def _shares(images: torch.Tensor) -> list[float]:
    """The share of the power of square images (N, C, S, S) at each frequency from 0 to 1/2, of rows and columns.

    Frequency 0 is what does not change along one axis; the mean of an image is left out.
    """
    images = images.double() - images.double().mean((2, 3), keepdim=True)
    power = torch.fft.fft2(images).abs().square().sum((0, 1))  # (S, S)
    along = power.sum(0) + power.sum(1)
    side = len(along)
    folded = along[: side // 2 + 1].clone()
    folded[1 : (side + 1) // 2] += along.flip(0)[: (side - 1) // 2]  # negative frequencies
    return (folded / folded.sum().clamp(min=1e-12)).tolist()


def _copies(id: str, name: str) -> dict[str, Any]:
    state = _state(id, name)
    made, _ = fakes(state, SHOWN, average=True)
    real = load(state.recipe.dataset, state.recipe.shapes.sample)
    near, _ = real.batch(nearest_samples(made, real).indices[:, 0])
    rows = [part for pair in zip(made.split(ROW), near.split(ROW), strict=True) for part in pair]
    drawn = grid(torch.cat(rows), ROW)
    factor = max(1, WIDEST // drawn.width)
    large = drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=88, subsampling=0)
    return {"picture": buffer.getvalue()}


def _state(id: str, name: str) -> State:
    return checkpoint.load(store.find(id).folder / "checkpoints" / name)
