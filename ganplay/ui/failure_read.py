"""Read my loss curve: any run or bundled checkpoint, what its curves and probes show, and what to try."""

from __future__ import annotations

import streamlit as st

from ganplay import diagnosis
from ganplay.diagnosis import balance, layers, motion, samples
from ganplay.diagnosis.finding import SEVERITIES
from ganplay.model_folder import read_config
from ganplay.paths import bundled_checkpoints
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.ui import (
    background,
    failure_address,
    failure_findings,
    failure_spikes,
    gallery_data,
    live,
    teaching,
)
from ganplay.ui.failure_findings import Plain
from ganplay.ui.gallery_data import Bundled
from ganplay.ui.shared import points, show_notice

RUN, CHECKPOINT = "run:", "checkpoint:"
SOURCE = "curves"
MOST = 200  # runs that are offered
IDEA = r"""
A GAN's losses measure each network against the other, so neither falls to zero when all is well. But they are not
silent: two losses at $2 \ln 2$ and $\ln 2$ say that $D$ guesses, a loss of $D$ near 0 that it separates perfectly, a
swing that the two chase each other. The diagnosis reads the same numbers that you see, by fixed thresholds, and gives
the evidence for all that it says.
"""
WHY = r"""
A $D$ that has never learnt anything and a $G$ that is perfect leave the same losses, $2 \ln 2$ and $\ln 2$: only
samples tell the two apart. A collapsed generator may have smooth curves, and a good one ragged ones. So the diagnosis
also measures what the samples of a run's newest checkpoint show (modes, variety, labels, copies, checkerboards). Where
it has only curves, as for the bundled checkpoints, it says no more than they do. A critic's losses have no unit and no
boundary between right and wrong; for it only their course and the gradients are read.
"""
FIRST_SIGHT = "Before you read on: what would you say of this run?"
FEELINGS = ("it learns as it should", "something is in doubt", "it is in trouble")
OF = dict(zip(reversed(SEVERITIES), FEELINGS, strict=True))


def section() -> None:
    """Draws the section."""
    teaching.step("Idea", "what two losses can tell")
    st.markdown(IDEA)
    _choose()
    with st.expander("**Why** · what two losses cannot tell"):
        st.markdown(WHY)
    with st.expander("**Code** · every rule with its thresholds"):
        teaching.source(diagnosis.diagnose, balance, motion, layers, samples)


def _choose() -> None:
    teaching.step("Do", "choose a run or a checkpoint")
    show_notice()
    runs, known = store.list_runs()[:MOST], gallery_data.bundled()
    names = {f"{RUN}{run.id}": f"{name} · run {run.id[:13]}" for run, name in zip(runs, live.labels(runs), strict=True)}
    names |= {f"{CHECKPOINT}{name}": f"{one.about['title']} · bundled" for name, one in known.items()}
    if not names:
        st.info("There are no runs and no checkpoints here yet: break one in the laboratory.")
        return
    failure_address.begin(SOURCE, names, next(iter(names)))
    chosen = st.selectbox("Whose curves", list(names), format_func=names.get, key=SOURCE)
    failure_address.keep(SOURCE, chosen)
    if chosen.startswith(RUN):
        _run(store.find(chosen.removeprefix(RUN)), chosen)
    else:
        _checkpoint(known[chosen.removeprefix(CHECKPOINT)], chosen)


def _run(run: Run, key: str) -> None:
    pace = _pace(run)
    st.fragment(run_every=pace)(_read_run)(run, key, pace)


def _pace(run: Run) -> float | None:
    """Seconds until there may be something new to read; None when there is nothing to wait for."""
    if live.is_active([run.id]):
        return live.CHARTS
    try:
        return background.AGAIN if failure_findings.is_measuring(run) else None
    except ValueError:  # the recipe cannot be read, which is told
        return None


def _read_run(run: Run, key: str, pace: float | None) -> None:
    try:
        findings, judges = failure_findings.of_run(run), not run.recipe().loss.scores
    except ValueError as error:
        st.warning(str(error))
        return
    _draw(points(run), judges, findings, key, run)
    if _pace(run) != pace:
        st.rerun()


def _checkpoint(one: Bundled, key: str) -> None:
    try:
        recipe = read_config(bundled_checkpoints() / one.name).recipe
    except ValueError as error:
        st.warning(str(error))
        return
    curve = gallery_data.points(one.name, one.stamp)
    if not curve:
        st.caption("This checkpoint came without its curves.")
        return
    _draw(curve, one.about["judges"], failure_findings.of_points(curve, recipe), key, None)


def _draw(curve: list[Plain], judges: bool, findings: list[Plain], key: str, run: Run | None) -> None:
    """Curves, the reader's own word, then the diagnosis."""
    teaching.step("Predict", "what do you see?")
    said = teaching.predict(FIRST_SIGHT, FEELINGS, f"read:{key}")
    failure_findings.on_curves(curve, judges, findings if said else [], key)
    if said is None:
        return
    teaching.step("See", "what the diagnosis says, with its evidence")
    if findings:
        worst = min((one["severity"] for one in findings), key=SEVERITIES.index)
        st.info(f"You said *{said}*. By its thresholds: *{OF[worst]}*.")
    failure_findings.show(findings, key, run)
    if run is not None:
        failure_spikes.section(run, key)
