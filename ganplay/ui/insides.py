"""What a network computes for one sample: its feature maps, where its attention looks, how its weights stretch."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from ganplay.charts import attention as clicking
from ganplay.charts import layers as figures
from ganplay.probes.layers import NETWORKS
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.ui import blueprint, drawing, maps, weights
from ganplay.ui.navigation import page
from ganplay.ui.weights import UNTRAINED, Choice

CHANNELS = (8, 16, 32, 64)  # feature maps in one picture
LARGEST_SEED = 9_999
WIDE = clicking.SIZE + 5  # pixels of each of the two pictures of attention
WITH_ATTENTION = "iisc-sagan"


def look_inside(name: str, found: dict[str, tuple[dict[str, Any], ...]]) -> None:
    """The parts of the page that need weights and a sample."""
    try:
        chosen = _weights(name)
        made = weights.recipe_of(chosen)
        _changed(made, name)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            network = (
                st.segmented_control("Network", NETWORKS, default=NETWORKS[0], key="inside:network") or NETWORKS[0]
            )
            seed = st.number_input("Seed of the sample", 0, LARGEST_SEED, 0, key="inside:seed", width=160)
            label = _label(made)
        if network == "discriminator" and not weights.has_trained(chosen, network) and chosen.key != UNTRAINED:
            st.caption("This checkpoint holds the generator alone: the discriminator is shown before training.")
        st.markdown("##### Feature maps")
        _feature_maps(chosen, network, int(seed), label)
        st.markdown("##### Attention")
        _attention(chosen, network, int(seed), label)
        st.markdown("##### Singular values")
        _spectra(chosen, network)
    except ValueError as error:
        st.error(str(error))


def _weights(name: str) -> Choice:
    """The weights in the address, or the reader's choice; trained ones first."""
    known = weights.candidates(name)
    asked = st.query_params.get("weights")
    if asked is not None and asked not in known:
        st.warning(f"There are no weights {asked[:60]!r} for {name}; others are shown.")
        asked = None
    if st.session_state.get("inside:asked") != (name, asked):
        st.session_state["inside:asked"] = (name, asked)
        st.session_state["inside:weights"] = asked or next(iter(known))
    if st.session_state.get("inside:weights") not in known:
        st.session_state["inside:weights"] = next(iter(known))
    key = st.selectbox("Weights", list(known), format_func=known.get, key="inside:weights")
    if asked is not None and key != asked:
        del st.query_params["weights"]
        st.session_state["inside:asked"] = (name, None)
    if len(known) == 1:
        st.caption(
            f"Nothing trained of {name} is here yet: train it (the button above, or `python -m ganplay train --recipe "
            f"{name}`) and its weights appear in this list. Before training every part below works too."
        )
    return weights.choice(name, key)


def _changed(made: Recipe, name: str) -> None:
    parts = ("generator", "discriminator", "image_size", "channels", "latent", "dataset")
    changed = {path: value for path, value in made.difference(recipe(name)).items() if path.split(".")[0] in parts}
    if changed:
        what = ", ".join(f"{path} = {_text(value)}" for path, value in changed.items())
        st.caption(f"These weights belong to the recipe with {what}; layers are numbered as in their own networks.")


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _label(made: Recipe) -> int:
    """The class of the sample, for a conditional recipe."""
    if not made.shapes.classes:
        return 0
    names = made.dataset.class_names
    return st.selectbox(
        "Class", range(len(names)), format_func=lambda index: names[index], key=f"inside:class:{len(names)}", width=200
    )


@st.fragment
def _feature_maps(chosen: Choice, network: str, seed: int, label: int) -> None:
    found = weights.maps(chosen, network, seed, label)
    picture = weights.sample(chosen, seed, label)
    if not found:
        left, right = st.columns([1, 2])
        left.image(enlarged(picture), caption=f"the sample of seed {seed}", width=220)
        right.caption("This network works on plain vectors: it has no feature maps.")
        return
    order = sorted(range(len(found)), key=lambda place: not found[place]["parts"])  # sums first: there branches meet
    first = 0 if found[order[0]]["parts"] else len(order) // 2
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.selectbox(
            "Which maps", order, first, format_func=lambda place: describe(found[place], found),
            key=f"inside:place:{chosen.name}:{network}:{len(found)}",
        )  # fmt: skip
        count = st.selectbox("Maps shown", CHANNELS, 1, key="inside:count", width=120)
    shown = [found[part] for part in found[place]["parts"]] + [found[place]]
    channels = maps.strongest([one["values"] for one in shown], count)
    full = maps.reach([one["values"] for one in shown])
    columns = st.columns([2, *[3] * len(shown)] if len(shown) > 1 else [1, 3])
    columns[0].image(
        enlarged(picture), caption="generated" if network == "generator" else "what it looks at", width="stretch"
    )
    across = 4 if len(shown) > 1 else 8
    for index, (one, column) in enumerate(zip(shown, columns[1:], strict=True)):
        sign = "" if len(shown) == 1 else ("", "+ ", "= ")[min(index, 1) if index < len(shown) - 1 else 2]
        column.image(
            maps.grid(one["values"][channels], full, across), caption=f"{sign}{named(one)}", width="stretch",
        )  # fmt: skip
    share = [f"{one['name']} {np.abs(one['values']).mean():.3g}" for one in shown]
    st.caption(
        f"The {len(channels)} strongest of {len(found[place]['values'])} maps, on one scale: orange above 0, blue "
        f"below, dark at 0. Mean size: {', '.join(share)}."
    )


def describe(one: dict[str, Any], found: tuple[dict[str, Any], ...]) -> str:
    """One place of a network in a list."""
    size = blueprint.shape(one["values"].shape)
    parts = " + ".join(found[part]["name"] for part in one["parts"])
    return f"{one['name']} = {parts} · {size}" if parts else f"{named(one)} · {size}"


def named(one: dict[str, Any]) -> str:
    """A place with the name of its module, as it stands in the code."""
    module = one["module"].removesuffix(".convolution")
    return f"{one['name']} ({module})" if module else one["name"]


def enlarged(picture: np.ndarray, least: int = 220) -> bytes:
    """A picture (H, W, 3) as PNG with every pixel an equal square."""
    factor = max(1, -(-least // picture.shape[0]))
    return maps.png(np.kron(picture, np.ones((factor, factor, 1), np.uint8)))


@st.fragment
def _attention(chosen: Choice, network: str, seed: int, label: int) -> None:
    found = weights.attention(chosen, network, seed, label)
    if found is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"This {network} has no attention.")
            if chosen.name != WITH_ATTENTION and st.button(f"Show {WITH_ATTENTION}, which has", key="inside:sagan"):
                st.switch_page(page("architectures"), query_params={"recipe": WITH_ATTENTION})
        return
    side, picture = found["side"], weights.sample(chosen, seed, label)
    st.caption(
        f"Click on the picture, or move the sliders: where does this place look? The map has {side} × {side} places."
    )
    _taken_click(side)
    for axis in ("x", "y"):
        st.session_state.setdefault(f"inside:{axis}", side // 2)
        st.session_state[f"inside:{axis}"] = min(st.session_state[f"inside:{axis}"], side - 1)
    row = st.container(horizontal=True, gap="large")  # on a phone one below the other
    left, right = row.container(width=WIDE), row.container(width=WIDE)
    with right:
        x = st.slider("Column x", 0, side - 1, key="inside:x")
        y = st.slider("Row y", 0, side - 1, key="inside:y")
        seen = found["weights"][y * side + x].astype(float).reshape(side // 2, side // 2)
        st.image(
            maps.heat(picture, seen, (x, y), side), width="stretch", caption=f"bright: where the place ({x}, {y}) looks"
        )
    with left:
        small = picture if len(picture) <= clicking.LARGEST else _smaller(picture)
        rows = clicking.pixel_rows(small.tolist(), side, x, y)
        st.vega_lite_chart(
            clicking.picture(rows).to_dict(), key="inside:click", on_select="rerun", width="content",
            selection_mode=clicking.SELECTION,
        )  # fmt: skip
    top = int(seen.argmax())
    column, row = 2 * (top % (side // 2)), 2 * (top // (side // 2))
    used = ": the net does not use what it finds yet." if found["gain"] == 0 else "."
    st.caption(
        f"Most weight, {seen.max():.1%}, is at column {column}, row {row} (2 × 2 places are one here); looking "
        f"everywhere alike would give {1 / seen.size:.1%}. The gain γ is {found['gain']:.3g}{used}"
    )


def _taken_click(side: int) -> None:
    """Moves the sliders to the place that was clicked, once for each click."""
    event = st.session_state.get("inside:click")
    picked = (event or {}).get("selection", {}).get(clicking.SELECTION) or []
    place = (picked[0].get("x"), picked[0].get("y")) if picked else None
    if place and place != st.session_state.get("inside:clicked") and all(isinstance(one, int) for one in place):
        st.session_state["inside:x"], st.session_state["inside:y"] = (min(max(0, one), side - 1) for one in place)
    st.session_state["inside:clicked"] = place


def _smaller(picture: np.ndarray) -> np.ndarray:
    size = (clicking.LARGEST, clicking.LARGEST)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _spectra(chosen: Choice, network: str) -> None:
    found = weights.spectra(chosen, network)
    numbers = weights.layer_numbers(chosen, network)
    found = sorted(found, key=lambda one: _number(one["name"], numbers))
    labels = [f"{_number(one['name'], numbers)} {one['name'].removesuffix('.convolution')}" for one in found]
    rows = figures.spectrum_rows(labels, found)
    if not rows:
        st.caption("There is no weight matrix to decompose.")
        return
    chart = figures.spectrum(rows, labels, f"{network.capitalize()}: every stroke is one singular value", network)
    st.vega_lite_chart(drawing.plain(chart), width="stretch", key=f"spectrum:{network}")
    if any(one["normalised"] for one in found):
        st.caption(
            "● the largest value of the weight that works, ○ the one of the weight before spectral norm divides it."
        )
    else:
        st.caption("● the largest value. There is no spectral norm in this network.")
    with st.expander("Every layer in numbers"):
        st.dataframe([_spectrum_row(_number(one["name"], numbers), one) for one in found], hide_index=True)


def _number(name: str, numbers: dict[str, int]) -> int:
    """The number of a layer in the layer table; that of the block for one inside a block, such as attention."""
    while name not in numbers and "." in name:
        name = name.rpartition(".")[0]
    return numbers.get(name, 0)


def _spectrum_row(number: int, one: dict[str, Any]) -> dict[str, Any]:
    values = one["values"]
    return {
        "layer": number, "name": one["name"], "rows": one["shape"][0], "columns": one["shape"][1],
        "largest before": round(one["raw"], 4) if values else None, "largest": round(values[0], 4) if values else None,
        "smallest": float(f"{values[-1]:.3g}") if values else None,
        "spectral norm": "yes" if one["normalised"] else "no",
    }  # fmt: skip
