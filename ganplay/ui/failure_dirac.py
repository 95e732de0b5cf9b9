"""The Dirac-GAN on the page "Failure modes": two numbers that chase each other, for every loss and penalty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ganplay.charts.style import colour
from ganplay.scenarios import dirac
from ganplay.ui import drawing, failure_game, forms, links, teaching
from ganplay.ui.failure_game import BASE, ORDERS, PRESETS, Game, Setting, said, walk

FIRST = next(iter(ORDERS))
MOST_STEPS = 600  # one path of them takes at most two seconds
KEPT = 30  # games in the reader's table
SAME = 1.1  # a final distance within this factor of the first is about as far

IDEA = r"""
The smallest GAN that can fail has two numbers (arXiv 1801.04406, section 2). The data are one point at 0, the
generator makes one point at $\theta$, and the discriminator is a line with the slope $\psi$. Both are done at
$(0, 0)$. Each goes down the gradient of its own loss:
"""
FORMULA = r"D(x) = \psi x, \quad \theta' = -\frac{\partial L_G}{\partial \theta}, \quad "\
    r"\psi' = -\frac{\partial L_D}{\partial \psi}"  # fmt: skip
SIGNS = (
    "Here D is high on real samples; where the literature has it high on fakes, its start (1, 1) is our (1, -1). With "
    "consensus each player also goes down half the squared gradient of the other (arXiv 1705.10461, eq. 8)."
)
ANSWERS = ("closer to (0, 0) than it began", "about as far as it began", "farther away")
WHY = r"""
Near $(0, 0)$ the field is a matrix $A$, and a simultaneous step multiplies a small distance by $|1 + h\lambda|$, for
its eigenvalues $\lambda$ and the step $h$. Without a penalty the original GAN has $\lambda = \pm i/2$: no part of it
points inwards, and $|1 \pm ih/2| > 1$ for every $h$, so simultaneous steps spiral outwards however small they are.
Steps in turn keep the distance nearly, for a step of the second already answers the first. A penalty on the slope at
the data, $\frac{g}{2}\psi^2$, adds a brake: $\lambda = -g/2 \pm \sqrt{g^2/4 - 1/4}$. At $g = 1$ both are $-1/2$ and
nothing turns any more; beyond, one of them comes back towards 0, and the path creeps.

A clipped slope never stops: $\psi$ goes from one edge of its box to the other, and the generator follows. And with five
steps of D for one of G the picture changes again: a table for one setting says nothing about another, so each row
says its own.
"""


def section() -> None:
    """Draws the section."""
    teaching.step("Idea", "two numbers that chase each other")
    st.markdown(IDEA)
    st.latex(teaching.in_lines(FORMULA))
    preset = st.pills(
        "Game", list(PRESETS), default=next(iter(PRESETS)), required=True, key="game", bind="query-params"
    )
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(
        f"“{preset}”: both take many small steps at the same time. Where does their path end?",
        ANSWERS, f"dirac:{preset}",
    )  # fmt: skip
    teaching.step("Do", "choose the step, the start, and the loss")
    setting = _setting()
    game = _game(PRESETS[preset], preset)
    if predicted is None:
        st.info("Say first where you think the path ends; then it is drawn.")
    elif game is not None:
        _see(game, setting, predicted)
    with st.expander("**Why** · what the eigenvalues say"):
        st.markdown(WHY)
    with st.expander("**Code** · the whole game"):
        teaching.source(dirac)


def _setting() -> Setting:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        bound: dict[str, Any] = {"bind": "query-params", "width": 150}
        step = st.number_input("Step size h", 0.001, 2.0, 0.2, 0.05, key="step", format="%.3g", **bound)
        steps = st.number_input("Steps of G", 10, MOST_STEPS, 500, 50, key="steps", **bound)
        theta = st.number_input("Start θ", -5.0, 5.0, 1.0, 0.25, key="theta", format="%.3g", **bound)
        psi = st.number_input("Start ψ", -5.0, 5.0, -1.0, 0.25, key="psi", format="%.3g", **bound)
    st.caption(SIGNS)
    return Setting(float(theta), float(psi), float(step), int(steps))


def _game(start: Game, preset: str) -> Game | None:
    """The preset with what the reader changes; None, after a sentence, when that is not allowed."""
    box = st.expander("Other losses and penalties", key=f"dirac:{preset}:open", on_change="rerun")
    stored = f"dirac:{preset}:changed"  # what was changed stays changed when the box is closed again
    with box:
        if not box.open:
            return Game(*st.session_state.get(stored, start))
        try:
            begun = links.from_text(start.text).recipe()
            changes = forms.setting_inputs(
                begun, lambda path: path.split(".", 1)[0] in ("loss", "penalties"), f"dirac:{preset}"
            )
            consensus = st.number_input(
                "Weight of consensus", 0.0, 10.0, start.consensus, 0.1, key=f"dirac:{preset}:consensus"
            )
            text = links.to_text(links.contender(begun.change(changes), BASE))
        except ValueError as error:
            st.error(str(error))
            return None
    st.session_state[stored] = [text, float(consensus)]
    return Game(text, float(consensus))


def _see(game: Game, setting: Setting, predicted: str) -> None:
    teaching.step("See", "field, paths and eigenvalues")
    st.caption(f"{said(game)}; {_said_setting(setting)}.")
    found = {name: walk(game, setting, *order) for name, order in ORDERS.items()}
    drawing.legend((colour(index), name) for index, name in enumerate(ORDERS))
    left, right = st.columns(2)
    with left:
        st.vega_lite_chart(failure_game.plane(game, setting), width="content", key="dirac:plane")
    with right:
        st.vega_lite_chart(failure_game.radii(game, setting), width="stretch", key="dirac:radii")
    _compare(found, setting, predicted)
    left, right = st.columns(2)
    with left:
        st.vega_lite_chart(failure_game.eigenvalue_figure(game, setting.step), width="content", key="dirac:eigenvalues")
    with right:
        st.markdown(failure_game.said_eigenvalues(failure_game.eigenvalues(game), setting.step))
    _keep(game, setting, found)
    with st.expander("Eigenvalues of every loss with every penalty"):
        st.caption(
            f"Penalties have the weight {failure_game.WEIGHT:g}; |1 + hλ| is the larger of the two, for the step above."
        )
        st.dataframe(failure_game.table(setting.step), hide_index=True)


def _compare(found: Mapping[str, list[tuple[float, float]]], setting: Setting, predicted: str) -> None:
    """Where the paths ended, beside what the reader expected of the first."""
    end = _radius(found[FIRST])
    verdict = f"Simultaneous steps end {_where(end, setting.radius)}: {_said_end(end, setting.radius)}."
    st.success(f"You said *{predicted}*. {verdict}")
    rows = [
        {
            "order": name, "distance at first": f"{setting.radius:.3g}", "at the end": _number(_radius(path)),
            "so it ends": _where(_radius(path), setting.radius),
        }
        for name, path in found.items()
    ]  # fmt: skip
    st.dataframe(rows, hide_index=True)


def _keep(game: Game, setting: Setting, found: Mapping[str, list[tuple[float, float]]]) -> None:
    """The games that the reader has looked at, each with its setting."""
    row = {"game": said(game), "setting": _said_setting(setting)}
    row |= {name: _number(_radius(path)) for name, path in found.items()}
    kept = [one for one in st.session_state.get("dirac:kept", []) if one != row]
    st.session_state["dirac:kept"] = kept = [row, *kept][:KEPT]
    st.markdown("**Final distances of the games you have played**, newest first")
    st.dataframe(kept, hide_index=True)


def _said_setting(setting: Setting) -> str:
    return f"{setting.steps:,} steps of {setting.step:g} from ({setting.theta:g}, {setting.psi:g})"


def _where(end: float, start: float) -> str:
    if not end <= start * SAME:  # also where it is no number any more
        return ANSWERS[2]
    return ANSWERS[0] if end < start / SAME else ANSWERS[1]


def _said_end(end: float, start: float) -> str:
    return f"from a distance of {start:.3g} to {_number(end)}" if math.isfinite(end) else "beyond all numbers"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "beyond all numbers"
    return f"{value:.2f}" if 0.005 <= value < 1_000 else f"{value:.1e}"


def _radius(path: list[tuple[float, float]]) -> float:
    return math.hypot(*path[-1])
