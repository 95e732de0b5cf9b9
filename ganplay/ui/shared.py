"""What pages ask of the server: the one run manager, and runs, pictures and curves read once for all who watch."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from PIL import Image

from ganplay.runs import store
from ganplay.ui.saved import saved

if TYPE_CHECKING:
    from ganplay.runs.manager import Manager
    from ganplay.runs.store import Run

ACTIVE = ("queued", "starting", "running")
WIDEST = 720  # pixels of a picture on a page
MOST_RUNS = 4  # beside each other: runs on a page, recipes in a link


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
    drawn = saved(id, images)
    factor = max(1, WIDEST // drawn.width)
    large = drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def points(run: Run) -> list[dict[str, Any]]:
    """The curves of a run, thinned, read once for all who watch and not again before there are more."""
    return points_at(run.id, written(run))


def written(run: Run) -> tuple[int, int]:
    """Size and time of the points on disk: equal while nothing was added. The counters of a status run ahead of it."""
    try:
        found = (run.folder / "metrics.jsonl").stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


@st.cache_data(show_spinner=False, max_entries=64)
def points_at(id: str, written: tuple[int, int]) -> list[dict[str, Any]]:
    """The curves of a run as they are when its file looks like `written`."""
    from ganplay.charts.style import MOST_POINTS  # imports Altair, which Home does without

    return store.find(id).metrics(limit=MOST_POINTS)


@st.cache_data(show_spinner=False, max_entries=400)
def judges(id: str) -> bool:
    """False for a run with a critic, whose score has no threshold between real and generated."""
    try:
        return not store.find(id).recipe().loss.scores
    except ValueError:
        return True


def attempt(action: Callable[..., Any], *arguments: Any) -> Any:
    """Calls `action` for a button; what went wrong becomes a sentence that the next run of the page shows."""
    try:
        return action(*arguments)
    except (ValueError, OSError) as error:
        st.session_state["notice"] = sentence(error)
        return None


def sentence(error: ValueError | OSError) -> str:
    """What a reader is told: a user's mistake as it is, the operating system's refusal with its reason."""
    if not isinstance(error, OSError):
        return str(error)
    where = f" '{Path(error.filename).name}'" if isinstance(error.filename, str) else ""
    return f"The file{where} could not be read or written: {error.strerror or error}."


def show_notice() -> None:
    """Shows the sentence that `attempt` left, once."""
    sentence = st.session_state.pop("notice", None)
    if sentence:
        st.error(sentence)
