"""Runs beside each other while they train: pictures, numbers, buttons and curves, from what is on disk."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ganplay.charts import curves
from ganplay.charts.style import Series, colour
from ganplay.runs.folder import RESUMABLE, Run, Status
from ganplay.ui import drawing
from ganplay.ui.shared import ACTIVE, attempt, judges, manager, picture, points, runs, show_notice

FAST, SLOW = 1.0, 5.0  # seconds between two looks while something trains, and while nothing does
CHARTS = 2.0  # seconds between two drawings of the curves
NEWEST = "live"
HELP = {
    "failed": "Mend the cause and resume, or fork it with a changed recipe.",
    "interrupted": "Resume continues exactly where it was.",
}


def watch(ids: list[str]) -> None:
    """Draws the runs of these ids and keeps them up to date."""
    active = is_active(ids)
    st.fragment(run_every=FAST if active else SLOW)(_cards)(ids, active)
    st.fragment(run_every=CHARTS if active else None)(_curves)(ids)


def is_active(ids: list[str]) -> bool:
    """True while one of the runs trains or waits for its turn."""
    return any(run.status().state in ACTIVE for run in runs(ids)[0])


def series(ids: list[str]) -> list[Series]:
    """The curves of the runs, each in its own colour."""
    found = runs(ids)[0]
    return [
        Series(label, colour(index), points(run.id, run.status().images), judges(run.id))
        for index, (run, label) in enumerate(zip(found, labels(found), strict=True))
    ]


def labels(found: list[Run]) -> list[str]:
    """A different name for each run."""
    said: list[str] = []
    for run in found:
        said.append(run.label if run.label not in said else f"{run.label} ({run.id[-4:]})")
    return said


def _cards(ids: list[str], active: bool) -> None:
    show_notice()
    found, sentences = runs(ids)
    for sentence in sentences:
        st.error(sentence)
    if not found:
        return
    moment = _scrubber(found)
    places = st.columns(max(2, len(found)))  # one run alone would fill the screen with its picture
    for index, (run, label, column) in enumerate(zip(found, labels(found), places, strict=False)):
        with column, st.container(border=True):
            _card(run, label, colour(index), moment)
    if is_active(ids) != active:
        st.rerun()  # another pace


def _scrubber(found: list[Run]) -> int | None:
    """The moment to look at in images seen; None for the newest."""
    moments = sorted({images for run in found for images in run.samples()})
    if len(moments) < 2:
        return None
    chosen = st.select_slider(
        "Time travel: pictures after so many images seen", [*moments, NEWEST], NEWEST, key=f"moment:{found[0].id}",
        format_func=lambda moment: moment if moment == NEWEST else f"{moment:,}",
    )  # fmt: skip
    return None if chosen == NEWEST else chosen


def _card(run: Run, label: str, shade: str, moment: int | None) -> None:
    status = run.status()
    st.html(drawing.dot(shade, label, strong=True))
    samples = [images for images in run.samples() if moment is None or images <= moment]
    if samples:
        try:
            drawn = picture(run.id, samples[-1])
            st.image(drawn, width="stretch", alt=f"Samples of {label} after {samples[-1]:,} images seen")
            st.caption(f"from the same noise, after {samples[-1]:,} images seen")
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
    ticks = tuple(run.status().images for run in found)
    if not any(ticks):
        return
    drawn = _rows(tuple(run.id for run in found), tuple(labels(found)), ticks)
    drawing.legend((colour(index), label) for index, label in enumerate(labels(found)))
    names = [name for name, lines in drawn.items() if lines or name != "score"]  # most runs are not scored
    for start in range(0, len(names), 2):  # in rows, so that a phone shows them in this order
        for name, column in zip(names[start : start + 2], st.columns(2), strict=False):
            with column:
                drawing.show(_form(name, tuple(labels(found))), drawn[name], f"{name}:{','.join(ids)}")
    critics = [label for run, label in zip(found, labels(found), strict=True) if not judges(run.id)]
    left_out = f" No accuracy is shown for {', '.join(critics)}: a critic scores, it does not judge." if critics else ""
    st.caption(f"Losses of different kinds have different units: compare their shapes, not their heights.{left_out}")


@st.cache_data(show_spinner=False, max_entries=64)
def _rows(ids: tuple[str, ...], labels: tuple[str, ...], ticks: tuple[int, ...]) -> dict[str, list[dict[str, Any]]]:
    """The data of the figures of these runs at these moments, made once for everybody who looks."""
    lines = [
        Series(label, colour(index), points(id, tick), judges(id))
        for index, (id, label, tick) in enumerate(zip(ids, labels, ticks, strict=True))
    ]
    return {name: curves.rows(name, lines) for name in curves.FIGURES}


@st.cache_data(show_spinner=False, max_entries=64)
def _form(name: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """A figure without data. Made once: Altair's checks take more time than all the rest of a tick."""
    return drawing.plain(curves.chart(name, [Series(label, colour(index), []) for index, label in enumerate(labels)]))
