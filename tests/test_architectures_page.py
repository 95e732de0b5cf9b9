"""The page "Architectures" under Streamlit's own test driver, and the figures it draws."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest
from tiny_runs import train_tiny

from ganplay.charts import attention as clicking
from ganplay.charts import layers as figures
from ganplay.documents import PrintedTable, Row, tables
from ganplay.paths import bundled_checkpoints
from ganplay.probes.layers import Layer, layer_tables, wirings
from ganplay.recipes import recipe, recipes
from ganplay.ui import architectures, blueprint, forms, insides, layer_table, maps, weights
from ganplay.ui.navigation import FOLDER
from ganplay.ui.weights import UNTRAINED

ROUTER = str(Path(forms.__file__).with_name("router.py"))
SMALL = ("quick-digits", "cs229-fcgan", "toy-ring")  # recipes whose whole page is quick


@pytest.fixture(autouse=True)
def empty_caches():
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(ROUTER, default_timeout=120).run()
    app.switch_page(str(FOLDER / "architectures.py"))
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def select(app: AppTest, label: str):
    return next(found for found in app.selectbox if found.label == label)


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


@pytest.mark.parametrize("name", SMALL)
def test_the_page_works_before_any_training(name: str) -> None:
    app = opened(recipe=name)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert select(app, "Recipe").value == name
    bundled = (bundled_checkpoints() / name).is_dir()
    assert select(app, "Weights").value == (f"checkpoint:{name}" if bundled else UNTRAINED)
    assert bundled or f"train --recipe {name}" in captions(app)


@pytest.mark.parametrize("text", ["nonsense", "../../etc/passwd", "", "x" * 3_000])
def test_an_unknown_recipe_in_the_address_is_told_in_one_sentence(text: str) -> None:
    app = opened(recipe=text)
    assert not app.exception
    assert len(app.warning) == 1
    assert len(app.warning[0].value) < 200
    assert select(app, "Recipe").value == architectures.FIRST


@pytest.mark.parametrize(
    "text", ["run:20261121-231500-quick-digits-3f2a", "checkpoint:../..", "untrained;x", "x" * 3_000]
)
def test_unknown_weights_in_the_address_are_told_and_others_are_shown(text: str) -> None:
    app = opened(recipe="toy-ring", weights=text)
    assert not app.exception
    assert len(app.warning) == 1
    assert select(app, "Weights").value == UNTRAINED


def test_the_reader_s_recipe_goes_into_the_address_and_back() -> None:
    app = opened(recipe="toy-ring")
    select(app, "Recipe").select("cs229-fcgan")
    app.run()
    assert app.query_params["recipe"] in ("cs229-fcgan", ["cs229-fcgan"])
    assert "Section 3.2" in captions(app)
    assert not app.exception


def test_a_run_s_own_weights_are_offered_first_and_its_discriminator_too(home) -> None:
    run = train_tiny(home, "quick-digits", **{"generator.widths": "16,8", "discriminator.widths": "8,16"})
    app = opened(recipe="quick-digits", weights=f"run:{run.id}")
    assert not app.exception
    assert not app.warning
    assert select(app, "Weights").value == f"run:{run.id}"
    assert "generator.widths = 16,8" in captions(app)
    app.session_state["inside:network"] = "discriminator"
    app.run()
    assert not app.exception
    assert "holds the generator alone" not in captions(app)
    names = [one["name"] for one in weights.spectra(weights.choice("quick-digits", f"run:{run.id}"), "discriminator")]
    assert names == ["stages.0.convolution", "stages.1.convolution", "head"]


@pytest.mark.parametrize(("name", "alone"), [("quick-digits", False), ("kth-simple", True)])
def test_a_checkpoint_without_its_discriminator_shows_an_untrained_one_and_says_so(name: str, alone: bool) -> None:
    app = opened(recipe=name)
    assert select(app, "Weights").value == f"checkpoint:{name}"
    app.session_state["inside:network"] = "discriminator"
    app.run()
    assert ("holds the generator alone" in captions(app)) == alone


def test_looking_inside_leaves_the_generator_that_others_sample_alone() -> None:
    from ganplay.sources import open_source

    chosen = weights.choice("quick-digits", "checkpoint:quick-digits")
    weights.maps(chosen, "generator", 0, 0)
    module = open_source(chosen.key).module
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_conditional_recipe_asks_for_the_class_and_a_click_moves_the_sliders(monkeypatch) -> None:
    small = recipe("quick-digits").change({
        "generator.attention": 8, "discriminator.attention": 8, "generator.conditioning": "concat",
        "discriminator.conditioning": "projection", "generator.widths": "16,8,8",
    })  # fmt: skip
    monkeypatch.setitem(recipes._parts, "toy-ring", lambda: small)
    recipes._parts["toy-ring"].__doc__ = "A small conditional GAN with attention."
    app = opened(recipe="toy-ring")
    assert not app.exception
    assert select(app, "Class").value == 0
    assert [slider.label for slider in app.slider] == ["Column x", "Row y"]
    app.slider[0].set_value(1)
    app.run()
    assert not app.exception
    assert app.slider[0].value == 1
    assert "gain γ is 0" in captions(app)


def test_a_click_counts_once_and_outside_values_are_cut_off(monkeypatch) -> None:
    state = {"inside:click": {"selection": {clicking.SELECTION: [{"x": 3, "y": 99}]}}}
    monkeypatch.setattr(st, "session_state", state)
    insides._taken_click(8)
    assert (state["inside:x"], state["inside:y"]) == (3, 7)
    state["inside:x"] = 5  # the reader moves the slider afterwards
    insides._taken_click(8)
    assert state["inside:x"] == 5


@pytest.mark.parametrize("name", recipes.names())
def test_every_table_and_drawing_can_be_made(name: str) -> None:
    found = wirings(recipe(name))
    for network, wiring in found.items():
        html = layer_table.table(wiring.rows, tables(name).get(network))
        assert html.count("<tr class=built>") == len(wiring.rows)
        drawn = ElementTree.fromstring(blueprint.diagram(wiring, network, "dark"))
        boxes = [part for part in drawn.iter() if part.tag.endswith("rect") and part.get("rx") == "9"]
        assert len(boxes) == len(wiring.rows)
        circles = [part for part in drawn.iter() if part.tag.endswith("circle")]
        assert len(circles) == len(wiring.trace.sums)
        titles = [part for part in drawn.iter() if part.tag.endswith("text") and part.get("class") == "a"]
        for box, text in zip(boxes, titles, strict=True):
            left, width = float(box.get("x")), float(box.get("width"))
            assert left >= 0
            assert left + width <= blueprint.WIDTH
            assert left < float(text.get("x"))
            assert float(text.get("x")) + 6.7 * len(text.text) <= left + width  # in a wide font, DejaVu Sans Bold
        assert len(blueprint.in_words(wiring, network).split(";")) == len(wiring.rows)


def test_no_two_boxes_of_a_drawing_overlap() -> None:
    for name in ("cs229-parallel", "modern-sngan-projection", "munich-hyper"):
        for network, wiring in wirings(recipe(name)).items():
            drawn = ElementTree.fromstring(blueprint.diagram(wiring, network, "light"))
            corners = []
            for part in drawn.iter():
                if part.tag.endswith("rect") and part.get("rx") == "9":
                    x, y, w, h = (float(part.get(key)) for key in ("x", "y", "width", "height"))
                    assert all(x >= b or a >= x + w or y >= d or c >= y + h for a, c, b, d in corners)
                    corners.append((x, y, x + w, y + h))


def test_skip_and_parallel_drawings_have_their_arrows() -> None:
    for name, words in (("cs229-skip", 2), ("cs229-parallel", 0)):
        drawn = blueprint.diagram(wirings(recipe(name))["generator"], "generator", "light")
        assert drawn.count("<circle") == 2
        assert drawn.count(">upsampling<") == words


def row(**changes) -> Layer:
    values = {
        "name": "a", "operation": "convolution", "kernel": 4, "stride": 2, "padding": 1, "maps": 8, "norm": "none",
        "activation": "none", "dropout": 0.0, "output": (8, 4, 4), "parameters": 10, "multiply_adds": 20,
    }  # fmt: skip
    return Layer(**(values | changes))


def test_a_cell_that_differs_is_marked_in_both_lines_with_its_reason() -> None:
    printed = PrintedTable("000", "table 9", "x", "generator", (
        Row("convolution", 5, 2, None, 8, note="Five <would> not fit.", ours={"kernel": 4}),
    ))  # fmt: skip
    html = layer_table.table([row()], printed)
    assert re.findall(r'<td class="n differs">([^<]*)</td>', html) == ["4 × 4", "5 × 5"]
    assert "Five &lt;would&gt; not fit." in html
    assert layer_table.deviations([row()], printed) == 1
    assert 'differs"' not in layer_table.table([row()])


def test_a_printed_table_of_another_length_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="2 layers"):
        layer_table.table([row(), row()], PrintedTable("000", "table 9", "x", "generator", (Row(),)))


def test_the_verdict_follows_the_numbers() -> None:
    heavy, large, other = row(parameters=100, output=(8, 2, 2)), row(output=(8, 16, 16)), row(output=(8, 8, 8))
    for busy, right in ((0, 0), (1, 1), (2, 2)):
        rows = [heavy, large, other]
        rows[busy] = Layer(**(vars(rows[busy]) | {"multiply_adds": 900}))
        said, sentence = architectures.verdict(rows)
        assert said == architectures.ANSWERS[right]
        assert f"layer {busy + 1} takes 96%" in sentence
    both = [row(parameters=100, output=(8, 2, 2)), row()]
    assert "layers 1 and 2 take 50% of the multiply-adds each" in architectures.verdict(both)[1]


def test_bars_say_each_layer_s_share() -> None:
    rows = figures.cost_rows(["1 a", "2 b"], [3_000_000, 1_000_000])
    assert [(one["share"], one["text"]) for one in rows] == [(0.75, "3 M"), (0.25, "1 M")]
    assert [figures.short(count) for count in (7, 4_352, 273_219_584, 2 * 10**9)] == ["7", "4.35 k", "273 M", "2 G"]
    spec = figures.bars(rows, "parameters", "generator").to_dict()
    assert spec["height"] > 2 * figures.BAR
    assert {layer["mark"]["type"] for layer in spec["layer"]} == {"bar", "text"}


def test_the_spectrum_marks_the_largest_value_before_and_after_the_norm() -> None:
    spectrum = {"values": tuple(1 - index / 1_000 for index in range(1_000)), "raw": 4.0, "normalised": True}
    rows = figures.spectrum_rows(["1 a"], [spectrum])
    marked = {one["what"]: one["value"] for one in rows if one["what"] != "singular value"}
    assert marked == {"largest": 1.0, "largest before spectral norm": 4.0}
    assert len(rows) <= figures.MOST_VALUES * 1.2
    empty = figures.spectrum_rows(["1 a"], [{"values": (0.0, 0.0), "raw": 0.0, "normalised": False}])
    assert empty == []  # a logarithm has no place for 0


def test_pixels_know_their_place_on_the_map() -> None:
    pixels = [[[row, column, 7] for column in range(4)] for row in range(4)]
    rows = clicking.pixel_rows(pixels, 2, 1, 0)
    assert [(one["x"], one["y"]) for one in rows[:4]] == [(0, 0), (0, 0), (1, 0), (1, 0)]
    assert [one["colour"] for one in rows[:3]] == ["#000007", "#000107", clicking.MARK]
    assert sum(one["colour"] == clicking.MARK for one in rows) == 4
    params = clicking.picture(rows).to_dict()["params"]
    assert params[0]["name"] == clicking.SELECTION
    assert params[0]["select"]["fields"] == ["x", "y"]


def test_maps_are_orange_above_zero_blue_below_and_dark_at_zero() -> None:
    below, zero, above = maps.coloured(np.array([-1.0, 0.0, 5.0])).tolist()
    assert (tuple(below), tuple(zero), tuple(above)) == (maps.BELOW, maps.INK, maps.ABOVE)
    drawn = maps.grid(np.zeros((5, 7, 7), np.float32), 1.0, 4)
    assert drawn[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="at least 1"):
        maps.grid(np.zeros((0, 7, 7), np.float32), 1.0, 4)


def test_the_strongest_maps_are_chosen_over_all_branches() -> None:
    one, other = np.zeros((4, 2, 2)), np.zeros((4, 2, 2))
    one[3], other[1], other[0] = 2, 5, 1
    assert maps.strongest([one, other], 2) == [1, 3]
    assert maps.reach([one * 0]) > 0


def test_the_heat_is_bright_where_attention_looks() -> None:
    import io

    picture, seen = np.full((8, 8, 3), 200, np.uint8), np.array([[0.0, 0.0], [0.0, 1.0]])
    drawn = np.asarray(Image.open(io.BytesIO(maps.heat(picture, seen, (0, 0), 4))))
    side = drawn.shape[0]
    assert drawn[int(side * 0.8), int(side * 0.8)].mean() > 2 * drawn[int(side * 0.3), int(side * 0.7)].mean()
    assert tuple(drawn[1, 1]) == (255, 45, 149)


def test_layer_rows_are_plain_data() -> None:
    rows = architectures.layer_rows("duke-dcgan")["generator"]
    assert [Layer(**one) for one in rows] == list(layer_tables(recipe("duke-dcgan"))["generator"])
