"""Every loss of the package over the logit of a fake, on the page "Vanishing gradients"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import streamlit as st

from ganplay.charts import vanishing_lines as figures
from ganplay.charts.style import colour
from ganplay.ui import drawing, teaching

if TYPE_CHECKING:
    from ganplay.scenarios.logits import Curve

IDEA = r"""
Whatever the networks are, the generator learns through one number a sample: the discriminator's logit $l$ of its fake.
The derivative of the loss there is what the backward pass starts with:
"""
FORMULA = r"\frac{\partial L_G}{\partial \theta} = \frac{\partial L_G}{\partial l}\;\frac{\partial l}{\partial x}\;"\
    r"\frac{\partial x}{\partial \theta}, \qquad D = \sigma(l)"  # fmt: skip
QUESTION = (
    "D is sure that a sample is fake: its logit is -10, so D = 0.00005. Which loss has **no** gradient left there?"
)
WHY = r"""
The saturating loss is $\log(1 - \sigma(l))$, with the derivative $-\sigma(l)$: as small as D's own word for the fake.
Just the fakes that need the most help get the least. Swapping the labels instead of the sign gives $-\log \sigma(l)$
with $-(1 - \sigma(l))$, nearly $-1$ for a fake that is rejected, and 0 for one that passes: it lets go of what is good
enough. Wasserstein and hinge pull every fake with the same force, good or bad; least squares pulls the harder the
farther a logit is from its target, and pushes back those that are beyond it. A relativistic loss looks only at the
difference to a real sample, whose logit is 0 here.

A gradient at the logit is not yet a gradient at the weights: the discriminator's own slope comes in between, and that
is what the other sections are about.
"""
LEAST = 1e-5  # the smallest gradient that is drawn
CUT = (-11.0, 20.0)  # the losses that are drawn: least squares has values of sixty


def section() -> None:
    """Draws the section."""
    from ganplay.scenarios import logits  # imports torch

    curves = [logits.Curve(**one) for one in _curves()]
    teaching.step("Idea", "one number a sample")
    st.markdown(IDEA)
    st.latex(teaching.in_lines(FORMULA))
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(QUESTION, [curve.kind for curve in curves], "vanishing:logits")
    if predicted is None:
        st.info("Choose a loss; then all of them are drawn.")
    else:
        st.fragment(_see)(curves, predicted)
    with st.expander("**Why** · what each loss does to a fake that is rejected"):
        st.markdown(WHY)
    with st.expander("**Code** · the package's own losses, differentiated"):
        teaching.source(logits)


def _see(curves: Sequence[Curve], predicted: str) -> None:
    teaching.step("Do", "move along the logit, with the mouse or the arrow keys")
    place = st.select_slider(
        "Logit l of the fake",
        list(curves[0].logits),
        value=-10.0,
        key="logits:place",
        format_func=lambda logit: f"{logit:g}",
    )
    teaching.step("See", f"at l = {place:g}")
    groups = figures.joined(curves)
    names = [name for name, _ in groups]
    drawing.legend((colour(index), name) for index, name in enumerate(names))
    left, right = st.columns(2)
    with left:
        data = figures.rows({name: (curve.logits, curve.values) for name, curve in groups})
        drawing.show(_form("Generator's loss", tuple(names), False), data, "logits:values")
    with right:
        sizes = {name: (curve.logits, [abs(slope) for slope in curve.slopes]) for name, curve in groups}
        form = _form("Size of its gradient |dL/dl|, log scale", tuple(names), True)
        drawing.show(form, figures.rows(sizes, LEAST), "logits:slopes")
    st.dataframe(table(curves, place), hide_index=True)
    st.success(verdict(curves, curves[0].logits[0], predicted))


def table(curves: Sequence[Curve], place: float) -> list[dict[str, Any]]:
    """Loss and gradient of each at one logit."""
    rows = []
    for curve in curves:
        index = curve.logits.index(place)
        slope = curve.slopes[index]
        pull = "none" if abs(slope) < LEAST else "towards real" if slope < 0 else "towards fake"
        rows.append(
            {
                "loss": curve.kind,
                "value": f"{curve.values[index]:.4g}",
                "gradient": f"{slope:.3g}",
                "pulls the logit": pull,
            }
        )
    return rows


def verdict(curves: Sequence[Curve], place: float, predicted: str) -> str:
    """The weakest and the strongest gradient at one logit, beside what the reader said."""
    by_size = sorted(curves, key=lambda curve: abs(curve.slopes[curve.logits.index(place)]))
    weakest, strongest = (abs(one.slopes[one.logits.index(place)]) for one in (by_size[0], by_size[-1]))
    same = [one.kind for one in by_size if abs(one.slopes[one.logits.index(place)]) <= 1.01 * weakest]
    return (
        f"You said *{predicted}*. At l = {place:g} the smallest gradient is {weakest:.2g}, of {' and '.join(same)}; "
        f"the largest is {strongest:.3g}, of {by_size[-1].kind}."
    )


@st.cache_data(show_spinner=False, max_entries=2)
def _curves() -> list[dict[str, Any]]:
    from ganplay.scenarios.logits import generator_curves

    return [asdict(curve) for curve in generator_curves()]


@st.cache_data(show_spinner=False, max_entries=8)
def _form(title: str, names: tuple[str, ...], log: bool) -> dict[str, Any]:
    domain = (LEAST, 20) if log else CUT
    drawn = figures.figure([], title, "logit l of the fake", names, log=log, domain=domain, x_domain=(-10, 10))
    return drawing.plain(drawn)
