"""What pages ask of the server: the one run manager, and runs, pictures and curves read once for all who watch."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st
from PIL import Image

from ganplay.runs import store

if TYPE_CHECKING:
    from ganplay.runs.manager import Manager
    from ganplay.runs.store import Run

ACTIVE = ("queued", "starting", "running")
WIDEST = 720  # pixels of a picture on a page
MOST_RUNS = 4


@st.cache_resource(show_spinner=False)
def manager() -> Manager:
    """The server's run manager, started on first use."""
    from ganplay.runs.manager import Manager

    running = Manager()
    running.start()
    return running


def runs(ids: list[str]) -> tuple[list[Run], list[str]]:
    """The runs of these ids, and a sentence for each id that is unknown."""
    found, sentences = [], []
    for id in dict.fromkeys(ids[:MOST_RUNS]):
        try:
            found.append(store.find(id))
        except ValueError as error:
            sentences.append(str(error))
    if len(ids) > MOST_RUNS:
        sentences.append(f"{len(ids)} runs were asked for; the first {MOST_RUNS} are shown.")
    return found, sentences


@st.cache_data(show_spinner=False, max_entries=400)
def picture(id: str, images: int) -> bytes:
    """A saved sample as JPEG, every pixel an equal square, for all sessions that look at it.

    Raises:
        ValueError: the run or the picture is gone.
    """
    path = store.find(id).sample_path(images)
    try:
        with Image.open(path) as opened:
            drawn = opened.convert("RGB")
    except OSError as error:
        raise ValueError(f"The sample at {images:,} images cannot be read.") from error
    factor = max(1, WIDEST // drawn.width)
    large = drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


@st.cache_data(show_spinner=False, max_entries=64)
def points(id: str, images: int, limit: int = 400) -> list[dict[str, Any]]:
    """The curves of a run, thinned. `images` is the clock: it makes the answer of a later tick another one."""
    return store.find(id).metrics(limit=limit)


@st.cache_data(show_spinner=False, max_entries=400)
def judges(id: str) -> bool:
    """False for a run with a critic, whose score has no threshold between real and generated."""
    try:
        return not store.find(id).recipe().loss.scores
    except ValueError:
        return True


def attempt(action: Callable[..., Any], *arguments: Any) -> Any:
    """Calls `action` for a button; a user's mistake becomes a sentence that the next run of the page shows."""
    try:
        return action(*arguments)
    except ValueError as error:
        st.session_state["notice"] = str(error)
        return None


def show_notice() -> None:
    """Shows the sentence that `attempt` left, once."""
    sentence = st.session_state.pop("notice", None)
    if sentence:
        st.error(sentence)
