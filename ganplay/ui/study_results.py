"""What the page "Feature study" shows of a study: differences, curves, pictures, the table."""

from __future__ import annotations

import io
import time
from typing import Any

import streamlit as st
from PIL import Image

from ganplay.charts import study as charts
from ganplay.charts.study import BASE_COLOUR, REAL_COLOUR, SWITCH_COLOUR
from ganplay.studies import report, statistics
from ganplay.studies.outcome import Outcome, curves
from ganplay.studies.plan import BASE
from ganplay.studies.statistics import Line, Table
from ganplay.ui import drawing

WIDEST = 480  # pixels of a picture
NONE = "none of them clearly"
COLUMNS = 3  # of the small figures


def results(outcome: Outcome, predicted: str | None) -> None:
    """Draws everything that is known of a study."""
    smooth = st.toggle(
        "Smoothed", value=True, key="study:smooth",
        help="A moving average over the scores, which are noisy: each is of one moment and of finitely many samples. "
        "Off: the single scores.",
    )  # fmt: skip
    table = statistics.compare(outcome, smooth)
    st.caption(report.heading(outcome, table, smooth))
    _answer(table, predicted)
    _differences(table, outcome.plan.score_name)
    _closer(outcome, table, smooth)
    st.markdown("**In numbers**")
    st.dataframe(
        [dict(zip(report.COLUMNS, row, strict=True)) for row in report.rows(table)],
        hide_index=True,
        width="stretch",
        height="content",
    )
    if st.toggle("Every switch, small: its curve in colour, the base in grey, real data dashed", key="study:small"):
        _small(outcome, table, smooth)


def _answer(table: Table, predicted: str | None) -> None:
    """The verdict, beside what the reader thought."""
    st.markdown(report.verdict(table))
    most = table.most()
    if most is None or predicted is None:
        return
    where = f"{report.number(most.difference, '+')} ± {report.number(most.difference_spread or 0.0)}"
    measured = (
        f"The switch that stands out most from chance is **{most.title}** ({where} on the score)."
        if most.exceeds else f"None stands out from the spread; the nearest to it is **{most.title}** ({where})."
    )  # fmt: skip
    right = predicted == (most.title if most.exceeds else NONE)
    st.success(f"You said *{predicted}*{', and so it is' if right else ''}. {measured}")


def _differences(table: Table, score: str) -> None:
    known = sorted(table.comparisons, key=lambda line: line.difference)
    if not known:
        return
    drawing.legend(
        [(charts.BETTER, "better than the base"), (charts.WORSE, "worse"), (charts.WITHIN, "within the spread")]
    )
    lines = [
        charts.Differences(
            line.title, list(line.differences.values()), line.difference, line.difference_spread or 0.0, _way(line)
        )
        for line in known
    ]
    form = _difference_form(tuple(line.title for line in known), charts.extent(lines), score)
    drawing.show(form, charts.difference_rows(lines), "study:differences")
    st.caption(
        "Small dots are single seeds, the large one is their mean, the bar reaches a standard deviation to both sides. "
        "Far from 0 the scale is logarithmic."
    )


def _way(line: Line) -> str:
    return "within the spread" if not line.exceeds else "better" if line.difference < 0 else "worse"


@st.cache_data(show_spinner=False, max_entries=32)
def _difference_form(titles: tuple[str, ...], extent: tuple[float, float], score: str) -> dict[str, Any]:
    heading, axis = (
        "Difference of the score to the base with the same seed",
        f"{score}; left of 0: better than the base",
    )
    return drawing.plain(charts.differences(titles, extent, heading, axis))


def _closer(outcome: Outcome, table: Table, smooth: bool) -> None:
    """One switch beside the base: curves and samples."""
    names = [one.name for one in outcome.plan.variants[1:]]
    titles = {one.name: one.title for one in outcome.plan.variants}
    most = table.most()
    if st.session_state.get("study:closer") not in names:
        st.session_state["study:closer"] = most.name if most else names[0]
    name = st.selectbox("Look closer at", names, key="study:closer", format_func=titles.get)
    lines = curves(outcome, smooth)
    drawing.legend([(BASE_COLOUR, "base"), (SWITCH_COLOUR, titles[name]), (REAL_COLOUR, "real training data (dashed)")])
    form = _curve_form(outcome.plan.score_name)
    rows = charts.curve_rows(lines[BASE], lines[name], titles[name], table.real)
    drawing.show(form, rows, f"study:curve:{outcome.id}")
    variant = outcome.plan.variant(name)
    st.caption(f"{variant.title} ({variant.source}): {_settings(variant.changes)}. {variant.note}")
    seed = outcome.plan.seeds[0]
    for one, place in zip((BASE, name), st.columns(2), strict=True):
        with place:
            picture(outcome, one, f"{titles[one]}, seed {seed}")


def _settings(changes: Any) -> str:
    return ", ".join(f"`{path} = {_value(value)}`" for path, value in changes.items())


def _value(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def picture(outcome: Outcome, name: str, caption: str) -> None:
    """The newest samples of a variant's first seed."""
    data = outcome.pictures.get(name)
    if data is None:
        st.caption(f"{caption}: no picture yet.")
        return
    st.image(_enlarged(data), caption=caption, width="stretch")


@st.cache_data(show_spinner=False, max_entries=100)
def _enlarged(data: bytes) -> bytes:
    """A saved picture as JPEG, every pixel an equal square."""
    drawn = Image.open(io.BytesIO(data)).convert("RGB")
    factor = max(1, WIDEST // drawn.width)
    large = drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def _small(outcome: Outcome, table: Table, smooth: bool) -> None:
    """A small figure for each switch on one common scale, with its samples."""
    lines = curves(outcome, smooth)
    limits = charts.domain(lines, table.real)
    form, variants = _curve_form("score", charts.SMALL, limits), outcome.plan.variants[1:]
    for start in range(0, len(variants), COLUMNS):  # in rows, so that a phone shows them in this order
        for variant, place in zip(variants[start : start + COLUMNS], st.columns(COLUMNS), strict=False):
            with place:
                rows = charts.curve_rows(lines[BASE], lines[variant.name], variant.title, table.real, seeds=False)
                named = form | {"title": form["title"] | {"text": variant.title}}
                drawing.show(named, rows, f"study:small:{outcome.id}:{variant.name}")
                picture(outcome, variant.name, f"seed {outcome.plan.seeds[0]}")


@st.cache_data(show_spinner=False, max_entries=32)
def _curve_form(score: str, height: int = charts.BIG, limits: tuple[float, float] | None = None) -> dict[str, Any]:
    """A figure without data. Made once: Altair's checks take more time than all the rest."""
    return drawing.plain(charts.curves("Score over images seen: mean and range of the seeds", score, height, limits))


def origin(outcome: Outcome) -> None:
    """Where a study that comes with the program was computed, and by which command."""
    created = time.strftime("%d %B %Y", time.gmtime(float(outcome.machine.get("created", 0.0))))
    st.caption(
        f"This study comes with the program: {len(outcome.trials)} trainings, computed on {created} on "
        f"{outcome.machine.get('processor', 'an unknown processor')}, one thread."
    )
    with st.expander("The command that made it"):
        st.code(outcome.plan.command(), language="bash", wrap_lines=True)
