"""The spikes in the gradients of one run: where they are, in which layer, and which real samples were seen then."""

from __future__ import annotations

import io
from typing import Any

import streamlit as st
from PIL import Image

from ganplay.charts import failure_curves as figures
from ganplay.charts.style import colour
from ganplay.diagnosis.motion import SPIKE, batch_of, spikes
from ganplay.diagnosis.readings import readings
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.ui import drawing
from ganplay.ui.shared import WIDEST, written

MOST = 2_000  # points that are searched
LISTED = 20
SHOWN, COLUMNS = 64, 16  # real samples of a spike's interval in one picture
DOTS = 500


def section(run: Run, key: str) -> None:
    """Draws the search for spikes below the curves, when the reader opens it."""
    box = st.expander("**Spikes** · each layer's gradient, and who caused its highest", key=f"{key}:spikes:open",
                      on_change="rerun")  # fmt: skip
    if not box.open:
        return
    with box:
        try:
            _look(run, key)
        except ValueError as error:
            st.warning(str(error))


def _look(run: Run, key: str) -> None:
    network = st.segmented_control("Network", figures.NETWORKS, default=figures.NETWORKS[0], required=True,
                                   key=f"{key}:spikes:network")  # fmt: skip
    times = st.slider(
        "A spike is so many times as long as is usual for its layer", 2.0, 50.0, SPIKE, 1.0, key=f"{key}:times"
    )
    found = [one for one in _spikes(run.id, written(run), times) if one["network"] == network]
    rows = _rows(run.id, written(run), network)
    if not rows:
        st.caption("These curves hold no gradients of single layers.")
        return
    layers = list(dict.fromkeys(row["line"] for row in rows))
    drawing.legend((colour(place), name) for place, name in enumerate(layers))
    form = drawing.plain(figures.layers(rows, network, [one["images"][1] for one in found]))
    st.vega_lite_chart(form, width="stretch", key=f"{key}:spikes:{network}")
    if not found:
        st.caption(f"No gradient of the {network} is {times:g} times as long as is usual for its layer.")
        return
    st.dataframe([_row(one) for one in found[:LISTED]], hide_index=True)
    place = st.selectbox("What D saw in the interval of a spike", range(min(LISTED, len(found))), key=f"{key}:spike",
                         format_func=lambda index: _said(found[index]))  # fmt: skip
    _batch(run, found[place])


def _batch(run: Run, spike: dict[str, Any]) -> None:
    first, last = spike["images"]
    drawn, count, shown = _picture(run.id, first, last)
    st.image(drawn, width="content")
    part = f"the first {shown} of {count:,}" if shown < count else f"all {count}"
    st.caption(
        f"Real samples that D saw between {first:,} and {last:,} images, {part}. The curves have one point for that "
        "interval; a finer one (a smaller setting of “Images between points of the curves”) names the batch."
    )


@st.cache_data(show_spinner=False, max_entries=50)
def _spikes(id: str, state: tuple[int, int], times: float) -> list[dict[str, Any]]:
    run = store.find(id)
    found = spikes(readings(run.metrics(limit=MOST), run.recipe()), times)
    return [
        {
            "network": one.network, "layer": one.layer, "images": list(one.images), "norm": one.norm,
            "times": one.times,
        }
        for one in found
    ]  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=50)
def _rows(id: str, state: tuple[int, int], network: str) -> list[dict[str, Any]]:
    return figures.layer_rows(store.find(id).metrics(limit=MOST), network)


@st.cache_data(show_spinner="Looking for the samples …", max_entries=50)
def _picture(id: str, first: int, last: int) -> tuple[bytes, int, int]:
    """The real samples of an interval as JPEG, how many there were, and how many are in the picture."""
    import torch

    from ganplay.data.resident import load
    from ganplay.diagnosis.motion import Spike
    from ganplay.pictures import draw

    recipe = store.find(id).recipe()
    places = batch_of(recipe, Spike("", "", (first, last), 0.0, 0.0))
    most = SHOWN if len(recipe.shapes.sample) == 3 else DOTS
    data = load(recipe.dataset, recipe.shapes.sample)
    drawn = draw(data.batch(torch.tensor(places[:most]))[0], None, COLUMNS)
    factor = max(1, WIDEST // drawn.width)
    large = drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue(), len(places), min(most, len(places))


def _row(spike: dict[str, Any]) -> dict[str, Any]:
    first, last = spike["images"]
    return {
        "layer": spike["layer"], "norm": float(f"{spike['norm']:.3g}"),
        "times the usual": float(f"{spike['times']:.3g}"), "images seen": f"{first:,} to {last:,}",
    }  # fmt: skip


def _said(spike: dict[str, Any]) -> str:
    first, last = spike["images"]
    return f"{spike['layer']}: {spike['times']:,.0f} times the usual, {first:,} to {last:,} images"
