"""Runs beside each other while they train: pictures, numbers, buttons and curves, from what is on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from ganplay.charts import curves
from ganplay.charts.style import Series, colour
from ganplay.runs.folder import RESUMABLE, Run, Status
from ganplay.ui import drawing
from ganplay.ui.shared import (
    ACTIVE,
    attempt,
    judges,
    manager,
    picture,
    points,
    points_at,
    runs,
    show_notice,
    written,
)

# Seconds between two looks at a run in its first minute, later, and when nothing trains. The curves come half as often.
# The browser that looks is often on the machine that trains: a look each second took a tenth of the run's speed.
FAST, STEADY, SLOW = 2.0, 4.0, 5.0
EARLY = 60.0  # seconds of training
CHARTS = 2 * STEADY
MOMENTS = 200  # places of the time travel: a long run has thousands of pictures
NEWEST = "live"
HELP = {
    "failed": "Mend the cause and resume, or fork it with a changed recipe.",
    "interrupted": "Resume continues exactly where it was.",
}


def watch(ids: list[str]) -> None:
    """Draws the runs of these ids and keeps them up to date."""
    seconds = pace(ids)
    st.fragment(run_every=seconds)(_cards)(ids, seconds)
    st.fragment(run_every=2 * seconds if seconds < SLOW else None)(_curves)(ids)


def pace(ids: list[str]) -> float:
    """Seconds between two looks: few for what has just begun, more for what goes on, most when nothing trains."""
    active = [status for run in runs(ids)[0] if (status := run.status()).state in ACTIVE]
    if not active:
        return SLOW
    return FAST if min(status.seconds for status in active) < EARLY else STEADY


def is_active(ids: list[str]) -> bool:
    """True while one of the runs trains or waits for its turn."""
    return any(run.status().state in ACTIVE for run in runs(ids)[0])


def series(ids: list[str]) -> list[Series]:
    """The curves of the runs, each in its own colour."""
    found = runs(ids)[0]
    return [
        Series(label, colour(index), points(run), judges(run.id))
        for index, (run, label) in enumerate(zip(found, labels(found), strict=True))
    ]


def labels(found: list[Run]) -> list[str]:
    """A different name for each run."""
    said: list[str] = []
    for run in found:
        said.append(run.label if run.label not in said else f"{run.label} ({run.id[-4:]})")
    return said


def _cards(ids: list[str], seconds: float) -> None:
    show_notice()
    found, sentences = runs(ids)
    for sentence in sentences:
        st.error(sentence)
    if not found:
        return
    samples = [run.samples() for run in found]
    moment = _scrubber(found[0].id, samples)
    places = st.columns(max(2, len(found)))  # one run alone would fill the screen with its picture
    for index, (run, label, column) in enumerate(zip(found, labels(found), places, strict=False)):
        with column, st.container(border=True):
            seen = [images for images in samples[index] if moment is None or images <= moment]
            _card(run, label, colour(index), seen[-1] if seen else None)
    if pace(ids) != seconds:
        st.rerun()


def moments(samples: Iterable[Sequence[int]], chosen: Any = None) -> list[int]:
    """At most `MOMENTS` of all runs' moments, the first, the newest and the chosen one among them.

    Every second one is left out, or three of four, and so on: which ones are there seldom changes while a run goes on.
    """
    known = sorted(set().union(*samples))
    step = 1
    while len(known[::step]) > MOMENTS - 2:
        step *= 2
    kept = {*known[::step], *known[-1:], *([chosen] if chosen in known else [])}
    return sorted(kept)


def _scrubber(id: str, samples: list[list[int]]) -> int | None:
    """The moment to look at in images seen; None for the newest."""
    key = f"moment:{id}"
    offered = moments(samples, st.session_state.get(key))
    if len(offered) < 2:
        return None
    chosen = st.select_slider(
        "Time travel: pictures after so many images seen", [*offered, NEWEST], NEWEST, key=key,
        format_func=lambda moment: moment if moment == NEWEST else f"{moment:,}",
    )  # fmt: skip
    return None if chosen == NEWEST else chosen


def _card(run: Run, label: str, shade: str, sample: int | None) -> None:
    status = run.status()
    st.html(drawing.dot(shade, label, strong=True))
    if sample is not None:
        try:
            drawn = picture(run.id, sample)
            st.image(drawn, width="stretch", alt=f"Samples of {label} after {sample:,} images seen")
            st.caption(f"from the same noise, after {sample:,} images seen")
        except ValueError as error:
            st.caption(str(error))
    else:
        st.caption("The first picture comes as soon as the data is ready.")
    _numbers(run, status)
    _buttons(run, status)


def _numbers(run: Run, status: Status) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        drawing.state_badge(status.state)
        said = [f"**{status.images:,}** images"]
        if status.rate and status.state == "running":
            said.append(f"{status.rate:,.0f} a second")
        if status.left is not None and status.state == "running":
            said.append(f"{drawing.duration(status.left)} left")
        st.markdown(" · ".join(said))
    if status.progress is not None and status.state in ACTIVE:
        st.progress(min(1.0, max(0.0, status.progress)), status.message)
    elif status.state == "failed":
        st.error(f"{status.message} {HELP['failed']}")
    elif status.state == "interrupted":
        st.warning(f"{status.message} {HELP['interrupted']}")
    elif status.message and status.state != "running":
        st.caption(status.message)


def _buttons(run: Run, status: Status) -> None:
    with st.container(horizontal=True, gap="small"):
        if status.state in ACTIVE:
            _button(run, "Pause", "⏸️", manager().pause)
        if status.state in RESUMABLE:
            _button(run, "Resume", "▶️", manager().resume)
        if status.state in (*ACTIVE, "paused", "interrupted"):
            _button(run, "Stop", "⏹️", manager().stop)
        if run.checkpoints() or status.state in ACTIVE:
            help = "Go on from here with changed settings"
            if st.button("Fork", icon="🍴", key=f"fork:{run.id}", help=help):
                st.session_state["forking"] = run.id
                st.rerun()  # the whole page: the form is above the runs


def _button(run: Run, name: str, icon: str, action: Any) -> None:
    st.button(name, icon=icon, key=f"{name}:{run.id}", on_click=attempt, args=(action, run.id))


def _curves(ids: list[str]) -> None:
    found = runs(ids)[0]
    states = tuple(written(run) for run in found)
    if not any(size for size, _ in states):
        return
    names, judging = tuple(labels(found)), tuple(judges(run.id) for run in found)
    drawn = _rows(tuple(run.id for run in found), names, judging, states)
    drawing.legend((colour(index), label) for index, label in enumerate(names))
    figures = [name for name in curves.FIGURES if drawn[name][0] or name != "score"]  # most runs are not scored
    for start in range(0, len(figures), 2):  # in rows, so that a phone shows them in this order
        for name, column in zip(figures[start : start + 2], st.columns(2), strict=False):
            with column:
                for part, (form, lines) in enumerate(zip(_forms(name, names, judging), drawn[name], strict=True)):
                    drawing.show(form, lines, f"{name}:{part}:{','.join(ids)}")
    critics = [label for label, judge in zip(names, judging, strict=True) if not judge]
    if critics:
        several = " Losses of critics have a figure of their own: their unit is another." if any(judging) else ""
        st.caption(f"No accuracy is shown for {', '.join(critics)}: a critic scores, it does not judge.{several}")


@st.cache_data(show_spinner=False, max_entries=64)
def _rows(
    ids: tuple[str, ...], labels: tuple[str, ...], judging: tuple[bool, ...], states: tuple[tuple[int, int], ...]
) -> dict[str, list[list[dict[str, Any]]]]:
    """The data of each figure's parts when the runs' points look like `states`, made once for everybody who looks."""
    lines = _series(labels, judging, [points_at(id, state) for id, state in zip(ids, states, strict=True)])
    return {name: [curves.rows(name, part.series) for part in curves.parts(name, lines)] for name in curves.FIGURES}


def _series(labels: tuple[str, ...], judging: tuple[bool, ...], data: list[list[dict[str, Any]]]) -> list[Series]:
    return [
        Series(label, colour(index), points, judge)
        for index, (label, judge, points) in enumerate(zip(labels, judging, data, strict=True))
    ]


@st.cache_data(show_spinner=False, max_entries=64)
def _forms(name: str, labels: tuple[str, ...], judging: tuple[bool, ...]) -> list[dict[str, Any]]:
    """A figure's parts without data. Made once: Altair's checks take more time than all the rest of a tick."""
    parts = curves.parts(name, _series(labels, judging, [[] for _ in labels]))
    return [drawing.plain(curves.chart(name, part)) for part in parts]
