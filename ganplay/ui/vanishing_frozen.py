"""A frozen generator and a new discriminator, on the page "Vanishing gradients" (arXiv 1701.04862, figures 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ganplay.charts import vanishing_lines as figures
from ganplay.charts.style import colour
from ganplay.paths import bundled_checkpoints
from ganplay.runs import store
from ganplay.scenarios import results
from ganplay.ui import drawing, samples, teaching
from ganplay.ui.shared import attempt, show_notice
from ganplay.ui.vanishing_job import jobs, result

IDEA = r"""
Arjovsky and Bottou trained a DCGAN for 1, 10 and 25 epochs. Then they kept each generator as it was, threw its
discriminator away and trained a new one from scratch against it. On the way they measured the gradient that the
generator **would** get from it, for both of the losses of the first GAN:
"""
FORMULA = r"\left\lVert \nabla_\theta \mathbb{E}_z \log(1 - D(G(z))) \right\rVert_2, \qquad "\
    r"\left\lVert \nabla_\theta \mathbb{E}_z \left[-\log D(G(z))\right] \right\rVert_2"  # fmt: skip
OURS = (
    "Ours learnt the 1,500 embedded digits: the nets of document 000 with fewer feature maps (64-32-16 and "
    "16-32-64-128), batch norm in both, batches of 25, Adam 1e-3 for G and 5e-4 for D, no averaging of the weights. "
    "One epoch is 60 updates. D is retrained with batches of 64; its batch norm works as in training, the generator's "
    "is frozen too."
)
QUESTION = (
    "While the new discriminator learns for 4,000 iterations, what becomes of the gradient of the **saturating** loss "
    "log(1 - D), for the generator of 25 epochs?"
)
ANSWERS = ("it grows", "it stays about the same", "it falls to a tenth", "it falls to a hundredth or less")
NAMES = {"minimax": "saturating: log(1 - D)", "non-saturating": "non-saturating: -log D"}
WHY = r"""
Real pictures and generated ones hardly ever share a place: both lie on thin sheets in the space of all pictures, and a
discriminator that has the time finds a surface between them (arXiv 1701.04862, theorems 2.1 and 2.2). Then $D$ is 0 on
all fakes and all around them, and the saturating loss is flat there: its gradient goes to 0 as $D$ goes to the perfect
one (theorem 2.4). So a better discriminator gives a worse gradient, and one must train it just enough, which nobody
can know. The non-saturating loss divides by $D(G(z))$: its gradient does not vanish, it grows, and with it grows its
variance (theorem 2.6), which makes training jump. Both troubles come from the same cause, a distance that is at its
greatest for all pairs of distributions that do not touch; the Wasserstein distance was made to be another one.
"""
MOST_SOURCES, LIVE_ITERATIONS = 3, (100, 200, 400, 800, 1_600)
NEWEST = 20  # runs that are offered


def section() -> None:
    """Draws the section."""
    teaching.step("Idea", "a better discriminator may teach less")
    st.markdown(IDEA)
    st.latex(teaching.in_lines(FORMULA))
    taken = _bundled()
    _pictures([one["source"] for one in taken.results] if taken else [])
    st.caption(OURS)
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(QUESTION, ANSWERS, "vanishing:frozen")
    if predicted is None:
        st.info("Say first what becomes of the gradient; then it is drawn.")
    else:
        if taken:
            teaching.step("See", "the gradient while a new discriminator learns")
            draw(taken.results, "bundled")
            st.success(f"You said *{predicted}*. {verdict(taken.results[-1])}")
            st.caption(f"Measured with `{taken.command}`.")
        _do()
    with st.expander("**Why** · where real and generated pictures do not touch"):
        st.markdown(WHY)
    with st.expander("**Code** · the whole experiment"):
        from ganplay.scenarios import frozen  # imports torch

        teaching.source(frozen)


def _bundled() -> results.Measured | None:
    try:
        return results.measured("frozen")
    except ValueError as error:
        st.warning(f"The measurement that comes with the program cannot be shown. {error}")
        return None


def _pictures(sources: Sequence[str]) -> None:
    """What the frozen generators draw."""
    known = [name for name in sources if (bundled_checkpoints() / name / "samples.webp").is_file()]
    if known:
        for name, column in zip(known, st.columns(len(known)), strict=True):
            column.image(samples.small(name), width="stretch", alt=f"Samples of {name}")
            column.caption(name)


def draw(found: Sequence[Mapping[str, Any]], key: str) -> None:
    """Both figures, a line for each generator, and a sentence for each."""
    labels = [title(one) for one in found]
    drawing.legend((colour(index), label) for index, label in enumerate(labels))
    most = max(one["iterations"][-1] for one in found)
    norms = [norm for one in found for of_loss in one["norms"].values() for norm in of_loss if norm > 0]
    domain = (max(figures.FLOOR, min(norms, default=0.1) / 2), 2 * max(norms, default=1.0))
    for (loss, name), column in zip(NAMES.items(), st.columns(2), strict=True):
        data = {label: (one["iterations"], one["norms"][loss]) for label, one in zip(labels, found, strict=True)}
        with column:
            form = _form(f"Gradient norm, {name}, log scale", tuple(labels), most, domain)
            drawing.show(form, figures.rows(data, domain[0]), f"frozen:{key}:{loss}")
    for label, one in zip(labels, found, strict=True):
        st.markdown(f"- **{label}**: {sentence(one)}")


def title(one: Mapping[str, Any]) -> str:
    """What a line is called."""
    several = f", seed {one['seed']}" if one["seed"] else ""
    return f"{one['title']}{several}"


def change(one: Mapping[str, Any], loss: str) -> float:
    """The gradient at the end over that of an untrained discriminator, of one loss."""
    from ganplay.scenarios.frozen import Frozen

    return Frozen.from_json(one).change(loss)


def sentence(one: Mapping[str, Any]) -> str:
    """What became of both gradients, with the numbers of just this discriminator."""
    names = {loss: name.split(":")[0] for loss, name in NAMES.items()}
    changes = [f"the {name} gradient changed by ×\u00a0{change(one, loss):.2g}" for loss, name in names.items()]
    accuracy = one["accuracy"]
    return (
        f"over {one['iterations'][-1]:,} iterations {' and '.join(changes)} (median of the last tenth, over what the "
        f"untrained D gave). At the end D was right about {100 * accuracy[-1]:.0f}% of the samples."
    )


def verdict(one: Mapping[str, Any]) -> str:
    """The answer to the question, of one generator."""
    factor = change(one, "minimax")
    said = f"it became {1 / factor:,.0f} times smaller" if factor < 1 else f"it became {factor:.2g} times larger"
    return (
        f"For {title(one)}, {said}, and the non-saturating one changed by ×\u00a0{change(one, 'non-saturating'):.2g}."
    )


def _do() -> None:
    teaching.step("Do", "run it here, with other generators or another seed")
    show_notice()
    offered = _offered()
    with st.container(border=True):
        chosen = st.multiselect(
            "Generators to freeze", list(offered), list(offered)[:1], key="frozen:sources",
            format_func=lambda source: offered.get(source, source), max_selections=MOST_SOURCES,
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            iterations = st.selectbox(
                "Iterations of D", LIVE_ITERATIONS, index=2, key="frozen:iterations", width=150,
                format_func=lambda count: f"{count:,}",
            )  # fmt: skip
            seed = st.number_input("Seed", 0, 10_000, 1, key="frozen:seed", width=150)
            if st.button("Freeze and retrain", type="primary", disabled=not chosen, key="frozen:start"):
                arguments = [
                    "frozen",
                    "--sources",
                    ",".join(chosen),
                    "--iterations",
                    str(iterations),
                    "--seeds",
                    str(seed),
                ]
                st.session_state["frozen:job"] = attempt(jobs().start, arguments) or st.session_state.get("frozen:job")
                st.rerun()
        key = st.session_state.get("frozen:job")
        if key:
            active = jobs().look(key).state == "running"
            st.fragment(run_every=1.0 if active else None)(_watch)(key, active)


def _offered() -> dict[str, str]:
    """Generators without labels that need no download, by source: bundled ones, then runs that have saved some."""
    from ganplay.model_folder import read_config  # imports torch

    found = {}
    for path in sorted(bundled_checkpoints().glob("*/samples.webp")):
        try:
            recipe = read_config(path.parent).recipe
        except ValueError:
            continue
        if recipe.dataset.bundled and not recipe.conditional and len(recipe.shapes.sample) == 3:
            found[path.parent.name] = path.parent.name
    for run in store.list_runs()[:NEWEST]:
        try:
            recipe = run.recipe()
        except ValueError:
            continue
        if recipe.dataset.bundled and not recipe.conditional and len(recipe.shapes.sample) == 3 and run.checkpoints():
            found[run.id] = f"{run.label} · {run.id[:13]}"
    return found


def _watch(key: str, active: bool) -> None:
    state = jobs().look(key)
    if state.state == "running":
        st.progress(state.share, state.sentence)
        st.button("Stop it", key="frozen:stop", on_click=jobs().stop)
    elif state.state == "failed":
        st.error(state.sentence)
    elif state.state == "done":
        taken = result(key)
        draw(taken.results, "own")
        st.caption(f"Measured with `{taken.command}`.")
    if (state.state == "running") != active:
        st.rerun()


@st.cache_data(show_spinner=False, max_entries=16)
def _form(title: str, labels: tuple[str, ...], most: int, domain: tuple[float, float]) -> dict[str, Any]:
    drawn = figures.figure(
        [], title, "iterations of the new discriminator", labels, log=True, domain=domain, x_domain=(0, most)
    )
    return drawing.plain(drawn)
