"""How far gradients travel back through a deep critic, on the page "Vanishing gradients"."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ganplay.charts import vanishing_lines as figures
from ganplay.charts.style import colour
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.scenarios import results
from ganplay.ui import drawing, live, teaching
from ganplay.ui.shared import ACTIVE, attempt, manager, show_notice

if TYPE_CHECKING:
    from ganplay.stories.story import Story

IDEA = r"""
Depth multiplies: on its way from the logit back to the first layer a gradient passes every layer's weights and
activations. With $h_k$ the activations of hidden layer $k$ and $l$ what one pair of samples adds to the critic's loss,
we look at
"""
FORMULA = r"\left\lVert \frac{\partial l}{\partial h_k} \right\rVert_2 = \left\lVert "\
    r"\frac{\partial h_{k+1}}{\partial h_k}^{\!\top} \cdots "\
    r"\frac{\partial f}{\partial h_{12}}^{\!\top} \right\rVert_2"  # fmt: skip
SETTING = (
    "Both nets have 12 hidden layers of 64 units and learn the Swiss roll with the Wasserstein loss: 60 rounds of "
    "five critic steps and one of G, batch 128, Adam 1e-3. WGAN-GP's figure 1b (arXiv 1704.00028) has the same roll "
    "and depth; width, optimiser and length are ours, for it prints none."
)
STORIES = {"vanishing-clip": "Clip against penalty", "vanishing-activation": "Activations"}
LAST = 13  # the place of the logit
DOMAIN = (figures.FLOOR, 1e7)
SEED = 0


def section() -> None:
    """Draws the section."""
    from ganplay.stories import stories  # imports torch

    kind = st.segmented_control(
        "What differs", list(STORIES), default=next(iter(STORIES)), required=True, key="depth",
        format_func=STORIES.get,
    )  # fmt: skip
    story = stories[kind]()
    teaching.step("Idea", "every layer multiplies")
    st.markdown(IDEA)
    st.latex(FORMULA)
    st.caption(SETTING)
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(story.question, story.answers, kind)
    if predicted is None:
        st.info("Choose an answer; then the layers are drawn.")
    else:
        _do(story)
        _see_measured(story, predicted)
        group = st.session_state.get(f"{kind}:group") or _newest(story)
        if group:
            active = any(run.status().state in ACTIVE for run in _members(group))
            st.fragment(run_every=live.STEADY if active else None)(_see_runs)(kind, group, active)
    with st.expander("**Why** · a product of twelve numbers"):
        st.markdown(story.why)
    with st.expander("**Code** · the gradients at the activations"):
        from ganplay.scenarios import depth

        teaching.source(depth)


def _do(story: Story) -> None:
    teaching.step("Do", "train them here")
    show_notice()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed", 0, 10_000, SEED, key=f"{story.kind}:seed", width=150)
        if st.button("Train them", type="primary", key=f"{story.kind}:start"):
            attempt(_submit, story, int(seed))
            st.rerun()
    st.caption("Each is a short run of its own, once it is its turn; the figure below was measured before.")


def _submit(story: Story, seed: int) -> None:
    group = secrets.token_hex(4)
    st.session_state[f"{story.kind}:group"] = group
    for label, recipe in story.recipes(seed).items():
        manager().submit(recipe, _label(story, label), "toy-ring", group)


def _label(story: Story, label: str) -> str:
    return f"12 layers, {label}" if story.kind == "vanishing-clip" else f"12 layers of {label}"


def _members(group: str) -> list[Run]:
    """The runs of a group, the first that was started first."""
    return [run for run in reversed(store.list_runs()) if run.info["group"] == group]


def _newest(story: Story) -> str | None:
    """The newest group of runs that belong to the story."""
    labels = {_label(story, label) for label in story.recipes(SEED)}
    return next((run.info["group"] for run in store.list_runs() if run.label in labels and run.info["group"]), None)


def _see_measured(story: Story, predicted: str) -> None:
    teaching.step("See", "what arrives at each layer")
    try:
        taken = results.measured("depth")
        norms: Mapping[str, list[list[float]]] = taken.results[story.variants]
    except (KeyError, ValueError) as error:
        st.warning(f"The measurement that comes with the program cannot be shown. {error}")
        return
    means = {label: figures.geometric(seeds) for label, seeds in norms.items()}
    _draw(means, f"Gradient norm, mean over {len(taken.seeds)} seeds, log scale", f"{story.kind}:measured")
    st.dataframe(table(norms), hide_index=True)
    right = "which is what happened" if predicted == story.answer else f"what happened is: *{story.answer}*"
    st.success(f"You said *{predicted}*, {right}. {arrived(means)}")
    st.caption(f"Measured with `{taken.command}`. {underflow(norms)}")


def _draw(norms: Mapping[str, list[float]], title: str, key: str) -> None:
    drawing.legend((colour(index), label) for index, label in enumerate(norms))
    layers = list(range(1, LAST + 1))
    data = figures.rows({label: (layers, values) for label, values in norms.items()}, figures.FLOOR)
    drawing.show(_form(title, tuple(norms)), data, key)


def _see_runs(kind: str, group: str, active: bool) -> None:
    """The trainings of the reader, as far as they are."""
    from ganplay.stories import stories

    story = stories[kind]()
    labels = {_label(story, label): label for label in story.recipes(SEED)}
    members = [run for run in _members(group) if run.label in labels]
    st.markdown("**Your own trainings**")
    found = {}
    for run in members:
        status, saved = run.status(), run.checkpoints()
        if status.state in ACTIVE or not saved:
            st.caption(f"{labels[run.label]}: {status.state}, {status.images:,} images. {status.message}")
        else:
            found[labels[run.label]] = _norms(run.id, saved[0].name)
    if found:
        _draw(found, "Gradient norm of your trainings, log scale", f"{kind}:runs")
        st.markdown(arrived(found))
    if any(run.status().state in ACTIVE for run in members) != active:
        st.rerun()


@st.cache_data(show_spinner=False, max_entries=64)
def _norms(id: str, checkpoint: str) -> list[float]:
    """The norm at every layer for what a run's newest checkpoint holds."""
    from ganplay.scenarios.depth import measured
    from ganplay.stories.story import End

    end = End.of(store.find(id))
    return measured(end.recipe, end.state.generator, end.state.discriminator)


def table(norms: Mapping[str, list[list[float]]]) -> list[dict[str, Any]]:
    """By training, what arrives at the first layer: smallest, mean and largest over the seeds."""
    rows = []
    for label, seeds in norms.items():
        first = [one[0] / one[-1] for one in seeds]
        mean = figures.geometric([[value] for value in first])[0]
        rows.append({
            "critic": label, "smallest": f"{min(first):.1e}", "mean over seeds": f"{mean:.1e}",
            "largest": f"{max(first):.1e}", "factor a layer": f"{mean ** (1 / (LAST - 1)):.2g}",
        })  # fmt: skip
    return rows


def arrived(norms: Mapping[str, list[float]]) -> str:
    """What is left of the gradient at the first layer."""
    said = ", ".join(f"{values[0] / values[-1]:.1e} ({label})" for label, values in norms.items())
    return f"Of a gradient of 1 at the logit this arrives at the first layer: {said}."


def underflow(norms: Mapping[str, list[list[float]]]) -> str:
    """Names the trainings whose gradient fell below what is drawn."""
    lost = [label for label, seeds in norms.items() if any(min(one) < figures.FLOOR for one in seeds)]
    if not lost:
        return ""
    return (
        f"With {', '.join(lost)} it fell below {figures.FLOOR:g} before the first layer and is drawn and counted there."
    )


@st.cache_data(show_spinner=False, max_entries=16)
def _form(title: str, labels: tuple[str, ...]) -> dict[str, Any]:
    x_title = "hidden layer, first to last (13 is the logit)"
    drawn = figures.figure(
        [], title, x_title, labels, log=True, domain=DOMAIN, x_domain=(1, LAST), points=True, height=320
    )
    return drawing.plain(drawn)
