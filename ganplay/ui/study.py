"""The steps of the page "Feature study"."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ganplay.runs.limits import concurrent_runs
from ganplay.studies import estimate, statistics, store, switches
from ganplay.studies.outcome import Outcome, bundled_names, found
from ganplay.ui import drawing, study_results, teaching
from ganplay.ui.shared import attempt, show_notice
from ganplay.ui.study_form import driver, start_form

IDEA = r"""
A trick is said to help. Train once with it and once without, and one of the two will be better: that says nothing, for
two trainings that differ in the **seed** alone differ too. So a study trains the base and one switch at a time, each
with the same seeds $s = 1, \dots, n$, and asks how large the difference is beside its own **spread** over the seeds:
"""
DIFFERENCE = (
    r"d_s = \text{score}_s(\text{switch}) - \text{score}_s(\text{base}),"
    r"\qquad \bar d = \tfrac1n\sum_s d_s,\qquad \sigma_d^2 = \tfrac{1}{n-1}\sum_s (d_s - \bar d)^2"
)
CLAIM = """
**What document 002 says (section 4.2, figure 4).** Of its features most make no difference that matters; only with a
sigmoid as last activation did the generator learn more slowly than with tanh. It shows one smoothed curve of the
Inception score for each, without a spread.
"""
WHY = r"""
**Why so many differences are none.** The score of one training moves up and down, because generator and discriminator
chase each other, and because it is computed from finitely many samples. The spread over seeds shows how much. A
difference that exceeds it ($|\bar d| > \sigma_d$) is worth a closer look, no more: with three seeds chance alone does
that in THREE of all comparisons, with five in FIVE. So the table gives the p value of the paired t test,
$t = \bar d \sqrt n / \sigma_d$, and corrects it for the number of switches by Holm's method: whoever tries twenty
switches finds one with $p < 0.05$ even if none does anything. A difference that does not stand out is not shown to be
zero. It may be too small for this many seeds.

**What a study cannot say.** It turns one switch at a time at *this* base, *these* images seen and *this* data: dropout
may harm a small net that has seen little and help one that learns by heart. And equal images seen is not equal time:
with two updates of D for each of G, G has learnt half as often.
"""
QUESTION = "Which of these switches will stand out most from the spread over the seeds?"
TICK = 4.0  # seconds between two looks at a study that runs


def feature_study() -> None:
    """Draws the page."""
    st.title("Feature study")
    teaching.step("Idea", "a difference counts if it is larger than chance")
    st.markdown(IDEA)
    st.latex(teaching.in_lines(DIFFERENCE))
    st.info(CLAIM)
    id = _shown()
    try:
        outcome = found(id) if id else None
    except ValueError as error:
        st.error(str(error))
        outcome = None
    teaching.step("Predict", "before you look")
    predicted = _predict(outcome)
    teaching.step("Do", "choose a study, or start one")
    show_notice()
    _choose(id)
    start_form()
    if outcome is not None:
        teaching.step("See", outcome.plan.title)
        active = outcome.state == "running"
        st.fragment(run_every=TICK if active else None)(_see)(outcome.id, outcome.state, predicted)
    with st.expander("**Why** · what a difference means, and what a study cannot say"):
        by_chance = {name: f"{statistics.two_sided(n**0.5, n - 1):.0%}" for name, n in (("THREE", 3), ("FIVE", 5))}
        st.markdown(WHY.replace("THREE", by_chance["THREE"]).replace("FIVE", by_chance["FIVE"]))
    with st.expander("**Code** · the statistics, and the switches: one entry adds one"):
        teaching.source(statistics, switches)


def _known() -> list[str]:
    return [*(study.id for study in store.list_studies()), *bundled_names()]


def _shown() -> str | None:
    """The study to show: the reader's choice, else the link's, else the first that comes with the program."""
    known = _known()
    asked = st.query_params.get("study")
    if asked and asked != st.session_state.get("study:asked"):  # a link or a start, not the reader's own choice
        st.session_state["study:asked"] = asked
        st.session_state.pop("study:chosen", None)
        if asked in known:
            st.session_state["study:chosen"] = asked
        else:
            st.warning(f"There is no study {asked[:60]} here; it may have been deleted.")
    chosen = st.session_state.get("study:chosen", st.session_state.get("study:kept"))
    if chosen not in known:
        chosen = next(iter([*bundled_names(), *known]), None)
    st.session_state["study:kept"] = chosen
    return chosen


def _choose(id: str | None) -> None:
    known = _known()
    if not known:
        st.caption("There is no study yet: start one below.")
        return
    st.session_state["study:chosen"] = id
    st.selectbox("Study to look at", known, key="study:chosen", format_func=_name, on_change=_follow)


def _follow() -> None:
    """The address follows the reader's choice, so that it can be sent to somebody."""
    st.query_params["study"] = st.session_state["study:asked"] = st.session_state["study:chosen"]


def _name(id: str) -> str:
    if id in bundled_names():
        return f"{id.capitalize()} (comes with the program)"
    study = store.Study(id, store.folder() / id)
    return f"{study.title} · {id[:13]}"


def _predict(outcome: Outcome | None) -> str | None:
    if outcome is None:
        return None
    answers = [*(one.title for one in outcome.plan.variants[1:]), study_results.NONE]
    return teaching.predict(QUESTION, answers, f"study:{','.join(one.name for one in outcome.plan.variants)}")


def _see(id: str, state: str, predicted: str | None) -> None:
    try:
        outcome = found(id)
    except ValueError as error:
        st.error(str(error))
        return
    if id in bundled_names():
        study_results.origin(outcome)
    else:
        _controls(outcome)
    if predicted is None and not st.toggle("Show the results without a prediction", key="study:unasked"):
        st.info("Answer the question above, and what was measured appears here beside what you thought.")
    else:
        study_results.results(outcome, predicted)
    if outcome.state != state:
        st.rerun()


def _controls(outcome: Outcome) -> None:
    """State, progress and buttons of a study of this server."""
    id, trials = outcome.id, list(outcome.trials)
    over = sum(trial.over for trial in trials)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        drawing.state_badge(outcome.state)
        said = f"**{over}** of {len(trials)} trainings are over"
        if outcome.state == "running" and over < len(trials):
            left = estimate.seconds_left(outcome.plan, trials, concurrent_runs())
            said += f" · about {drawing.duration(left)} left"
        st.markdown(said)
    st.progress(_share(outcome), _now(outcome))
    note = store.find(id).note()
    if note:
        st.warning(note)
    if outcome.state == "interrupted":
        st.caption("Nobody drives this study: the server was restarted, or its command ended. Resume goes on with it.")
    with st.container(horizontal=True, gap="small"):
        if outcome.state == "running":
            _button("Stop", "⏹️", _stop, id)
        if outcome.state in ("stopped", "interrupted"):
            _button("Resume", "▶️", _resume, id)
        with st.popover("Delete", icon="🗑️"):
            st.caption("The study and its trainings are removed from the disk.")
            _button("Delete it for good", "🗑️", _delete, id)


def _share(outcome: Outcome) -> float:
    seen = sum(outcome.plan.images if one.over else one.images for one in outcome.trials)
    return min(1.0, seen / (outcome.plan.images * len(outcome.trials)))


def _now(outcome: Outcome) -> str:
    """What trains at the moment."""
    if outcome.state != "running":
        return ""
    ahead = driver().ahead(outcome.id)
    if ahead:
        return f"Waits for {ahead} other {'study' if ahead == 1 else 'studies'}."
    titles = {one.name: one.title for one in outcome.plan.variants}
    active = [f"{titles[one.name]}, seed {one.seed}" for one in outcome.trials if one.state in ("starting", "running")]
    return f"Trains {' and '.join(active)}." if active else "Waits for a free place."


def _button(name: str, icon: str, action: Any, id: str) -> None:
    st.button(name, icon=icon, key=f"study:{name}:{id}", on_click=attempt, args=(action, id))


def _stop(id: str) -> None:
    driver().stop(id)


def _resume(id: str) -> None:
    driver().drive(id)


def _delete(id: str) -> None:
    driver().delete(id)
    st.query_params.pop("study", None)
    for name in ("study:chosen", "study:kept", "study:asked"):
        st.session_state.pop(name, None)
