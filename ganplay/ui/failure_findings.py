"""What the diagnosis says of a run or of a checkpoint's curves: findings with their evidence, marked on the curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import streamlit as st

from ganplay.charts import failure_curves as figures
from ganplay.diagnosis import diagnose
from ganplay.recipe import Recipe
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.ui import background, contenders, drawing, failure_measuring, failure_spikes, forms
from ganplay.ui.navigation import page
from ganplay.ui.shared import ACTIVE, attempt, manager, points, written

MOST = 2_000  # points of one run that are read: a spike shows in one of them
LOOKS = {"trouble": st.error, "doubt": st.warning, "fine": st.success}
ICONS = {"trouble": "🚨", "doubt": "🤔", "fine": "✅"}
EARLY = "Too few points yet: the diagnosis begins as soon as there are some."
MEASURING = "The samples are being measured; what they say is added in some seconds."
NOWHERE = "nothing"

Plain = dict[str, Any]  # a finding as plain data


def of_run(run: Run) -> list[Plain]:
    """The findings on a run as it is now, and on the samples of its newest checkpoint once they are measured.

    Raises:
        ValueError: its recipe or its data cannot be read.
    """
    asked = _asked(run)
    found = background.answer(asked) if asked else None
    return _of_run(run.id, written(run), found, run.status().state == "failed")


def of_curves(run: Run) -> list[Plain]:
    """The findings on a run's curves alone.

    Raises:
        ValueError: its recipe cannot be read.
    """
    return _of_run(run.id, written(run), None, run.status().state == "failed")


def is_measuring(run: Run) -> bool:
    """True while the samples of a run are being measured."""
    asked = _asked(run)
    return asked is not None and not asked.done()


def _asked(run: Run) -> Future | None:
    """The measurement of a run's newest checkpoint; images are not measured while it trains."""
    newest = run.checkpoints()[:1]
    if not newest or (run.status().state in ACTIVE and len(run.recipe().shapes.sample) > 1):
        return None
    return failure_measuring.samples(run.id, newest[0].name)


@st.cache_data(show_spinner=False, max_entries=200)
def _of_run(id: str, state: tuple[int, int], samples: dict[str, float] | None, failed: bool) -> list[Plain]:
    run = store.find(id)
    curve = run.metrics(limit=MOST)
    return of_points(curve, run.recipe(), samples, failed) if curve else []


def of_points(
    curve: Sequence[Plain], recipe: Recipe, samples: Mapping[str, float] | None = None, diverged: bool = False
) -> list[Plain]:
    """The findings on curves as plain data, the gravest first."""
    return [
        {
            "name": one.name, "title": one.title, "evidence": one.evidence, "severity": one.severity,
            "images": list(one.images),
            "remedies": [{"sentence": remedy.sentence, "changes": dict(remedy.changes)} for remedy in one.what_to_try],
        }
        for one in diagnose(curve, recipe, samples, diverged)
    ]  # fmt: skip


def of_one(run: Run, key: str) -> None:
    """Draws what the diagnosis says of one run, its curves with the marks, and its spikes."""
    try:
        findings, recipe, measuring = of_run(run), run.recipe(), is_measuring(run)
    except ValueError as error:
        st.warning(str(error))
        return
    if measuring:
        st.caption(MEASURING)
    show(findings, key, run)
    found = points(run)
    if found:
        box = st.expander("**Marked on its curves** · where a finding shows", key=f"{key}:marked", on_change="rerun")
        if box.open:
            with box:
                on_curves(found, not recipe.loss.scores, findings, key)
        failure_spikes.section(run, key)


def show(findings: Sequence[Plain], key: str, run: Run | None = None) -> None:
    """Draws findings, each with its evidence, where it shows, and what to try.

    Args:
        key: prefix of the buttons' keys.
        run: that a button lets go on with the changes of a remedy; None where nothing can.
    """
    if not findings:
        st.caption(EARLY)
    for place, one in enumerate(findings):
        with st.container(border=True):
            LOOKS[one["severity"]](f"**{one['title']}.** {one['evidence']}", icon=ICONS[one["severity"]])
            st.caption(_where(one["images"]))
            for number, remedy in enumerate(one["remedies"]):
                _remedy(remedy, f"{key}:{place}:{number}", run)


def _remedy(remedy: Plain, key: str, run: Run | None) -> None:
    changes = remedy["changes"]
    said = f" :small[({said_changes(changes)})]" if changes else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Try: {remedy['sentence']}{said}", width="stretch")
        if changes and run is not None and st.button("Fork with this change", icon="🍴", key=f"{key}:fork"):
            child = attempt(go_on, run, changes)
            if child is None:
                st.rerun()  # shows the sentence
            st.switch_page(page("train"), query_params={"runs": f"{run.id},{child.id}"})


def said_changes(changes: Mapping[str, Any]) -> str:
    """Changes of a recipe in words: "D learning rate: 0.001; Loss: hinge"."""
    said = []
    for path, value in changes.items():
        several = isinstance(value, (list, tuple))
        text = ", ".join(map(str, value)) or "none" if several else f"{value:g}" if type(value) is float else str(value)
        whose = contenders.WHOSE.get(path.split(".", 1)[0], "") if "." in path else ""
        said.append(f"{whose}{forms.label(path)}: {text}")
    return "; ".join(said)


def go_on(run: Run, changes: Plain) -> Run:
    """A fork of a run with changed settings that sees as many images again as the run was to see.

    Raises:
        ValueError: as of `store.fork`.
    """
    return manager().fork(run.id, {**changes, "stop_images": run.status().images + run.recipe().stop_images})


def _where(images: Sequence[int]) -> str:
    first, last = images
    return f"Seen at {last:,} images." if first == last else f"Seen between {first:,} and {last:,} images."


def on_curves(curve: Sequence[Plain], judges: bool, findings: Sequence[Plain], key: str) -> None:
    """Draws the curves of one run, with the place of the finding that the reader chooses.

    Args:
        curve: lines of a run's `metrics.jsonl`.
        judges: False for a critic.
    """
    titles = {str(place): one["title"] for place, one in enumerate(findings) if one["severity"] != "fine"}
    span = None
    if titles:
        chosen = st.pills(
            "Mark on the curves", [*titles, NOWHERE], default=next(iter(titles)), required=True, key=f"{key}:mark",
            format_func=lambda place: titles.get(place, NOWHERE),
        )  # fmt: skip
        if chosen in titles:
            mark = findings[int(chosen)]
            span = mark["images"][0], mark["images"][1], mark["severity"]
    names = figures.shown(curve, judges)
    for start in range(0, len(names), 2):  # in rows, so that a phone shows them in this order
        for name, column in zip(names[start : start + 2], st.columns(2), strict=False):
            with column:
                form = drawing.plain(figures.marked(name, curve, judges, span))
                st.vega_lite_chart(form, width="stretch", key=f"{key}:{name}")
