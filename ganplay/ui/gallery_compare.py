"""Bundled checkpoints beside each other: the same noise, the curves of their training, gradients and scores."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import streamlit as st
from PIL import Image

from ganplay.charts import curves, vanishing
from ganplay.charts import gallery as shares
from ganplay.charts.style import Series, colour
from ganplay.evaluations.asks import Ask
from ganplay.latent.sampling import LARGEST_SEED
from ganplay.scores import distances_to_test
from ganplay.sources import CHECKPOINT, open_source
from ganplay.ui import drawing, evaluate_table, gallery_data, teaching
from ganplay.ui.gallery_data import Bundled
from ganplay.ui.shared import MOST_RUNS, WIDEST

NETWORKS = ("discriminator", "generator")
QUESTION = "Whose samples are nearest to real test images, by their Fréchet distance?"
SAMPLES, LARGE_SAMPLES, COLUMNS = 36, 24, 6  # of a picture: up to 32 pixels on a side, and above, where each costs more
ROWS = 4  # of a conditional generator's picture, with a column for each class
DOTS = 1_000  # of a 2-D set
SAME = "The same seed feeds all of them the same noise, for it has as many numbers of the same kind everywhere."
OTHER = "The same seed feeds each of them noise of its own kind: they take different numbers."
WHY = r"""
The same noise is no reason for the same picture: what a number of $z$ means is what this one training happened to make
of it. So compare the sets, not the pairs: are the kinds of pictures all there, how many are spoilt, do some repeat?

Losses do not rank generators. Each is measured against its own discriminator, and both learn; the scores below the
curves are measured against real images, all in the same way. The Fréchet distance $d^2 = \lVert \mu - \mu_r \rVert^2 +
\operatorname{Tr}(\Sigma + \Sigma_r - 2 (\Sigma\Sigma_r)^{1/2})$ compares means and covariances of a classifier's
features (arXiv 1706.08500); beside each figure stands what real images get.
"""
SMALL = """
The share of each layer's gradients with $|g| < 0.01$, as document 000 counts them. Clipped weights make a critic's
gradients small from the beginning: look at how a line changes, and read the page *Vanishing gradients* for the rest.
"""


def show(names: list[str]) -> None:
    """Compares these checkpoints from now on; without names, all are shown again."""
    st.session_state.pop("gallery:chosen", None)
    if names:
        st.query_params["models"] = ",".join(names)
    else:
        st.query_params.pop("models", None)


def compare(known: dict[str, Bundled], names: list[str], claim: str) -> None:
    """Draws the comparison of one to four checkpoints.

    Args:
        claim: what a document says of them, or nothing.
    """
    st.button("All checkpoints", icon="⬅️", on_click=show, args=([],))
    st.multiselect(
        "Compared", list(known), names, key="gallery:chosen", max_selections=MOST_RUNS, on_change=_chosen,
        format_func=lambda name: f"{name} · {known[name].about['title']}",
    )  # fmt: skip
    chosen = [known[name] for name in names]
    if claim:
        st.info(f"**What the document says.** {claim}")
    models = _models(chosen)
    predicted = None
    if len(_distances(models)) > 1:
        teaching.step("Predict", "before you look at the scores")
        predicted = teaching.predict(QUESTION, [one.name for one in chosen], "gallery:" + ",".join(sorted(names)))
    teaching.step("Do", "draw")
    seed = _seed()
    teaching.step("See", "the same seed, drawn now")
    _pictures(chosen, seed)
    _curves(chosen)
    _gradients(chosen)
    _scores(models, predicted)
    with st.expander("**Why** · what such a comparison can and cannot say"):
        st.markdown(WHY)


def _chosen() -> None:
    names = st.session_state["gallery:chosen"]
    if names:
        st.query_params["models"] = ",".join(names)
    else:
        st.query_params.pop("models", None)


def _seed() -> int:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed", 0, LARGEST_SEED, 0, key="seed", bind="query-params", width=180)
        st.button("Other noise", icon="🎲", on_click=_next_seed)
    return int(seed)


def _next_seed() -> None:
    st.session_state["seed"] = (int(st.session_state.get("seed", 0)) + 1) % (LARGEST_SEED + 1)


def _pictures(chosen: Sequence[Bundled], seed: int) -> None:
    for index, (one, column) in enumerate(zip(chosen, st.columns(max(2, len(chosen))), strict=False)):
        with column:
            st.html(drawing.dot(colour(index), one.name, strong=True))
            try:
                st.image(picture(one.name, one.stamp, seed), width="stretch", alt=f"Samples of {one.name}, seed {seed}")
                st.caption(f"{one.about['title']} · {one.about['data']} · {one.about['images']:,} images seen")
            except ValueError as error:
                st.caption(str(error))
    if len(chosen) > 1:
        st.caption(SAME if len({tuple(one.about["latent"]) for one in chosen}) == 1 else OTHER)


@st.cache_data(show_spinner="Drawing …", max_entries=200)
def picture(name: str, stamp: str, seed: int) -> bytes:
    """Samples of a checkpoint as JPEG, every pixel an equal square, drawn once for all who look.

    Raises:
        ValueError: it cannot be read.
    """
    from ganplay import pictures
    from ganplay.data.resident import load
    from ganplay.latent.sampling import sample

    loaded = open_source(CHECKPOINT + name)
    dataset, classes = loaded.recipe.dataset, loaded.recipe.shapes.classes
    if len(loaded.recipe.shapes.sample) == 1:
        real = load(dataset, dataset.native, "test").values[:DOTS]
        drawn = pictures.scatter(sample(loaded, seed, DOTS), real)
    elif 2 <= classes <= 16:
        drawn = pictures.grid(sample(loaded, seed, ROWS * classes), classes)
    else:
        count = SAMPLES if loaded.recipe.image_size <= 32 else LARGE_SAMPLES
        drawn = pictures.grid(sample(loaded, seed, count), COLUMNS)
    factor = max(1, WIDEST // drawn.width)
    large = drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def _curves(chosen: Sequence[Bundled]) -> None:
    same_score = len({str([one.about["metric"], one.about["values"], one.about["shape"]]) for one in chosen}) == 1
    figures = _curve_forms(tuple((one.name, one.stamp, one.about["judges"]) for one in chosen), same_score)
    if not figures:
        return
    st.markdown("**How they were trained**, over images seen")
    drawing.legend((colour(index), one.name) for index, one in enumerate(chosen))
    for start in range(0, len(figures), 2):  # in rows, so that a phone shows them in this order
        for parts, column in zip(figures[start : start + 2], st.columns(2), strict=False):
            with column:
                for form in parts:
                    st.vega_lite_chart(form, width="stretch")


@st.cache_data(show_spinner=False, max_entries=32)
def _curve_forms(chosen: tuple[tuple[str, str, bool], ...], scored: bool) -> list[list[dict[str, Any]]]:
    """The parts of each figure, without those that nobody has numbers for.

    Args:
        chosen: name, stamp and whether its discriminator judges, of each.
        scored: True when all were scored in the same way.
    """
    series = [
        Series(name, colour(index), gallery_data.points(name, stamp), judges)
        for index, (name, stamp, judges) in enumerate(chosen)
    ]
    names = [name for name in curves.FIGURES if curves.rows(name, series) and (name != "score" or scored)]
    return [[drawing.plain(curves.chart(name, part)) for part in curves.parts(name, series)] for name in names]


def _gradients(chosen: Sequence[Bundled]) -> None:
    found = _gradient_forms(tuple((one.name, one.stamp) for one in chosen))
    if not found:
        return
    st.markdown("**Small gradients, layer by layer**")
    st.markdown(SMALL)
    for layers, forms in found:
        drawing.legend((colour(index), f"layer {index + 1}") for index in range(layers))
        for form, column in zip(forms, st.columns(len(chosen)), strict=True):
            column.vega_lite_chart(form, width="stretch")
    for one in chosen:
        points = shares.with_gradients(gallery_data.points(one.name, one.stamp))
        for network in NETWORKS:
            st.markdown(f"- {vanishing.sentence(one.name, network, vanishing.growth(points, network))}")


@st.cache_data(show_spinner=False, max_entries=32)
def _gradient_forms(chosen: tuple[tuple[str, str], ...]) -> list[tuple[int, list[dict[str, Any]]]]:
    """For each network the number of layers and a figure for each of (name, stamp); empty when none has statistics."""
    data = {name: shares.with_gradients(gallery_data.points(name, stamp)) for name, stamp in chosen}
    if not any(data.values()):
        return []
    found = []
    for network in NETWORKS:
        layers = max(len(vanishing.layer_names(points, network)) for points in data.values())
        forms = [
            drawing.plain(shares.share_chart(shares.share_rows(points, network), layers, f"{network}: {name}"))
            for name, points in data.items()
        ]
        found.append((layers, forms))
    return found


def _models(chosen: Sequence[Bundled]) -> list[evaluate_table.Model]:
    """The columns of the table of scores, of those that were measured."""
    return [
        evaluate_table.Model(
            one.name, colour(index), Ask(CHECKPOINT + one.name),
            {"evaluation": one.about["scores"] | {"images": one.about["images"]},
             "data": {"values": one.about["values"], "shape": one.about["shape"]}},
        )
        for index, one in enumerate(chosen) if one.about["scores"].get("figures")
    ]  # fmt: skip


def _distances(models: Sequence[evaluate_table.Model]) -> dict[str, tuple[float, float]]:
    """The distances to the test images by checkpoint, where they compare; with those of training images."""
    if len(evaluate_table.groups(models)) != 1:
        return {}
    found = {one.ask.source.removeprefix(CHECKPOINT): distances_to_test(one.figures) for one in models}
    return {name: pair for name, pair in found.items() if pair}


def _scores(models: Sequence[evaluate_table.Model], predicted: str | None) -> None:
    if not models:
        return
    st.markdown("**How good they are**, measured with the stored weights")
    distances = _distances(models)
    if len(distances) > 1:
        best = min(distances, key=lambda name: distances[name][0])
        told = ", ".join(f"{name} {pair[0]:.3g}" for name, pair in sorted(distances.items(), key=lambda one: one[1]))
        verdict = f"Nearest is **{best}**: {told}; training images {distances[best][1]:.2g}."
        st.success(f"You said *{predicted}*. {verdict}" if predicted else verdict)
    groups = evaluate_table.groups(models)
    if len(groups) > 1:
        st.caption("They learned from different data: such figures say nothing about each other, each has its table.")
    for group in groups:
        html, notes = evaluate_table.table(group, evaluate_table.rows(group))
        st.html(html)
        st.markdown("\n".join(f":small[{place}. {evaluate_table.literal(note)}]  " for place, note in
                              enumerate(notes, 1)))  # fmt: skip
