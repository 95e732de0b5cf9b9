"""Document 000, figure 4, on the page "Vanishing gradients": live runs and those that come with the program."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from ganplay.charts import vanishing
from ganplay.charts.style import Point, colour
from ganplay.files import read_json
from ganplay.paths import bundled_checkpoints
from ganplay.probes import gradients
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.ui import drawing, links, live, teaching, vanishing_seeds
from ganplay.ui.shared import MOST_RUNS, attempt, manager, points, runs, show_notice

IDEA = r"""
A layer learns from its gradient $g = \partial L / \partial w$. Where $|g|$ is tiny, the layer stands still. Document
000 counts, for every layer and all through training, how many entries of the gradient are nearly zero:
"""
COUNT = r"n_{\text{layer}} = \#\{\, i : |g_i| < 0.01 \,\}"
CLAIM = """
**The claim (document 000, figure 4).** The count of gradients below 0.01 grows during DCGAN training, worst in the
discriminator's layers 1 to 3, and stays about flat for the WGAN.
"""
QUESTION = "The same two networks, trained once as a DCGAN and once as a WGAN: whose count will grow more?"
ANSWERS = ("the DCGAN's", "the WGAN's", "both alike")
WHY = r"""
With logits $l$ and $D = \sigma(l)$, the cross-entropy of a sample has the gradient $\sigma(l) - y$: once $D$ is sure
and right, it is close to 0 and every layer before it gets a share of nearly nothing. The Wasserstein critic has no
sigmoid: its gradient with respect to $l$ is always $\pm 1$, however good the critic is. Three things to keep in mind
when you read the counts. The threshold 0.01 is a fixed number while the scale of gradients is not: RMSprop and Adam
divide by that scale, so a small gradient is not yet a stopped layer, and clipped weights (at most 0.01 in size) make
a critic's gradients small from the beginning. A count that starts at nearly all entries of a layer cannot grow
much: that is why the sentences above give the number of entries too. And the count of a layer says nothing of the few
large entries that may carry its learning: that is what the heat map of the norms is for.
"""
PRESETS = {
    "small": ("Small nets, a few minutes", {
        "generator.widths": "64,32,16", "discriminator.widths": "16,32,64,128",
        "stop_images": 60_000, "log_every": 640, "sample_every": 6_400,
    }),
    "full": ("The document's nets, slow: leave it running", {"stop_images": 200_000}),
}  # fmt: skip
DATA = {"digits": "Digits (offline)", "cifar10": "CIFAR-10, as in the document (downloads on first use)"}
NETWORKS = ("discriminator", "generator")
PAIR = {"duke-dcgan": "DCGAN", "duke-wgan": "WGAN"}  # registered recipes, and checkpoints of the same names
VIEWS = {"Count of |g| < 0.01": "counts", "L2 norm, layer by time": "norms"}


class Shown(NamedTuple):
    """A training whose layers are looked at.

    Attributes:
        key: of the widgets that draw it.
    """

    key: str
    label: str
    said: str
    points: Sequence[Point]


def section() -> None:
    """Draws the section."""
    teaching.step("Idea", "a layer without a gradient does not learn")
    st.markdown(IDEA)
    st.latex(COUNT)
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(QUESTION, ANSWERS, "vanishing")
    teaching.step("Do", "choose trainings, or start the pair")
    show_notice()
    ids = _choose()
    names = _choose_bundled(MOST_RUNS - len(ids))
    data = _start_pair()
    if ids or names:
        teaching.step("See", "how many gradients are small")
        if predicted is None:
            st.info("Say first whose count grows more; then the layers are drawn.")
        else:
            st.info(CLAIM)
            active = live.is_active(ids)
            idle = live.SLOW if ids else None  # a run may be resumed elsewhere; what came with the program stays
            st.fragment(run_every=live.CHARTS if active else idle)(_see)(names, ids, active, predicted)
    if predicted is not None:
        vanishing_seeds.section(data, PRESETS["small"][1], PAIR)
    with st.expander("**Why** · where small gradients come from, and what the count does not say"):
        st.markdown(WHY)
    with st.expander("**Code** · the count, as it is taken in every step; a point of the curves shows the mean"):
        teaching.source(gradients)


def measured_checkpoints() -> list[str]:
    """Bundled checkpoints with enough statistics of each layer, the document's pair first."""
    names = sorted(path.parent.name for path in bundled_checkpoints().glob("*/samples.webp"))
    found = [name for name in names if vanishing.growth(bundled_points(name), "discriminator")]
    return sorted(found, key=lambda name: (name not in PAIR, name))


def bundled_points(name: str) -> list[dict[str, Any]]:
    """The thinned curves that came with a checkpoint; empty where there are none."""
    path = bundled_checkpoints() / name / "metrics.json"
    try:
        return _points_of(str(path), path.stat().st_mtime_ns)
    except OSError:
        return []


@st.cache_data(show_spinner=False, max_entries=64)
def _points_of(path: str, changed: int) -> list[dict[str, Any]]:
    try:
        return list(read_json(path)["points"])
    except (KeyError, TypeError, ValueError):
        return []


def _choose_bundled(most: int) -> list[str]:
    """The bundled trainings to look at; at first the document's pair, or two others while it is not there."""
    known = measured_checkpoints()
    pair = [name for name in known if name in PAIR]
    at_first = [] if st.query_params.get("runs") else (pair if len(pair) == len(PAIR) else known)[: len(PAIR)]
    chosen = st.multiselect(
        "Trainings that came with the program", known, at_first, key="vanishing:bundled", placeholder="choose some",
    )  # fmt: skip
    if len(pair) < len(PAIR):
        missing = " and ".join(name for name in PAIR if name not in pair)
        st.caption(
            f"{len(known)} bundled trainings carry the statistics of each layer: {', '.join(known) or 'none'}. The "
            f"document's pair is not complete among them: {missing} did not come with this copy."
        )
    if len(chosen) > most:
        st.caption(f"{MOST_RUNS} trainings fit beside each other: the first {most} of these are drawn.")
    return chosen[:most]


def _choose() -> list[str]:
    """The runs to look at: from the address, kept while other pages are visited."""
    known = {run.id: run for run in store.list_runs()}
    wanted = links.run_ids(st.query_params.get("runs")) or st.session_state.get("vanishing", [])
    unknown = [id for id in wanted if id not in known]
    if unknown:
        st.warning(f"There is no run {', '.join(unknown)[:120]} here; it may have been deleted.")
    if not known:
        st.caption("There are no runs yet: start the pair below.")
        return []
    names = dict(zip(known, live.labels(list(known.values())), strict=True))
    wanted = [id for id in wanted if id in known][:MOST_RUNS]
    if st.session_state.get("vanishing:asked") != wanted:  # a link or a start, not the reader's own choice
        st.session_state["vanishing:chosen"] = wanted
    chosen = st.multiselect(
        "Runs to compare", list(known), key="vanishing:chosen", max_selections=MOST_RUNS,
        format_func=lambda id: f"{names.get(id, id)} · {id[:13]}", placeholder="choose up to four",
    )  # fmt: skip
    _remember(chosen)
    return chosen


def _remember(ids: list[str]) -> None:
    st.session_state["vanishing"] = st.session_state["vanishing:asked"] = ids
    if ids:
        st.query_params["runs"] = ",".join(ids)
    else:
        st.query_params.pop("runs", None)


def _start_pair() -> str:
    """Draws the form; the data chosen in it."""
    with st.container(border=True):
        left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
        data = left.selectbox("Data", list(DATA), format_func=DATA.get, key="pair:data")
        preset = middle.selectbox("Size", list(PRESETS), format_func=lambda name: PRESETS[name][0], key="pair:size")
        if right.button("Start the pair", type="primary", width="stretch", key="pair:start"):
            attempt(_submit_pair, data, preset)
            st.rerun()
    return data


def _submit_pair(data: str, preset: str) -> None:
    group = secrets.token_hex(4)
    changes: dict[str, Any] = {"dataset": data} | PRESETS[preset][1]
    ids = []
    for base, name in PAIR.items():
        run = manager().submit(recipe(base).change(changes), f"{name}, {preset} nets, {data}", base, group)
        ids.append(run.id)
        st.session_state["vanishing"] = list(ids)
        st.query_params["runs"] = ",".join(ids)


def _shown(names: Sequence[str], ids: list[str]) -> list[Shown]:
    found = [
        Shown(f"bundled:{name}", name, f"came with the program, {data[-1]['images']:,} images", data)
        for name in names
        if (data := bundled_points(name))
    ]
    known, _ = runs(ids)
    for run, label in zip(known, live.labels(known), strict=True):
        status = run.status()
        said = "" if status.state == "running" else status.message
        found.append(Shown(run.id, label, f"{status.state}, {status.images:,} images. {said}", points(run)))
    return found


def _see(names: list[str], ids: list[str], active: bool, predicted: str) -> None:
    found = _shown(names, ids)
    if not found:
        return
    for one, column in zip(found, st.columns(len(found)), strict=True):
        column.markdown(f"**{one.label}**  \n:small[{one.said}]")
    view = VIEWS[
        st.segmented_control("What is drawn", list(VIEWS), default=next(iter(VIEWS)), required=True, key="see")
    ]
    for network in NETWORKS:
        (_counts if view == "counts" else _norms)(found, network)
    _read(found, predicted)
    if live.is_active(ids) != active:
        st.rerun()


def _counts(found: Sequence[Shown], network: str) -> None:
    layers = max(len(vanishing.layer_names(one.points, network)) for one in found)
    most = max(vanishing.largest_layer(one.points, network) for one in found) + 1
    drawing.legend((colour(index), f"layer {index + 1}") for index in range(layers))
    for one, column in zip(found, st.columns(len(found)), strict=True):
        with column:
            form = _count_form(layers, f"{network.capitalize()}: {one.label}", most)
            drawing.show(form, vanishing.rows(one.points, network), f"{network}:{one.key}")


def _norms(found: Sequence[Shown], network: str) -> None:
    data = [vanishing.heat_rows(one.points, network) for one in found]
    bounds = vanishing.decades([row for rows in data for row in rows])
    for one, rows, column in zip(found, data, st.columns(len(found)), strict=True):
        with column:
            layers = len(vanishing.layer_names(one.points, network))
            form = _norm_form(layers, f"{network.capitalize()}: {one.label}", bounds)
            drawing.show(form, rows, f"norm:{network}:{one.key}")


def _read(found: Sequence[Shown], predicted: str) -> None:
    """What these trainings show, measured from their own data, beside the claim."""
    st.markdown("**What these trainings show** (mean count over the newest fifth of the points, against the first)")
    grown = {}
    for one in found:
        for network in NETWORKS:
            measured = vanishing.growth(one.points, network)
            st.markdown(f"- {vanishing.sentence(one.label, network, measured)}")
            if measured and network == "discriminator":
                grown[one.label] = max(layer.factor for layer in measured)
    if len(grown) > 1:
        most = max(grown, key=grown.get)
        verdict = f"The discriminator's count grew most in **{most}** (× {grown[most]:.2f} in its worst layer)."
        if grown[most] < vanishing.FLAT:
            verdict = f"In none of them did a count of the discriminator grow by more than × {grown[most]:.2f}."
        st.info(f"You said *{predicted}*. {verdict}")
    with st.expander("Every layer in numbers"):
        rows = [_row(one.label, network, layer) for one in found for network in NETWORKS
                for layer in vanishing.growth(one.points, network)]  # fmt: skip
        st.dataframe(rows, hide_index=True)


def _row(run: str, network: str, layer: vanishing.Growth) -> dict[str, Any]:
    return {
        "training": run, "network": network, "layer": layer.number, "name": layer.name, "entries": layer.total,
        "small at first": round(layer.first), "small lately": round(layer.last), "factor": round(layer.factor, 2),
    }  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=64)
def _count_form(layers: int, title: str, most: int) -> dict[str, Any]:
    """A figure without data. Made once: Altair's checks take more time than all the rest of a tick."""
    return drawing.plain(vanishing.chart([], layers, title, most))


@st.cache_data(show_spinner=False, max_entries=64)
def _norm_form(layers: int, title: str, bounds: tuple[float, float]) -> dict[str, Any]:
    return drawing.plain(vanishing.heat_map([], layers, title, bounds))
