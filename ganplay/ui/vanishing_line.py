"""A discriminator against a critic between two Gaussians, on the page "Vanishing gradients"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ganplay.charts import vanishing_lines as figures
from ganplay.charts.style import colour
from ganplay.scenarios import results
from ganplay.ui import drawing, teaching

IDEA = r"""
Real numbers follow a Gaussian around $-d/2$, the generator makes numbers around $d/2$, both with standard deviation 1.
The best discriminator between the two is known exactly (arXiv 1406.2661, proposition 1), and so is the best critic
with slopes of at most 1:
"""
FORMULA = r"D^*(x) = \frac{p(x)}{p(x) + q(x)} = \sigma(-d\,x), \qquad f^*(x) = -x, \qquad W(p, q) = d"
QUESTION = (
    "The two are dragged from 1 to 8 standard deviations apart. What happens to the gradient of the **saturating** "
    "loss log(1 - D*) at the generated numbers?"
)
ANSWERS = (
    "it grows with the distance",
    "it stays about the same",
    "it shrinks a little",
    "it shrinks to almost nothing",
)
WHY = r"""
The logit of the best discriminator is a straight line of slope $-d$: the farther apart, the steeper, and the surer it
is of every sample. The saturating loss has the gradient $-\sigma(l)$ with respect to the logit, and $\sigma(-d^2/2)$ at
the middle of the fakes falls faster than any power of $d$. The non-saturating loss has $-(1 - \sigma(l))$, nearly $-1$
there, so its pull is the slope $d$ of the logit itself: it grows, and with the noise of a network that is never quite
the best one it grows unstable (arXiv 1701.04862, theorem 2.6). The Jensen-Shannon divergence, which the first GAN goes
down, cannot exceed $\ln 2$ and is flat out there; the Wasserstein distance is $d$, and the critic's slope says so at
every distance (arXiv 1701.07875, figure 2).

Two things the trained critics show besides. Clipped weights do bound the slope, but at whatever number the limit and
the depth of the net make of it, not at 1. And a gradient penalty is a price, not a wall: with the weight 10 the critic
gains $d$ for each unit of slope and pays $10 (|f'| - 1)^2$, so it settles at $1 + d/20$. It is the one-sided penalty
here. The usual one also punishes slopes below 1, and on a line, where there are only two directions, that holds a
critic that begins with the wrong sign upside down: to turn round it would have to pass the slope 0.
"""
JUDGES = {
    "discriminator": "trained discriminator",
    "clip": "trained critic, weights clipped at 0.1",
    "penalty": "trained critic, gradient penalty",
}
BEST = "best discriminator D*"
PULLS = {
    "minimax": "saturating, best D",
    "non-saturating": "non-saturating, best D",
    "minimax:trained": "saturating, trained D",
    "non-saturating:trained": "non-saturating, trained D",
    "wasserstein": "Wasserstein, best critic",
    "clip": "Wasserstein, trained, clip 0.1",
    "penalty": "Wasserstein, trained, gradient penalty",
}
SOLID, DASHED = [1, 0], [5, 4]
PULL_COLOURS = [colour(index) for index in (0, 1, 0, 1, 2, 3, 4)]
PULL_DASHES = [SOLID, SOLID, DASHED, DASHED, SOLID, DASHED, DASHED]
LEAST = 1e-9  # the smallest pull that is drawn


def section() -> None:
    """Draws the section."""
    teaching.step("Idea", "how far apart are two heaps that do not touch?")
    st.markdown(IDEA)
    st.latex(teaching.in_lines(FORMULA))
    teaching.step("Predict", "before you drag")
    predicted = teaching.predict(QUESTION, ANSWERS, "vanishing:line")
    teaching.step("Do", "drag the two apart, with the mouse or the arrow keys")
    if predicted is None:
        st.info("Say first what becomes of the gradient; then the two can be dragged.")
    else:
        st.fragment(_drag)(predicted)
    with st.expander("**Why** · one logit that grows, one slope that stays"):
        st.markdown(WHY)
    with st.expander("**Code** · the best judges and the trained ones"):
        from ganplay.scenarios import optimal  # imports torch

        teaching.source(optimal)


def _drag(predicted: str) -> None:
    """The slider and everything that follows it."""
    distances = _measured()["distances"]
    distance = st.select_slider(
        "Distance d between the two, in standard deviations", distances, value=1.0, key="line:distance"
    )
    drawn = at(distance)
    teaching.step("See", f"at a distance of {distance:g}")
    left, right = st.columns(2)
    with left:
        names = ["real p(x)", "generated q(x)", BEST, JUDGES["discriminator"]]
        shades = [colour(index) for index in (5, 1, 0, 2)]
        drawing.legend(zip(shades, names, strict=True))
        form = _form("Density, and probability of being real", names, shades, [SOLID, SOLID, SOLID, DASHED], (0, 1))
        drawing.show(form, drawn["judged"], "line:judged")
    with right:
        names = ["best critic f*", JUDGES["clip"], JUDGES["penalty"]]
        shades = [colour(index) for index in (2, 3, 4)]
        drawing.legend(zip(shades, names, strict=True))
        form = _form("Score f(x), 0 in the middle", names, shades, [SOLID, DASHED, DASHED], (-9, 9))
        drawing.show(form, drawn["scored"], "line:scored")
    drawing.legend(zip(PULL_COLOURS[:2] + PULL_COLOURS[4:], list(PULLS.values())[:2] + list(PULLS.values())[4:],
                       strict=True))  # fmt: skip
    st.caption("Dashed: through networks that were trained, in the colour of the loss or of the critic.")
    left, right = st.columns(2)
    with left:
        form = _pull_form("Pull on a fake at x: |dL/dx|", "x", (-9.0, 9.0))
        drawing.show(form, drawn["pulls"], "line:pulls")
    with right:
        form = _pull_form("Mean pull on the fakes, by distance", "distance d", (0.0, float(distances[-1])))
        drawing.show(form, _by_distance(), "line:distances")
    st.markdown(sentence(distance, drawn["means"]))
    if distance >= 4:
        first = at(1.0)["means"]["minimax"]
        now = drawn["means"]["minimax"]
        st.success(
            f"You said *{predicted}*. From a distance of 1 to {distance:g} the saturating pull went from {first:.3g} "
            f"to {now:.2g}: × {now / first:.2g}."
        )


def sentence(distance: float, means: Mapping[str, float]) -> str:
    """What the pulls at this distance say, with their numbers."""
    if not distance:
        return (
            "Here real and generated numbers have the same distribution, and the best judge has nothing to say: every "
            f"pull should be 0. Of the trained ones the largest is {max(_trained(means)):.2g}: noise decides it, and "
            "nothing holds it at 0."
        )
    return (
        f"Mean pull on the fakes: saturating {means['minimax']:.2g}, non-saturating {means['non-saturating']:.2g}, "
        f"Wasserstein {means['wasserstein']:.2g} under the best judges. Under the trained ones: saturating "
        f"{means['minimax:trained']:.2g}, non-saturating {means['non-saturating:trained']:.2g}, critic with clipped "
        f"weights {means['clip']:.2g}, with a gradient penalty {means['penalty']:.2g}. The Jensen-Shannon divergence "
        f"is {means['divergence']:.3f} of at most 0.693; the Wasserstein distance is {distance:g}."
    )


def _trained(means: Mapping[str, float]) -> list[float]:
    return [means[name] for name in means if name.endswith(":trained") or name in ("clip", "penalty")]


def _measured() -> dict[str, Any]:
    return results.measured("line").results


@st.cache_data(show_spinner=False, max_entries=32)
def at(distance: float) -> dict[str, Any]:
    """All that is drawn at one distance: rows by figure, and the mean pulls."""
    from ganplay.scenarios import optimal

    taken = _measured()
    row = taken["distances"].index(distance)
    lines = {name: found[row] for name, found in taken["lines"].items()}
    x = optimal.places()
    p, q = optimal.densities(x, distance)
    best = optimal.optimal_logit(x, distance)
    places = x.tolist()
    trained = optimal.probability(x.new_tensor(lines["discriminator"]["logits"]))
    judged = {
        "real p(x)": p, "generated q(x)": q, BEST: optimal.probability(best), JUDGES["discriminator"]: trained,
    }  # fmt: skip
    scored = {"best critic f*": -x}
    for name in ("clip", "penalty"):
        logits = x.new_tensor(lines[name]["logits"])
        scored[JUDGES[name]] = logits - logits[len(logits) // 2]
    pulls = optimal.pulls_along(best, -distance) | {
        f"{loss}:trained": values
        for loss, values in optimal.pulls_along(
            x.new_tensor(lines["discriminator"]["logits"]), x.new_tensor(lines["discriminator"]["slopes"])
        ).items()
    }
    pulls |= {"wasserstein": x.new_ones(len(x)) * (distance > 0)}
    pulls |= {name: x.new_tensor(lines[name]["slopes"]).abs() for name in ("clip", "penalty")}
    return {
        "judged": figures.rows({name: (places, values.tolist()) for name, values in judged.items()}),
        "scored": figures.rows({name: (places, values.tolist()) for name, values in scored.items()}),
        "pulls": figures.rows({PULLS[name]: (places, list(map(_drawn, pulls[name].tolist()))) for name in PULLS}),
        "means": _means(distance, lines),
    }


def _means(distance: float, lines: Mapping[str, Any]) -> dict[str, float]:
    """The mean pulls at one distance, by the names of PULLS, and the divergence."""
    from ganplay.scenarios import optimal

    trained = {f"{loss}:trained": pull for loss, pull in lines["discriminator"]["pulls"].items()}
    critics = {name: lines[name]["pulls"]["wasserstein"] for name in ("clip", "penalty")}
    return optimal.optimal_pulls(distance) | trained | critics | {"divergence": optimal.jensen_shannon(distance)}


@st.cache_data(show_spinner=False, max_entries=2)
def _by_distance() -> list[dict[str, Any]]:
    """The mean pulls over all distances."""
    taken = _measured()
    distances = taken["distances"]
    means = [
        _means(distance, {name: found[row] for name, found in taken["lines"].items()})
        for row, distance in enumerate(distances)
    ]
    return figures.rows({PULLS[name]: (distances, [_drawn(mean[name]) for mean in means]) for name in PULLS})


def _drawn(pull: float) -> float | None:
    """A pull where the log scale has a place for it."""
    return pull if pull >= LEAST else None


@st.cache_data(show_spinner=False, max_entries=8)
def _form(
    title: str, names: list[str], shades: list[str], dashes: list[list[int]], domain: tuple[float, float]
) -> dict[str, Any]:
    drawn = figures.figure([], title, "x", names, domain=domain, x_domain=(-9, 9), colours=shades, dashes=dashes)
    return drawing.plain(drawn)


@st.cache_data(show_spinner=False, max_entries=8)
def _pull_form(title: str, x_title: str, x_domain: tuple[float, float]) -> dict[str, Any]:
    names = list(PULLS.values())
    drawn = figures.figure(
        [], title, x_title, names, log=True, domain=(LEAST, 100), x_domain=x_domain, colours=PULL_COLOURS,
        dashes=PULL_DASHES,
    )  # fmt: skip
    return drawing.plain(drawn)
