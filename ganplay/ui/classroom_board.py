"""The board of a class: a card for each run, kept up to date, drawn once for everybody who looks."""

from __future__ import annotations

import time
from html import escape
from typing import Any
from urllib.parse import quote

import streamlit as st

from ganplay.charts.spark import sparkline
from ganplay.charts.style import PALETTE
from ganplay.classroom import board, store
from ganplay.classroom.store import Classroom
from ganplay.ui import classroom_pictures
from ganplay.ui.contenders import summary

PERIOD = 4.0  # seconds between two looks
ALL = ""
ORDERS = {"newest": "newest first", "score": "best score", "images": "most images seen", "student": "name"}
SHADES = {  # of a state, readable on light and dark
    "running": "#0d9f7a", "starting": "#3182ce", "queued": "#7a828e", "finished": "#3182ce", "paused": "#d9730d",
    "stopped": "#7a828e", "failed": "#c0504d", "interrupted": "#d9730d",
}  # fmt: skip
STYLE = """<style>
.gp-board{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:.8rem}
.gp-board a{display:block;border:1px solid rgba(128,128,128,.35);border-radius:.55rem;padding:.55rem;color:inherit;
text-decoration:none;overflow-wrap:anywhere;line-height:1.3;font-size:.85rem}
.gp-board a:hover,.gp-board a:focus{border-color:#3182ce}
.gp-board img,.gp-blank{width:100%;aspect-ratio:1;object-fit:contain;border-radius:.3rem;display:block;
background:rgba(128,128,128,.12)}
.gp-board img.gp-curve{height:36px;aspect-ratio:auto;object-fit:fill;background:none;margin:.25rem 0}
.gp-name{font-weight:600;font-size:.98rem;margin-top:.35rem}
.gp-quiet{opacity:.75}
</style>"""


def show(room: Classroom) -> None:
    """Draws the board with its choices."""
    titles = {one.id: one.title for one in room.exercises}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Exercise", [ALL, *titles], key=f"board:{room.code}:exercise", width=280,
            format_func=lambda id: titles.get(id, "all exercises"),
        )  # fmt: skip
        order = st.selectbox("Sort by", list(ORDERS), key=f"board:{room.code}:order", width=200,
                             format_func=ORDERS.get)  # fmt: skip
        st.download_button(
            "Table (CSV)", lambda: board.table(_chosen(room.code, chosen, order, _tick()), titles),
            f"class-{room.code}.csv", "text/csv", icon="⬇️", on_click="ignore",
        )  # fmt: skip
    st.fragment(run_every=PERIOD)(_cards)(room.code, chosen, order)


def _cards(code: str, exercise: str, order: str) -> None:
    drawn, metrics = _drawn(code, exercise, order, _tick())
    if not drawn:
        st.caption("No run yet. Those of the class appear here as soon as somebody starts one.")
        return
    shades = "Loss of :blue[the discriminator] and :orange[the generator]"
    scores = f" Score: {metrics}; smaller is better." if metrics else ""
    st.caption(f"{shades}, each card on its own scale.{scores} A card leads to its run.")
    st.html(drawn)


def _tick() -> int:
    """The same number for everybody until the next look is due."""
    return int(time.time() / PERIOD)


@st.cache_data(show_spinner=False, max_entries=32)
def _rows(code: str, tick: int) -> list[dict[str, Any]]:
    return board.rows(code)


def _chosen(code: str, exercise: str, order: str, tick: int) -> list[dict[str, Any]]:
    found = [row for row in _rows(code, tick) if exercise in (ALL, row["exercise"])]
    return board.ordered(found, order)


@st.cache_data(show_spinner=False, max_entries=64)
def _drawn(code: str, exercise: str, order: str, tick: int) -> tuple[str, str]:
    """The cards as HTML, an empty text without any, and what their scores are called."""
    found = _chosen(code, exercise, order, tick)
    if not found:
        return "", ""
    titles = _titles(code) if exercise == ALL else {}
    best: dict[tuple[str, str], float] = {}
    for row in found:
        if row["score"] is not None:
            known = row["exercise"], row["metric"]
            best[known] = min(best.get(known, row["score"]), row["score"])
    cards = (_card(row, titles, row["score"] == best.get((row["exercise"], row["metric"]))) for row in found)
    metrics = ", ".join(sorted({row["metric"] for row in found if row["metric"]}))
    return f'{STYLE}<div class="gp-board">{"".join(cards)}</div>', metrics


def _titles(code: str) -> dict[str, str]:
    """The exercises' titles by id, where there are several to tell apart."""
    try:
        found = store.find(code).exercises
    except ValueError:  # deleted meanwhile
        return {}
    return {one.id: one.title for one in found} if len(found) > 1 else {}


def _curve(row: dict[str, Any]) -> str:
    """Both losses; a picture, for the page takes the drawing out of HTML."""
    drawn = sparkline(list(zip(PALETTE, row["losses"], strict=False)))
    if not drawn:
        return ""
    return f'<img class="gp-curve" src="data:image/svg+xml,{quote(drawn)}" alt="Losses of {escape(row["student"])}">'


def _card(row: dict[str, Any], titles: dict[str, str], best: bool) -> str:
    """One run. Everything that came from a visitor is escaped."""
    student, state = escape(row["student"]), row["state"]
    picture = '<div class="gp-blank"></div>'
    if row["sample"] is not None:
        source = escape(classroom_pictures.address(row["run"], row["sample"]))
        picture = f'<img src="{source}" alt="Samples of {student}" decoding="sync">'
    what = [row["label"].removeprefix(f"{row['student']}: "), summary(row["changes"]), titles.get(row["exercise"], "")]
    said = "".join(f'<div class="gp-quiet">{escape(text)}</div>' for text in what if text)
    score = f"<b>{'★ ' if best else ''}{row['score']:.4g}</b> · " if row["score"] is not None else ""
    return (
        f'<a href="/train?runs={escape(row["run"])}" title="{escape(row["message"])}">{picture}'
        f'<div class="gp-name">{student}</div>{said}{_curve(row)}'
        f"<div>{score}{row['images']:,} images</div>"
        f'<div style="color:{SHADES.get(state, SHADES["stopped"])}">● {escape(state)}</div></a>'
    )
