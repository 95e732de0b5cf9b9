"""The page "Vanishing gradients": its figures, what comes with the program, its sections under the test driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ganplay.charts import vanishing, vanishing_lines
from ganplay.paths import home
from ganplay.probes.gradients import THRESHOLD
from ganplay.runs import store
from ganplay.scenarios import results
from ganplay.scenarios.logits import generator_curves
from ganplay.stories import vanishing_activation, vanishing_clip
from ganplay.ui import forms, vanishing_layers, vanishing_seeds
from ganplay.ui.navigation import FOLDER
from ganplay.ui.vanishing import SECTIONS

ROUTER = str(Path(forms.__file__).with_name("router.py"))


def opened(section: str, answer: int | None = 0) -> AppTest:
    """The page at one of its sections, after the reader's prediction."""
    app = AppTest.from_file(ROUTER, default_timeout=60).run()
    app.switch_page(str(FOLDER / "vanishing_gradients.py"))
    app.query_params["section"] = section
    app.run()
    if answer is not None:
        app.radio[0].set_value(app.radio[0].options[answer])
        app.run()
    return app


def said(app: AppTest) -> str:
    return "\n".join(box.value for box in [*app.error, *app.warning, *app.info, *app.success])


def norms(values: list[float | None]) -> list[dict]:
    """Points of a discriminator with two layers: one whose norm goes as given, one that keeps 0.5."""
    return [
        {"images": 100 * (place + 1), "gradients": {"discriminator": {"a": [1, 9, value], "b": [1, 9, 0.5]}}}
        for place, value in enumerate(values)
    ]


# Figures


def test_a_heat_map_has_a_cell_for_each_layer_and_stretch_of_time() -> None:
    rows = vanishing.heat_rows(norms([1.0, 4.0]), "discriminator")
    assert [(row["from"], row["images"], row["layer"], row["value"]) for row in rows] == [
        (0, 100, 1, 1.0), (0, 100, 2, 0.5), (100, 200, 1, 4.0), (100, 200, 2, 0.5),
    ]  # fmt: skip
    assert len(vanishing.heat_rows(norms([1.0] * 500), "discriminator")) == 2 * vanishing.CELLS


def test_norms_that_no_logarithm_has_are_left_out() -> None:
    rows = vanishing.heat_rows(norms([0.0, None, float("inf"), 2.0]), "discriminator")
    assert [row["value"] for row in rows if row["layer"] == 1] == [2.0]


def test_the_colours_of_heat_maps_span_whole_decades() -> None:
    assert vanishing.decades([{"value": 0.03}, {"value": 20.0}]) == (0.01, 100.0)
    assert vanishing.decades([{"value": 1.0}]) == (1.0, 10.0)
    low, high = vanishing.decades([])
    assert low < high


def test_growth_is_measured_among_the_points_that_have_statistics() -> None:
    """A bundled training keeps them for every second point only."""
    counts = [10] * 5 + [50] * 15 + [40] * 5
    points = []
    for place, count in enumerate(counts):
        points.append({"images": 2 * place, "gradients": {"discriminator": {"a": [count, 100, 1.0]}}})
        points.append({"images": 2 * place + 1})
    (layer,) = vanishing.growth(points, "discriminator")
    assert (layer.first, layer.last) == (10, 40)


def test_losses_with_the_same_gradient_share_a_line() -> None:
    names = [name for name, _ in vanishing_lines.joined(generator_curves())]
    assert "hinge = wasserstein" in names
    assert "minimax" in names


def test_what_is_below_a_log_scale_is_drawn_at_its_edge_and_what_is_no_number_is_not_drawn() -> None:
    rows = vanishing_lines.rows({"a": ([1, 2, 3], [0.0, None, 5.0])}, 1e-3)
    assert [(row["x"], row["value"]) for row in rows] == [(1, 1e-3), (3, 5.0)]


def test_a_mean_over_decades_is_geometric() -> None:
    assert vanishing_lines.geometric([[1e-8, 2.0], [1e-4, 8.0]]) == pytest.approx([1e-6, 4.0])


# Several seeds


def grown(kind: str, factors: list[float]) -> list[vanishing_seeds.Grown]:
    return [vanishing_seeds.Grown(kind, seed, factor, factor) for seed, factor in enumerate(factors)]


def test_the_table_of_seeds_gives_mean_and_spread() -> None:
    (row,) = vanishing_seeds.table(grown("DCGAN", [1.0, 2.0, 3.0]))
    assert (row["mean factor"], row["spread"], row["seed 2"]) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("critic", "verdict"), [([1.0, 1.1, 0.9], "more than twice"), ([1.0, 6.0, 3.0], "no verdict"), ([1.0], "needed")]
)
def test_a_difference_counts_when_it_exceeds_the_spread(critic: list[float], verdict: str) -> None:
    assert verdict in vanishing_seeds.sentence(grown("DCGAN", [4.0, 4.2, 4.1]) + grown("WGAN", critic))


def test_two_flat_counts_are_not_told_apart() -> None:
    said = vanishing_seeds.sentence(grown("DCGAN", [0.97, 0.99, 0.97]) + grown("WGAN", [1.0, 1.0, 1.0]))
    assert "Neither grows" in said
    assert "twice the spread" not in said


def test_counts_that_are_full_from_the_beginning_are_told() -> None:
    critic = [one._replace(full=0.99) for one in grown("WGAN", [1.0, 1.0])]
    assert "99% of the entries of each layer of the WGAN" in vanishing_seeds.sentence(
        grown("DCGAN", [3.0, 3.1]) + critic
    )
    flat = [{"images": i, "gradients": {"discriminator": {"a": [99, 100, 1.0]}}} for i in range(20)]
    assert "no room to grow" in vanishing.sentence("x", "discriminator", vanishing.growth(flat, "discriminator"))


@pytest.mark.parametrize(
    ("part", "words"),
    [(1.0, "all entries"), (0.998, "at least 99% of the entries"), (0.5, "at least 50% of the entries")],
)
def test_a_share_is_never_rounded_up(part: float, words: str) -> None:
    assert vanishing.share(part) == words


@pytest.mark.usefixtures("no_workers")
def test_the_button_starts_the_pair_with_every_seed_as_one_group() -> None:
    app = opened("Layer by layer")
    next(button for button in app.button if button.key == "seeds:start").click()
    app.run()
    assert not app.exception
    runs = store.list_runs()
    assert {(run.info["base"], run.recipe().seed) for run in runs} == {
        (base, seed) for base in vanishing_layers.PAIR for seed in vanishing_seeds.SEEDS
    }
    assert len({run.info["group"] for run in runs}) == 1
    assert {run.recipe().dataset.kind for run in runs} == {"digits"}
    app.selectbox(key="pair:data").select("cifar10").run()
    assert not app.exception
    assert any("CIFAR-10" in markdown.value for markdown in app.markdown if "anecdote" in markdown.value)
    assert not any("runs train or wait" in caption.value for caption in app.caption)  # those are of the digits


# What comes with the program


def test_bundled_trainings_with_statistics_are_offered_the_documents_pair_first() -> None:
    names = vanishing_layers.measured_checkpoints()
    assert "quick-digits" in names
    assert "mnist-classifier" not in names
    pair = [name for name in names if name in vanishing_layers.PAIR]
    assert names[: len(pair)] == pair
    assert all(vanishing.growth(vanishing_layers.bundled_points(name), "discriminator") for name in names)


def test_the_deep_critics_that_come_with_the_program_bear_their_stories_out() -> None:
    taken = results.measured("depth")
    assert len(taken.seeds) >= 10
    control, activation = taken.results["control"], taken.results["activation"]
    held = [
        control["clip 0.1"][seed][0] > vanishing_clip.EXPLODED
        and max(control[label][seed][0] for label in vanishing_clip.SMALL) < vanishing_clip.VANISHED
        and 1 / vanishing_clip.KEPT < control["gradient penalty"][seed][0] < vanishing_clip.KEPT
        and activation["sigmoid"][seed][0] < vanishing_activation.VANISHED
        and min(activation["ReLU"][seed][0], activation["LeakyReLU"][seed][0]) > vanishing_activation.KEPT
        for seed in range(len(taken.seeds))
    ]
    assert sum(held) >= 0.9 * len(held)


def test_the_frozen_generators_are_bundled_and_measured_for_both_losses() -> None:
    taken = results.measured("frozen")
    assert [one["images"] for one in taken.results] == [1_500, 15_000, 37_500]
    for one in taken.results:
        assert one["iterations"][-1] == 4_000
        assert len(one["norms"]["minimax"]) == len(one["norms"]["non-saturating"]) == len(one["iterations"])


def test_an_unknown_experiment_and_a_damaged_file_are_told() -> None:
    with pytest.raises(ValueError, match="frozen, line, depth"):
        results.measured("nonsense")
    home().mkdir(parents=True)
    (home() / "broken.json").write_text("{}")
    with pytest.raises(ValueError, match="no result"):
        results.read(home() / "broken.json")


# Sections


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_asks_before_it_shows(section: str) -> None:
    app = opened(section, answer=None)
    assert not app.exception
    assert "first" in said(app) or "Choose" in said(app) or section == "Layer by layer"
    assert "You said" not in said(app)
    app.radio[0].set_value(app.radio[0].options[0])
    app.run()
    assert not app.exception
    assert not app.error


@pytest.mark.usefixtures("no_workers")
def test_dragging_the_gaussians_apart_compares_with_the_prediction() -> None:
    app = opened("Two Gaussians", 3)
    app.select_slider(key="line:distance").set_value(8.0)
    app.run()
    assert "You said *it shrinks to almost nothing*" in said(app)
    app.select_slider(key="line:distance").set_value(0.0)
    app.run()
    assert not app.exception


@pytest.mark.usefixtures("no_workers")
def test_deep_critics_are_started_as_one_group_with_the_readers_seed() -> None:
    app = opened("Depth and activation", 2)
    assert "which is what happened" in said(app)
    app.number_input(key="vanishing-clip:seed").set_value(7)
    next(button for button in app.button if button.key == "vanishing-clip:start").click()
    app.run()
    assert not app.exception
    runs = store.list_runs()
    assert sorted(run.label for run in runs) == [
        "12 layers, clip 0.001", "12 layers, clip 0.01", "12 layers, clip 0.1", "12 layers, gradient penalty",
    ]  # fmt: skip
    assert {run.recipe().seed for run in runs} == {7}
    assert len({run.info["group"] for run in runs}) == 1


def test_a_bundled_training_is_drawn_beside_the_claim(monkeypatch, no_workers) -> None:
    app = opened("Layer by layer")
    app.multiselect(key="vanishing:bundled").set_value(["quick-digits", "kth-simple"])
    app.run()
    assert not app.exception
    texts = "\n".join(text.value for text in app.markdown)
    assert "**quick-digits**: the count" in texts
    assert "You said *the DCGAN's*" in said(app)
    assert THRESHOLD == 0.01
