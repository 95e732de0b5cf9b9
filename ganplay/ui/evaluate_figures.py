"""The figures of evaluations on the page: samples, table, bars of classes, nearest training samples, files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ganplay.charts import evaluation as charts
from ganplay.ui import drawing
from ganplay.ui.evaluate_neighbours import cards, samples
from ganplay.ui.evaluate_table import Model, as_csv, as_json, literal, rows, table

BARS = {  # metric -> title
    "per-class": "Fréchet distance of each class (lower is better)",
    "ms-ssim": "MS-SSIM within each class (best where real data is)",
}
MARKS = "Dashed: the mean of the classes. White diamonds: real data in the generator's place."


def show(models: Sequence[Model], groups: Sequence[Sequence[Model]]) -> None:
    """Draws the results of all models, those together that may be compared."""
    if len(groups) > 1:
        st.warning(
            "These generators learned from different data, or their figures have other features or numbers of samples. "
            "Such figures say nothing about each other, so each kind has a table of its own."
        )
    for group in groups:
        _group(group)
    _files(models)


def _group(group: Sequence[Model]) -> None:
    evaluation, data = group[0].evaluation, group[0].result["data"]
    classes = data["values"].get("classes")
    name = literal(data["title"] + (f", only {', '.join(classes)}" if classes else ""))
    st.markdown(
        f"**{name}** ({' x '.join(map(str, data['shape']))}) · {evaluation['samples']:,} samples of seed "
        f"{evaluation['seed']} · compared with the {evaluation['reference']} split"
    )
    _samples(group)
    html, notes = table(group, rows(group))
    st.html(html)
    _notes(group, notes)
    _classes(group)
    _neighbours(group)


def _samples(group: Sequence[Model]) -> None:
    for model, column in zip(group, st.columns(max(3, len(group))), strict=False):
        with column:
            st.html(drawing.dot(model.colour, model.label, strong=True))
            try:
                st.image(samples(model.ask, model.result["pictures"]["samples"]), width="stretch",
                         alt=f"Generated samples of {model.label}")  # fmt: skip
            except (KeyError, ValueError) as error:
                st.caption(str(error))


def _notes(group: Sequence[Model], notes: Sequence[str]) -> None:
    said = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    common = [note for note in group[0].evaluation["notes"] if all(note in one.evaluation["notes"] for one in group)]
    said += [f"- {note}" for note in common]
    for one in group:
        said += [f"- {one.label}: {note}" for note in one.evaluation["notes"] if note not in common]
    _list(said)
    seconds = ", ".join(f"{one.evaluation['seconds']:,.0f} s" for one in group)
    st.caption(f"Computing the figures took {seconds}.")


def _list(said: Sequence[str]) -> None:
    """Small lines below each other."""
    st.markdown("\n".join(f":small[{literal(line)}]  " for line in said))


def _classes(group: Sequence[Model]) -> None:
    labels, colours = [one.label for one in group], [one.colour for one in group]
    drawn = False
    for metric, title in BARS.items():
        data = charts.class_bars(metric, [(one.label, one.figures) for one in group])
        if data.rows:
            if not drawn:
                st.markdown("**Class by class**")
                drawing.legend((one.colour, one.label) for one in group if one.label in data.models)
                st.caption(MARKS + _labelling(group))
            drawn = True
            chart = drawing.plain(charts.bar_chart(data, title, labels, colours))
            st.vega_lite_chart(chart, width="stretch", key=f"bars:{metric}:{','.join(one.ask.key for one in group)}")
    if drawn:
        with st.expander("Every class in numbers"):
            html, notes = table(group, rows(group, single=True))
            st.html(html)
            _list([f"{number}. {note}" for number, note in enumerate(notes, 1)])


def _labelling(group: Sequence[Model]) -> str:
    """A sentence where classes are not what a generator was asked for but what a classifier takes its samples for."""
    predicted = [one.label for one in group if any("predicted class" in figure["name"] for figure in one.figures)]
    if not predicted:
        return ""
    whose = "all" if len(predicted) == len(group) else literal(", ".join(predicted))
    return f" The classes of {whose} are those that the classifier took the samples for; compare them with care."


def _neighbours(group: Sequence[Model]) -> None:
    near = group[0].result["neighbours"]
    st.markdown("**Learnt by heart?** One tick a sample, a dot at the median of each line")
    lines = [(one.label, one.result["neighbours"]["generated"]) for one in group] + [(charts.REAL, near["real"])]
    labels, colours = [label for label, _ in lines], [*(one.colour for one in group), charts.REAL_COLOUR]
    drawing.legend(zip(colours, labels, strict=True))
    title = f"Distance to the nearest of {near['training']:,} training samples"
    chart = charts.strip_chart(charts.strip_rows(lines), title, labels, colours)
    st.vega_lite_chart(drawing.plain(chart), width="stretch", key="strip:" + ",".join(one.ask.key for one in group))
    for one in group:
        verdict = charts.copying(one.result["neighbours"]["generated"], near["real"])
        st.markdown(f"- **{literal(one.label)}**: {verdict}")
    pictured = [one for one in group if "tiles" in one.result["pictures"]]
    if not pictured:
        return
    places = st.tabs([literal(one.label) for one in pictured]) if len(pictured) > 1 else [st.container()]
    for one, place in zip(pictured, places, strict=True):
        with place:
            try:
                st.html(cards(one.ask, one.result["pictures"]["tiles"], one.result["neighbours"]))
            except ValueError as error:
                st.caption(str(error))
    st.caption(
        "Under each training sample its Euclidean distance, value by value, with values from -1 to 1. It is small for "
        "plain or blurred pictures too: judge by eye, beside the real ones."
    )


def _files(models: Sequence[Model]) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Figures as CSV", as_csv(models), "evaluation.csv", "text/csv", icon="⬇️", key="evaluate:csv",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Everything as JSON", as_json(models), "evaluation.json", "application/json", icon="⬇️",
            key="evaluate:json", on_click="ignore",
        )  # fmt: skip
