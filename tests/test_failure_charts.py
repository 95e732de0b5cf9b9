"""The figures of the page "Failure modes" against values worked out by hand, and the presets' golden numbers."""

from __future__ import annotations

import math

import pytest
import torch

from ganplay.charts import failure_curves, failure_dirac, failure_spectrum
from ganplay.ui import failure_game as page
from ganplay.ui import failure_measuring

SETTING = page.Setting(1.0, -1.0, 0.2, 500)


def test_arrows_point_where_the_field_does_and_the_strongest_has_strength_one():
    rows = failure_dirac.arrow_rows([(0, 0), (1, 0), (0, 1), (1, 1)], [(0, 2.0), (1.0, 0), (0, -1.0), (0.0, 0.0)])
    assert [row["angle"] for row in rows] == [0.0, 90.0, 180.0]  # clockwise from up; a place without a pull has none
    assert [row["strength"] for row in rows] == [1.0, 0.5, 0.5]


def test_a_path_ends_where_it_is_no_number_any_more():
    rows = failure_dirac.path_rows({"a": [(3.0, 4.0), (0.0, 0.0), (math.nan, 1.0), (math.inf, 1.0)]})
    assert [row["radius"] for row in rows] == [5.0, failure_dirac.SMALLEST]


def test_the_plane_shows_what_stays_near_and_cuts_what_flies_off():
    near, off = {"a": [(1.0, 0.0), (0.0, 2.0)]}, {"a": [(1.0, 0.0), (1e9, 0.0), (math.inf, 0.0)]}
    assert failure_dirac.reach(near) == pytest.approx(2 * failure_dirac.ROOM)
    assert failure_dirac.reach(off) == pytest.approx(failure_dirac.FARTHEST * failure_dirac.ROOM)


def test_the_dashed_circle_is_where_a_step_neither_grows_nor_shrinks():
    step = 0.4
    drawn = failure_dirac.eigenvalues(failure_dirac.eigenvalue_rows({"a": [0.5j, -0.5j]}, "a"), step).to_dict()
    circle = next(
        layer["data"]["values"] for layer in drawn["layer"] if "order" in layer.get("data", {}).get("values", [{}])[0]
    )
    assert all(abs(abs(1 + step * complex(row["real"], row["imaginary"])) - 1) < 1e-9 for row in circle)


def test_eigenvalues_that_are_no_numbers_are_left_out():
    assert failure_dirac.eigenvalue_rows({"a": [complex(math.nan, 0)], "b": []}, "a") == []


def gradient_points(count: int, spike: int) -> list[dict]:
    return [
        {
            "images": 100 * (place + 1),
            "largest_gradients": {"generator": {"x": 1.0, "y": 9.0 if place == spike else 0.5}},
        }
        for place in range(count)
    ]


@pytest.mark.parametrize("spike", [0, 617, 1_999])
def test_a_spike_of_one_point_in_thousands_is_drawn(spike):
    rows = failure_curves.layer_rows(gradient_points(2_000, spike), "generator")
    assert len(rows) <= 2 * failure_curves.MOST_POINTS
    top = max(rows, key=lambda row: row["value"])
    assert (top["value"], top["images"], top["line"]) == (9.0, 100 * (spike + 1), "layer 2")


def curve(count: int) -> list[dict]:
    return [{"images": 10 * place, "discriminator_loss": 1.0, "generator_loss": 2.0} for place in range(count)]


@pytest.mark.parametrize(("span", "mark"), [((20, 70), "rect"), ((70, 70), "rule")])
def test_a_finding_is_marked_between_its_images(span, mark):
    drawn = failure_curves.marked("generator_loss", curve(10), True, (*span, "doubt")).to_dict()
    ground = drawn["layer"][0]
    assert ground["mark"]["type"] == mark and ground["mark"]["color"] == failure_curves.SHADES["doubt"]
    assert [ground["data"]["values"][0][name] for name in ("images", "end")] == list(span)


def test_only_figures_with_numbers_are_shown_and_critics_have_no_accuracy():
    points = [point | {"accuracy_real": 0.5, "accuracy_fake": 0.5} for point in curve(5)]
    assert failure_curves.shown(points, True) == ["discriminator_loss", "generator_loss", "accuracy"]
    assert failure_curves.shown(points, False) == ["discriminator_loss", "generator_loss"]


def test_a_checkerboard_has_all_its_power_at_the_highest_frequency():
    places = torch.arange(8)
    board = ((places[:, None] + places) % 2 * 2.0 - 1).expand(3, 1, 8, 8)
    assert failure_measuring._shares(board) == pytest.approx([0, 0, 0, 0, 1])
    slow = torch.cos(2 * math.pi * places / 8).expand(8, 8).expand(3, 1, 8, 8)  # one cycle in a row of eight
    shares = failure_measuring._shares(slow)
    assert shares[1] == pytest.approx(0.5)  # the other half stands in the columns, where nothing changes
    rows = failure_spectrum.rows({"a": failure_measuring._shares(board)})
    assert [row["frequency"] for row in rows] == [0, 0.125, 0.25, 0.375, 0.5]


@pytest.mark.parametrize(
    ("name", "order", "expected"),
    [
        ("The first GAN", "simultaneous", 3.10),
        ("The first GAN", "alternating, D once", 1.42),
        ("Non-saturating", "simultaneous", 0.64),
        ("WGAN, clipped at 1", "simultaneous", 1.00),
        ("Penalty 0.3", "simultaneous", 3e-6),
        ("Penalty 1 (critical)", "alternating, D once", 7e-17),
        ("Consensus 1", "simultaneous", 2e-10),
    ],
)
def test_a_preset_ends_at_its_golden_number(name, order, expected):
    found = math.hypot(*page.walk(page.PRESETS[name], SETTING, *page.ORDERS[order])[-1])
    assert found == pytest.approx(expected, abs=0.006 if expected > 0.1 else expected)


@pytest.mark.parametrize("name", page.PRESETS)
def test_eigenvalues_tell_what_a_small_step_does_to_a_small_distance(name):
    game, step = page.PRESETS[name], 1e-3
    start, moved = page.walk(game, page.Setting(1e-7, 1e-7, step, 1), "simultaneous", 1)
    factor = math.hypot(*moved) / math.hypot(*start)
    assert factor <= max(abs(1 + step * value) for value in page.eigenvalues(game)) + 3 * step
    assert page.eigenvalues(game)  # none of the presets has a kink


def test_every_loss_with_every_penalty_has_eigenvalues_or_a_kink_that_is_told():
    rows = page.table(0.2)
    assert len(rows) == len(page.losses.names()) * (1 + len(page.penalties.names()))
    assert {row["loss"] for row in rows} == set(page.losses)
    kinks = {row["penalty"] for row in rows if row["eigenvalues"] == "kink"}
    assert kinks == {"dragan", "gradient-penalty"}  # the two that want a slope of 1
