"""Measuring what runs have left: in threads beside the pages, once for everybody who looks.

Sampling and judging three runs on images takes some seconds. A page asks, draws what it knows, and looks again.
"""

from __future__ import annotations

import io
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import streamlit as st
import torch
from PIL import Image

from ganplay import checkpoint
from ganplay.data.resident import load
from ganplay.diagnosis.measures import fakes, measures
from ganplay.metrics.neighbours import nearest_samples
from ganplay.pictures import grid
from ganplay.runs import store
from ganplay.runs.limits import cores
from ganplay.state import State
from ganplay.stories import stories
from ganplay.stories.story import End, Verdict
from ganplay.ui.shared import WIDEST

PATIENCE = 0.2  # seconds that a page waits for an answer before it is drawn without
AGAIN = 1.0  # seconds until it looks again
COMPARED = 256  # images behind a spectrum
SHOWN, ROW = 24, 12  # samples beside their neighbours, and of them in a row

Stamp = tuple[Any, ...]  # changes when there is more to measure


def answer(asked: Future) -> Any:
    """What was asked for, None while it is not known.

    Raises:
        ValueError: it cannot be measured; the sentence says why.
    """
    try:
        return asked.result(PATIENCE)
    except TimeoutError:
        return None


@st.cache_resource(show_spinner=False, max_entries=300)
def samples(id: str, name: str) -> Future:
    """What the samples of a run's checkpoint say, by the names of `ganplay.diagnosis.measures`."""
    return _pool().submit(_measured, id, name)


@st.cache_resource(show_spinner=False, max_entries=300)
def verdict(kind: str, members: tuple[tuple[str, str, Stamp], ...]) -> Future:
    """A story's verdict on runs as plain data: `holds`, `evidence` and `measured`.

    Args:
        members: label, id and stamp of each run.
    """
    return _pool().submit(_judged, kind, {label: id for label, id, _ in members})


@st.cache_resource(show_spinner=False, max_entries=300)
def computed(kind: str, seed: int) -> Future:
    """The verdict of a story that computes it instead of training runs, as plain data."""
    return _pool().submit(_computed, kind, seed)


@st.cache_resource(show_spinner=False, max_entries=100)
def spectra(id: str, name: str) -> Future:
    """Shares of the power by frequency of a checkpoint's samples (`made`) and of as many real ones (`real`)."""
    return _pool().submit(_spectra, id, name)


@st.cache_resource(show_spinner=False, max_entries=100)
def copies(id: str, name: str) -> Future:
    """Samples of a checkpoint above the training samples that are nearest to them, as JPEG in `picture`."""
    return _pool().submit(_copies, id, name)


@st.cache_resource(show_spinner=False)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="measuring")


def _measured(id: str, name: str) -> dict[str, float]:
    return measures(_state(id, name))


def _judged(kind: str, runs: dict[str, str]) -> dict[str, Any]:
    ends = {label: End.of(store.find(id)) for label, id in runs.items()}
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
