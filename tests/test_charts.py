"""The figures: right data, thinned, in colours that everybody can tell apart."""

from __future__ import annotations

import itertools
import math

import pytest

from ganplay.charts import curves, vanishing
from ganplay.charts.style import MOST_POINTS, PALETTE, Series, colour, thin

BACKGROUNDS = {"light": "#fdfcfa", "dark": "#121621"}
# Machado et al. 2009: what somebody without the middle-wave (deuteranopia) or long-wave cones (protanopia) sees.
BLINDNESS = {
    "nobody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
}


def linear(hexadecimal: str) -> list[float]:
    """Linear RGB, 0 to 1."""
    channels = [int(hexadecimal[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    light = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def lab(rgb: list[float]) -> list[float]:
    """CIE L*a*b* (D65) of linear RGB."""
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    xyz = [sum(m * c for m, c in zip(row, rgb, strict=True)) / w for row, w in zip(matrix, white, strict=True)]
    f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz]
    return [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])]


def seen(hexadecimal: str, eyes: str) -> list[float]:
    rgb = linear(hexadecimal)
    changed = [sum(m * c for m, c in zip(row, rgb, strict=True)) for row in BLINDNESS[eyes]]
    return lab([min(1.0, max(0.0, c)) for c in changed])


def point(images: int, **values: object) -> dict:
    layers = {"first": [10, 100, 3.0], "second": [50, 200, 4.0]}
    return {
        "images": images, "discriminator_loss": 1.0, "generator_loss": 2.0, "accuracy_real": 0.75, "accuracy_fake": 0.5,
        "gradients": {"discriminator": layers, "generator": {"only": [0, 10, 2.0]}}, **values,
    }  # fmt: skip


def chart(name: str, series: list[Series]) -> object:
    """The figure of runs that share a unit."""
    (part,) = curves.parts(name, series)
    return curves.chart(name, part)


def rows(chart: object) -> list[dict]:
    return chart.to_dict()["data"]["values"]


@pytest.mark.parametrize("theme", BACKGROUNDS)
@pytest.mark.parametrize("shade", PALETTE)
def test_every_colour_stands_out_from_both_backgrounds(shade: str, theme: str) -> None:
    assert contrast(shade, BACKGROUNDS[theme]) >= 3


@pytest.mark.parametrize("eyes", BLINDNESS)
def test_the_colours_of_four_runs_differ_for_colour_blind_eyes(eyes: str) -> None:
    for one, other in itertools.combinations(PALETTE[:4], 2):
        assert math.dist(seen(one, eyes), seen(other, eyes)) > 15, (one, other)


def test_thinning_keeps_first_and_newest_and_the_limit() -> None:
    points = [point(images) for images in range(5_001)]
    kept = [p["images"] for p in thin(points)]
    assert len(kept) == MOST_POINTS
    assert (kept[0], kept[-1]) == (0, 5_000)
    assert kept == sorted(set(kept))
    assert thin(points[:7]) == points[:7]


def test_a_loss_chart_holds_the_losses_of_each_run_in_its_colour() -> None:
    series = [Series("a", colour(0), [point(1), point(2)]), Series("b", colour(1), [point(1, generator_loss=-3.0)])]
    drawn = chart("generator_loss", series)
    assert [(r["line"], r["images"], r["value"]) for r in rows(drawn)] == [("a", 1, 2.0), ("a", 2, 2.0), ("b", 1, -3.0)]
    scale = drawn.to_dict()["encoding"]["color"]["scale"]
    assert (scale["domain"], scale["range"]) == (["a", "b"], [colour(0), colour(1)])


def test_losses_that_are_not_numbers_leave_a_gap_instead_of_a_point() -> None:
    points = [
        point(1),
        point(2, generator_loss=math.nan),
        point(3, generator_loss=None),
        point(4, generator_loss=math.inf),
    ]
    assert [r["images"] for r in rows(chart("generator_loss", [Series("a", colour(0), points)]))] == [1]


def test_accuracy_leaves_critics_out_and_its_axis_is_fixed() -> None:
    drawn = chart(
        "accuracy", [Series("judge", colour(0), [point(1)]), Series("critic", colour(1), [point(1)], judges=False)]
    )
    assert {(r["line"], r["part"], r["value"]) for r in rows(drawn)} == {
        ("judge", "real", 0.75),
        ("judge", "fake", 0.5),
    }
    assert drawn.to_dict()["encoding"]["y"]["scale"]["domain"] == [0, 1]


def test_the_norm_of_a_network_is_that_of_all_its_layers_together() -> None:
    assert curves.gradient_norm(point(1), "discriminator") == 5.0  # 3 and 4
    assert curves.gradient_norm({"images": 1}, "discriminator") is None
    drawn = chart("gradient_norm", [Series("a", colour(0), [point(1)])])
    assert {(r["part"], r["value"]) for r in rows(drawn)} == {("discriminator", 5.0), ("generator", 2.0)}
    assert drawn.to_dict()["encoding"]["y"]["scale"]["type"] == "log"


def test_every_chart_runs_over_images_seen_and_its_form_does_not_depend_on_its_data() -> None:
    def forms(points: list[dict]) -> list[dict]:
        one = [Series("a", colour(0), points)]
        charts = [chart(name, one) for name in curves.FIGURES]
        charts.append(vanishing.chart(vanishing.rows(points, "discriminator"), 2, "t", 1_000))
        found = [drawn.to_dict() for drawn in charts]
        for form in found:
            assert form["encoding"]["x"]["field"] == "images"
            assert form["encoding"]["x"]["title"] == "images seen"
            form["data"].pop("values")
        return found

    assert forms([point(1)]) == forms([point(images) for images in range(20)])


def test_scores_are_drawn_only_where_there_are_some() -> None:
    points = [point(1), point(2, score=None), point(3, score=0.25), point(4, score=-0.01)]  # no logarithm
    assert [(r["images"], r["value"]) for r in rows(chart("score", [Series("a", colour(0), points)]))] == [(3, 0.25)]


def test_an_empty_run_gives_an_empty_chart() -> None:
    assert rows(chart("accuracy", [Series("a", colour(0), [])])) == []
    assert vanishing.rows([], "generator") == []


def counted(counts: list[int], total: int = 1_000) -> list[dict]:
    """Points of a discriminator with one layer whose count goes as given, and one that stays."""
    return [
        {"images": i, "gradients": {"discriminator": {"a": [count, total, 1.0], "b": [100, total, 1.0]}}}
        for i, count in enumerate(counts)
    ]


def test_growth_is_measured_between_the_first_and_the_newest_fifth() -> None:
    first, second = vanishing.growth(counted([9] * 5 + [500] * 15 + [99] * 5), "discriminator")
    assert (first.name, first.number, first.first, first.last, first.total) == ("a", 1, 9, 99, 1_000)
    assert first.factor == 10
    assert second.factor == 1


def test_too_few_points_give_no_growth() -> None:
    assert vanishing.growth(counted([1] * (vanishing.FEWEST - 1)), "discriminator") == []
    assert "too few points" in vanishing.sentence("run", "discriminator", [])


@pytest.mark.parametrize(
    ("counts", "said"),
    [([9] * 5 + [99] * 5, "grows in 1 of 2 layers"), ([99] * 10, "about flat"), ([99] * 5 + [9] * 5, "shrinks")],
)
def test_the_sentence_follows_the_data(counts: list[int], said: str) -> None:
    assert said in vanishing.sentence("run", "discriminator", vanishing.growth(counted(counts), "discriminator"))


def test_the_figure_of_small_gradients_has_one_line_a_layer_on_a_log_scale_from_one() -> None:
    drawn = vanishing.chart(vanishing.rows(counted([0, 7]), "discriminator"), 2, "t", 1_001)
    assert [(r["line"], r["value"]) for r in rows(drawn)] == [
        ("layer 1", 1), ("layer 2", 101), ("layer 1", 8), ("layer 2", 101),
    ]  # fmt: skip
    assert drawn.to_dict()["encoding"]["y"]["scale"] == {"type": "log", "domain": [1, 1_001]}
    assert vanishing.largest_layer(counted([0]), "discriminator") == 1_000


def test_a_norm_that_is_not_a_number_leaves_its_point_out() -> None:
    wild = {"first": [10, 100, None], "second": [50, 200, 4.0]}
    points = [point(1), point(2, gradients={"discriminator": wild, "generator": {"only": [0, 10, math.inf]}}), point(3)]
    drawn = rows(chart("gradient_norm", [Series("a", colour(0), points)]))
    assert {r["images"] for r in drawn} == {1, 3}
    assert len(vanishing.rows(points, "discriminator")) == 6  # the counts are known all the same


@pytest.mark.parametrize("name", ["discriminator_loss", "generator_loss"])
def test_losses_of_different_units_get_a_scale_each_and_every_run_is_drawn_once(name: str) -> None:
    judge = Series("judge", colour(0), [point(1, **{name: 1.0})])
    critic = Series("critic", colour(1), [point(1, **{name: 0.001})], judges=False)
    both = curves.parts(name, [judge, critic])
    assert [[one.label for one in part.series] for part in both] == [["judge"], ["critic"]]
    assert [[r["value"] for r in rows(curves.chart(name, part))] for part in both] == [[1.0], [0.001]]
    assert len({part.title for part in both}) == 2
    colours = [curves.chart(name, part).to_dict()["encoding"]["color"]["scale"]["range"] for part in both]
    assert colours == [[colour(0)], [colour(1)]]
    for alone in ([judge, judge], [critic]):
        (part,) = curves.parts(name, alone)
        assert part.height == curves.HEIGHT > both[0].height
