"""The steps of the page "Evaluate"."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ganplay.charts.style import colour
from ganplay.evaluations import queue, results
from ganplay.evaluations.asks import Ask, images_now, stamp
from ganplay.ui import drawing, evaluate_form, teaching
from ganplay.ui.evaluate_figures import show
from ganplay.ui.evaluate_idea import code, idea, why
from ganplay.ui.evaluate_table import Model, groups, literal
from ganplay.ui.shared import attempt, show_notice

if TYPE_CHECKING:
    from ganplay.evaluations.manager import Manager

FAST, SLOW = 1.0, 5.0  # seconds between two looks while something is computed, and while nothing is
MUCH_ALIKE = 0.05  # difference of two recalls below which they are about the same
ANSWERS = ("lower", "about the same", "higher")


@st.cache_resource(show_spinner=False)
def manager() -> Manager:
    """The server's queue of evaluations, started on first use."""
    from ganplay.evaluations.manager import Manager

    running = Manager()
    running.start()
    return running


def evaluate() -> None:
    """Draws the page."""
    st.title("Evaluate")
    if queue.requests():  # left by a server that ended
        manager()
    teaching.step("Idea", "a figure compares something with something: say with what")
    idea()
    choice, known, sentences = evaluate_form.prepare()
    labels = evaluate_form.titles(known)
    teaching.step("Predict", "before you look")
    predicted = _predict(choice["sources"], labels)
    teaching.step("Do", "choose generators and settings")
    for sentence in sentences:
        st.warning(f"The link could not be read in full. {sentence}")
    show_notice()
    asks = evaluate_form.asks(evaluate_form.draw(known))
    problems = _problems(asks)
    _start(asks, problems)
    if asks:
        teaching.step("See", "every figure beside that of real data")
        _see(asks, labels, problems, predicted)
    with st.expander("**Why** · what these figures can and cannot say"):
        why()
    with st.expander("**Code** · what computed them"):
        code()


def _predict(sources: Sequence[str], labels: dict[str, str]) -> str | None:
    names = [literal(labels[key]) for key in sources]
    if len(names) > 1:
        question = "Which of these generators has the higher **recall**: whose samples cover more of the real variety?"
        return teaching.predict(question, names, "recall:" + ",".join(sources))
    name = names[0] if names else "the generator"
    question = f"The **recall** of {name}, beside that of real samples that it never saw, will be ..."
    return teaching.predict(question, ANSWERS, "recall:" + ",".join(sources))


def _problems(asks: Sequence[Ask]) -> dict[str, str]:
    """Why an ask's figures are missing or of older weights, by its key: empty text when a result is of the newest."""
    found = {}
    for ask in asks:
        try:
            now = stamp(ask)
        except (ValueError, OSError) as error:
            found[ask.key] = str(error)
            continue
        result = results.find(ask)
        if result is None:
            found[ask.key] = "missing"
        else:
            found[ask.key] = "" if result["stamp"] == now else "older"
    return found


def _start(asks: Sequence[Ask], problems: dict[str, str]) -> None:
    """Draws the button; it computes what is missing or of older weights."""
    wanted = [ask for ask in asks if problems[ask.key] in ("missing", "older") and not queue.state(ask).active]
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Evaluate", icon="📏", type="primary", disabled=not wanted, key="evaluate:start"):
            for ask in wanted:
                attempt(manager().submit, ask, _asker())
            st.rerun()
        with st.popover("Share", icon="🔗", disabled=not asks):
            st.caption("Whoever opens this link on this server finds the same choice, with its figures once computed.")
            base = (st.context.url or "http://localhost:8501/evaluate").split("?")[0]
            st.code(f"{base}?{evaluate_form.query(st.session_state['evaluate'])}", language=None, wrap_lines=True)
    if not asks:
        st.caption("Choose at least one checkpoint or run.")
    elif any(queue.state(ask).active for ask in asks):
        st.caption("At work: the figures appear below, one generator after the other.")
    elif not any(problems.values()):
        st.caption("All figures of this choice are below. They are computed anew when weights or settings change.")


def _asker() -> str:
    """A name for this browser's session, so that the queue lets readers take turns."""
    return st.session_state.setdefault("evaluate:asker", secrets.token_hex(8))


def _see(asks: Sequence[Ask], labels: dict[str, str], problems: dict[str, str], predicted: str | None) -> None:
    seen = _signature(asks)
    active = any(queue.state(ask).active for ask in asks)
    st.fragment(run_every=FAST if active else SLOW)(_wait)(asks, labels, seen)
    models = []
    for index, ask in enumerate(asks):
        result = results.find(ask)
        if result is not None:
            models.append(Model(labels[ask.source], colour(index), ask, result))
        if problems[ask.key] == "older" and result is not None:
            _say_older(literal(labels[ask.source]), ask, result["evaluation"]["images"])
        elif problems[ask.key] not in ("", "missing", "older"):
            st.error(f"{literal(labels[ask.source])}: {problems[ask.key]}")
    if not models:
        if not active:
            st.caption("Nothing is computed yet: press **Evaluate**.")
        return
    _read(models, predicted)
    show(models, groups(models))


def _signature(asks: Sequence[Ask]) -> list[object]:
    """Changes when there is more or less to show than before."""
    return [(queue.state(ask).state, results.version(ask)) for ask in asks]


def _wait(asks: Sequence[Ask], labels: dict[str, str], seen: list[object]) -> None:
    """Draws what waits, is computed or went wrong; draws the whole page anew when that changes."""
    if _signature(asks) != seen:
        st.rerun()
    for index, ask in enumerate(asks):
        state = queue.state(ask)
        label = labels[ask.source]
        if state.state == "failed":
            st.error(f"{literal(label)}: {literal(state.message)}")
        elif state.active:
            _job(ask, label, colour(index), state)


def _job(ask: Ask, label: str, shade: str, state: queue.State) -> None:
    """One line: what it is, how far it is, and the button that cancels it."""
    with st.container(border=True):
        left, middle, right = st.columns([3, 6, 2], vertical_alignment="center")
        left.html(drawing.dot(shade, label, strong=True))
        if state.state == "running":
            middle.progress(state.share, state.message)
        else:
            ahead = f"{state.ahead} before it" if state.ahead else "it is next"
            middle.caption(f"Waits for its turn: {ahead}.")
        right.button("Cancel", key=f"cancel:{ask.key}", on_click=attempt, args=(manager().cancel, ask),
                     width="stretch", help="For everybody who waits for it")  # fmt: skip


def _say_older(label: str, ask: Ask, images: int) -> None:
    try:
        now = images_now(ask.source)
    except (ValueError, OSError):
        now = images
    if now != images:
        st.info(f"{label} has trained on: these figures are of its weights after {images:,} images, by now it has seen "
                f"{now:,}. **Evaluate** measures the newest.")  # fmt: skip
    else:
        st.info(
            f"The weights, the features or the data of {label} have changed since: **Evaluate** measures them anew."
        )


def _read(models: Sequence[Model], predicted: str | None) -> None:
    """The answer to the question, with its numbers."""
    said, values = [], {}
    for model in models:
        figures = {name: _figure(model, name) for name in ("recall", "precision")}
        if figures["recall"] is None:
            continue
        values[model.label] = figures["recall"]["value"]
        precision = "" if figures["precision"] is None else f", precision {figures['precision']['value']:.3g}"
        said.append(f"**{literal(model.label)}**: recall **{values[model.label]:.3g}**{precision}")
    if not values:
        return
    figure = _figure(models[0], "recall")
    real = figure["real"]
    if len(groups(models)) > 1:
        verdict = "They learned from different data, so their recalls are no answer to each other."
    elif len(models) > 1:
        verdict = f"Held-out real samples reach {real:.3g}." if real is not None else ""
    elif real is not None:
        gap = values[models[0].label] - real
        word = ANSWERS[1] if abs(gap) < MUCH_ALIKE else ANSWERS[2] if gap > 0 else ANSWERS[0]
        verdict = f"Held-out real samples reach {real:.3g}: it is {word}."
    else:
        verdict = ""
    start = f"You said *{predicted}*. " if predicted else ""
    st.success(f"{start}{'; '.join(said)}. {verdict}")


def _figure(model: Model, start: str) -> dict | None:
    """The figure of precision or of recall."""
    found = [one for one in model.figures if one["metric"] == "precision-recall" and one["name"].startswith(start)]
    return found[0] if found else None
