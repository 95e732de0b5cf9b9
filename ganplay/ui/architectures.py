"""The steps of the page "Architectures"."""

from __future__ import annotations

import base64
import inspect
import sys
from html import escape
from typing import Any

import streamlit as st

from ganplay.charts import layers as figures
from ganplay.documents import PrintedTable, tables
from ganplay.probes import attention_maps, feature_maps, layers, spectra
from ganplay.probes.layers import NETWORKS, Layer, layer_tables, wirings
from ganplay.recipes import recipe, recipes
from ganplay.ui import blueprint, drawing, insides, layer_table, teaching
from ganplay.ui.navigation import page

FIRST = "duke-dcgan"
WIDE = 430  # pixels of one of two figures beside each other
IDEA = """
A network is a list of layers. A convolution slides a small kernel over its input; a transposed convolution does the
same backwards and so makes maps grow. Kernel $k$, stride $s$ and padding $p$ decide the side $h'$ of what comes out:
"""
SIDES = (
    r"\small\begin{gathered}\text{convolution:}\quad h' = \lfloor (h + 2p - k) / s \rfloor + 1\\"
    r"\text{transposed:}\quad h' = (h - 1)\,s - 2p + k\end{gathered}"
)
COST = """
Its weights are $k^2$ for every pair of a map that goes in and one that comes out. Each weight is used at every place,
so a layer with few weights on a large map can be more work than one with many weights on a small map.
"""
QUESTION = "Which layer of this recipe's generator does most of the arithmetic?"
ANSWERS = ("the one with the most weights", "the one with the largest maps", "another one")
WHY = r"""
**Depth and width.** Generators halve their maps when they double the side: 4 times as many places with a quarter of the
weights, so that each layer takes about as long as the last one.

**What is counted.** Parameters are all that training changes, normalisations too. Multiply-adds are products with
weights in one sample's forward pass; training takes about three times as many for each network it touches, for the
gradients with respect to weights and inputs are two more such passes.

**Branches** (document 001). A sum of two maps keeps a short way for the signal: the skip generator's first map reaches
the picture through two upsamplings and no activation. If a branch has learnt little, the sum looks like the other one.

**Attention** (arXiv 1805.08318). A convolution sees a neighbourhood; attention lets every place look at all others. Its
gain $\gamma$ starts at 0, so an untrained net computes the weights and ignores them.

**Singular values.** A weight matrix $W$ stretches a signal by at most its largest singular value $\sigma_1$, and a
chain of layers by at most the product. Spectral norm divides $W$ by $\sigma_1$ (document 004, eq. 4 to 7), which keeps
the discriminator's slope in bounds. A convolution uses its matrix at many places at once, so the layer itself may
stretch by more than $\sigma_1$, at most by the kernel's side times as much. Values that spread over many decades mean
that the layer has nearly forgotten some directions.
"""


def architectures() -> None:
    """Draws the page."""
    st.title("Architectures")
    teaching.step("Idea", "a network is a list of layers")
    st.markdown(IDEA)
    st.latex(SIDES)
    st.markdown(COST)
    teaching.step("Predict", "before you look")
    predicted = teaching.predict(QUESTION, ANSWERS, "arithmetic")
    teaching.step("Do", "choose a recipe")
    name = _choose()
    try:
        found = layer_rows(name)
    except ValueError as error:
        st.error(str(error))
        return
    teaching.step("See", "what it is made of")
    _tables(name, found)
    _drawings(name)
    _costs(found, predicted)
    teaching.step("See", "what it computes")
    insides.look_inside(name, found)
    with st.expander("**Why** · what the numbers mean"):
        st.markdown(WHY)
    with st.expander("**Code** · the networks, and how all this was found"):
        made = recipe(name)
        modules = dict.fromkeys(sys.modules[type(part).__module__] for part in (made.generator, made.discriminator))
        teaching.source(*modules, layers, feature_maps, attention_maps, spectra)


@st.cache_data(show_spinner=False, max_entries=64)
def layer_rows(name: str) -> dict[str, tuple[dict[str, Any], ...]]:
    """The layers of both networks as plain data.

    Raises:
        ValueError: the recipe's networks cannot be built.
    """
    return {network: tuple(vars(row) for row in rows) for network, rows in layer_tables(recipe(name)).items()}


@st.cache_data(show_spinner=False, max_entries=64)
def drawings(name: str, theme: str) -> dict[str, tuple[str, str]]:
    """Each network's drawing as SVG, and in words."""
    found = wirings(recipe(name))
    return {
        network: (blueprint.diagram(wiring, network, theme), blueprint.in_words(wiring, network))
        for network, wiring in found.items()
    }


def _choose() -> str:
    """The recipe from the address, or the reader's choice, which goes into the address."""
    asked = st.query_params.get("recipe")
    if asked is None or asked not in recipes:
        shown = st.session_state.get("architecture", FIRST)
        if asked is not None:
            st.warning(f"There is no recipe {asked[:60]!r}; {shown} is shown.")
        asked = shown
    if st.session_state.get("architecture:asked") != asked:  # a link, not the reader's own choice
        st.session_state["architecture:chosen"] = asked
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    name = left.selectbox("Recipe", recipes.names(), format_func=_title, key="architecture:chosen")
    if name != asked:  # the weights in the address are another recipe's
        st.query_params.pop("weights", None)
    st.session_state["architecture"] = st.session_state["architecture:asked"] = name
    st.query_params["recipe"] = name
    if right.button("Train it", icon="🥊", width="stretch"):
        st.switch_page(page("train"), query_params={"recipe": name})
    summary = (inspect.getdoc(recipes[name]) or "").split("\n\n")[0].replace("\n", " ")
    st.caption(summary)
    return name


def _title(name: str) -> str:
    return f"{name} · {recipe(name).title}"


def _tables(name: str, found: dict[str, tuple[dict[str, Any], ...]]) -> None:
    """Both layer tables, each with its printed one."""
    printed = tables(name)
    for tab, network in zip(st.tabs([network.capitalize() for network in NETWORKS]), NETWORKS, strict=True):
        with tab:
            _table([Layer(**row) for row in found[network]], printed.get(network), network)


def _table(rows: list[Layer], printed: PrintedTable | None, network: str) -> None:
    if printed is None:
        st.html(layer_table.table(rows))
        st.caption(f"No document prints a table of this {network}.")
        return
    try:
        count = layer_table.deviations(rows, printed)
        st.html(layer_table.table(rows, printed))
    except ValueError as error:
        st.html(layer_table.table(rows))
        st.caption(str(error))
        return
    where = f"document {printed.document}, {printed.where}"
    said = (
        "Every printed cell is met."
        if not count
        else f"{count} cell{'s' if count > 1 else ''} deviate{'' if count > 1 else 's'}, for the reasons given."
    )
    remarks = " ".join(printed.remarks)
    st.caption(f"In italics what {where}, prints; empty where it prints nothing. {said} {remarks}")


def _drawings(name: str) -> None:
    """Both networks as drawings: side by side, on a phone one below the other."""
    found = drawings(name, st.context.theme.type or "light")
    row = st.container(horizontal=True, gap="large")
    for network in NETWORKS:
        column, (svg, words) = row.container(width=WIDE), found[network]
        column.markdown(f"**{network.capitalize()}**")
        encoded = base64.b64encode(svg.encode()).decode()
        column.html(f"<img src='data:image/svg+xml;base64,{encoded}' alt='{escape(words)}' style='width:100%'>")
    st.caption(
        "A block is as tall as its maps and as deep as there are maps, both on a log scale. ⊕ adds two branches."
    )


def _costs(found: dict[str, tuple[dict[str, Any], ...]], predicted: str | None) -> None:
    """Parameters and multiply-adds of each layer as bars, and what they say about the prediction."""
    for network in NETWORKS:
        labels = [label(index, row) for index, row in enumerate(found[network])]
        row = st.container(horizontal=True, gap="large")
        for key, title in (("parameters", "parameters"), ("multiply_adds", "multiply-adds")):
            rows = figures.cost_rows(labels, [one[key] for one in found[network]])
            with row.container(width=WIDE):
                chart = figures.bars(rows, f"{network.capitalize()}: {title}", network)
                st.vega_lite_chart(drawing.plain(chart), width="stretch", key=f"bars:{network}:{key}")
    right, sentence = verdict([Layer(**row) for row in found["generator"]])
    st.success(f"You said *{predicted}*. It is {right}: {sentence}" if predicted else f"It is {right}: {sentence}")


def label(index: int, row: dict[str, Any]) -> str:
    """A layer in a figure: its number in the table and what it is."""
    return f"{index + 1} {blueprint.title(Layer(**row), short=True).split(' /')[0]}"


def verdict(rows: list[Layer]) -> tuple[str, str]:
    """Which of `ANSWERS` is right for a generator, and the numbers behind it."""
    work, weights = [row.multiply_adds for row in rows], [row.parameters for row in rows]
    most = max(work)
    busiest = [index for index, count in enumerate(work) if count > 0.98 * most]
    heaviest = weights.index(max(weights))
    largest = max(row.output[-1] if len(row.output) == 3 else 1 for row in rows)
    if heaviest in busiest:
        right = ANSWERS[0]
    elif any(rows[index].output[-1] == largest for index in busiest):
        right = ANSWERS[1]
    else:
        right = ANSWERS[2]
    which = " and ".join(filter(None, (", ".join(str(index + 1) for index in busiest[:-1]), str(busiest[-1] + 1))))
    each = " each" if len(busiest) > 1 else ""
    return right, (
        f"layer{'s' if len(busiest) > 1 else ''} {which} take{'' if len(busiest) > 1 else 's'} "
        f"{most / sum(work):.0%} of the multiply-adds{each}, layer {heaviest + 1} holds "
        f"{weights[heaviest] / sum(weights):.0%} of the parameters."
    )
