"""The steps of the page "Vanishing gradients"."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

from ganplay.charts import vanishing
from ganplay.charts.style import colour
from ganplay.probes import gradients
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.ui import drawing, links, live, teaching
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
sigmoid: its gradient with respect to $l$ is always $\pm 1$, however good the critic is. Two things to keep in mind
when you read the counts. The threshold 0.01 is a fixed number while the scale of gradients is not: RMSprop and Adam
divide by that scale, so a small gradient is not yet a stopped layer, and clipped weights (at most 0.01 in size) make
a critic's gradients small from the beginning. And a count that starts at nearly all entries of a layer cannot grow
much: that is why the sentences above give the number of entries too.
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


def vanishing_gradients() -> None:
    """Draws the page."""
    st.title("Vanishing gradients")
    teaching.step("Idea", "a layer without a gradient does not learn")
    st.markdown(IDEA)
    st.latex(COUNT)
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(QUESTION, ANSWERS, "vanishing")
    teaching.step("Do", "choose runs, or start the pair")
    show_notice()
    ids = _choose()
    _start_pair()
    if ids:
        teaching.step("See", "how many gradients are small")
        st.info(CLAIM)
        active = live.is_active(ids)
        st.fragment(run_every=live.CHARTS if active else live.SLOW)(_see)(ids, active, predicted)
    with st.expander("**Why** · where small gradients come from, and what the count does not say"):
        st.markdown(WHY)
    with st.expander("**Code** · the count, as it is taken in every step; a point of the curves shows the mean"):
        teaching.source(gradients)


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


def _start_pair() -> None:
    with st.container(border=True):
        left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
        data = left.selectbox("Data", list(DATA), format_func=DATA.get, key="pair:data")
        preset = middle.selectbox("Size", list(PRESETS), format_func=lambda name: PRESETS[name][0], key="pair:size")
        if right.button("Start the pair", type="primary", width="stretch", key="pair:start"):
            attempt(_submit_pair, data, preset)
            st.rerun()


def _submit_pair(data: str, preset: str) -> None:
    group = secrets.token_hex(4)
    changes: dict[str, Any] = {"dataset": data} | PRESETS[preset][1]
    ids = []
    for base, name in (("duke-dcgan", "DCGAN"), ("duke-wgan", "WGAN")):
        run = manager().submit(recipe(base).change(changes), f"{name}, {preset} nets, {data}", base, group)
        ids.append(run.id)
        st.session_state["vanishing"] = list(ids)
        st.query_params["runs"] = ",".join(ids)


def _see(ids: list[str], active: bool, predicted: str | None) -> None:
    found, _ = runs(ids)
    if not found:
        return
    names = live.labels(found)
    statuses = [run.status() for run in found]
    for status, name, column in zip(statuses, names, st.columns(len(found)), strict=True):
        said = "" if status.state == "running" else status.message
        column.markdown(f"**{name}**  \n:small[{status.state}, {status.images:,} images. {said}]")
    for network in NETWORKS:
        data = [points(run) for run in found]
        layers = max(len(vanishing.layer_names(one, network)) for one in data)
        most = max(vanishing.largest_layer(one, network) for one in data) + 1
        drawing.legend((colour(index), f"layer {index + 1}") for index in range(layers))
        for run, name, one, column in zip(found, names, data, st.columns(len(found)), strict=True):
            with column:
                form = _form(layers, f"{network.capitalize()}: {name}", most)
                drawing.show(form, vanishing.rows(one, network), f"{network}:{run.id}")
    _read(found, names, predicted)
    if live.is_active(ids) != active:
        st.rerun()


def _read(found: list[Run], names: list[str], predicted: str | None) -> None:
    """What these runs show, measured from their own data, beside the claim."""
    st.markdown("**What these runs show** (mean count over the newest fifth of the points, against the first fifth)")
    grown = {}
    for run, name in zip(found, names, strict=True):
        data = points(run)
        for network in NETWORKS:
            measured = vanishing.growth(data, network)
            st.markdown(f"- {vanishing.sentence(name, network, measured)}")
            if measured and network == "discriminator":
                grown[name] = max(layer.factor for layer in measured)
    if len(grown) > 1:
        most = max(grown, key=grown.get)
        verdict = f"The discriminator's count grew most in **{most}** (× {grown[most]:.2f} in its worst layer)."
        st.success(f"You said *{predicted}*. {verdict}" if predicted else verdict)
    with st.expander("Every layer in numbers"):
        rows = [_row(name, network, layer) for run, name in zip(found, names, strict=True) for network in NETWORKS
                for layer in vanishing.growth(points(run), network)]  # fmt: skip
        st.dataframe(rows, hide_index=True)


def _row(run: str, network: str, layer: vanishing.Growth) -> dict[str, Any]:
    return {
        "run": run, "network": network, "layer": layer.number, "name": layer.name, "entries": layer.total,
        "small at first": round(layer.first), "small lately": round(layer.last), "factor": round(layer.factor, 2),
    }  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=64)
def _form(layers: int, title: str, most: int) -> dict[str, Any]:
    """A figure without data. Made once: Altair's checks take more time than all the rest of a tick."""
    return drawing.plain(vanishing.chart([], layers, title, most))
