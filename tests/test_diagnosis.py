"""What the diagnosis says of curves whose story is known: bundled runs, a collapsed one, and curves made for it."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from ganplay import diagnosis
from ganplay.data.order import Order
from ganplay.diagnosis import SEVERITIES, diagnose
from ganplay.diagnosis.motion import Spike, batch_of, spectral_peak, spikes
from ganplay.diagnosis.readings import readings
from ganplay.files import read_json
from ganplay.model_folder import read_config
from ganplay.paths import bundled_checkpoints
from ganplay.recipe import Recipe
from ganplay.recipes import recipe

COLLAPSED = Path(__file__).with_name("collapsed_horses.json")
HEALTHY = ("cs229-fcgan", "kth-horses", "kth-intermediate", "kth-simple", "mnist-projection", "quick-digits")
LN2 = math.log(2)
RING = recipe("toy-ring")
CRITIC = RING.change({"loss": "wasserstein", "penalties": "weight-clip"})


def curve(count=80, recipe=RING, norms=(1.0, 1.0, 1.0), **series):
    """Points with constant gradients of three layers, and series that are numbers or functions of the place."""
    usual = {"discriminator_loss": 1.2, "generator_loss": 0.9, "accuracy_real": 0.7, "accuracy_fake": 0.7}
    found = []
    for place in range(count):
        values = {name: value(place) if callable(value) else value for name, value in (usual | series).items()}
        layers = {f"layers.{index}": norm for index, norm in enumerate(norms)}
        large = values.pop("spike", 1.0)
        into = values.pop("into", 1.0)
        found.append(
            {
                "images": 100 * (place + 1), "penalty": 0.0, **values,
                "gradients": {
                    "discriminator": {name: [1, 10, norm] for name, norm in layers.items()},
                    "generator": {"layers.0": [1, 10, into]},
                },
                "largest_gradients": {
                    "discriminator": {name: large * norm for name, norm in layers.items()},
                    "generator": {"layers.0": into},
                },
            }
        )  # fmt: skip
    return found


def names(points, recipe=RING, measures=None):
    return [finding.name for finding in diagnose(points, recipe, measures)]


@pytest.mark.parametrize("name", HEALTHY)
def test_bundled_runs_that_went_well_are_called_healthy(name):
    folder = bundled_checkpoints() / name
    points = read_json(folder / "metrics.json")["points"]
    (finding,) = diagnose(points, read_config(folder).recipe)
    assert (finding.name, finding.severity) == ("healthy", "fine")
    assert finding.images == (points[0]["images"], points[-1]["images"])


def test_the_run_whose_discriminator_won_is_found_out_with_its_numbers():
    content = json.loads(COLLAPSED.read_text("utf-8"))
    found = {one.name: one for one in diagnose(content["points"], Recipe.from_json(content["recipe"]))}
    assert found["d-separates"].severity == found["spikes"].severity == "trouble"
    last = sorted(point["discriminator_loss"] for point in content["points"][-9:])[4]
    assert f"its loss is {last:.3g} where guessing costs 1.39" in found["d-separates"].evidence


def test_certainty_alone_is_no_perfect_separation():
    certain = {"accuracy_real": 0.99, "accuracy_fake": 0.99}
    assert "d-separates" in names(curve(**certain, discriminator_loss=0.05, generator_loss=6.0))
    assert "d-separates" not in names(curve(**certain, discriminator_loss=0.4, generator_loss=3.0))
    assert "d-separates" not in names(curve(accuracy_real=0.95, accuracy_fake=0.99, discriminator_loss=0.05))


def test_nothing_is_said_of_the_accuracy_of_a_critic():
    points = curve(accuracy_real=1.0, accuracy_fake=1.0, discriminator_loss=-0.01, generator_loss=0.01)
    assert names(points, CRITIC) == ["healthy"]


@pytest.mark.parametrize(
    ("loss", "of_d", "of_g"),
    [("non-saturating", 2 * LN2, LN2), ("minimax", 2 * LN2, -LN2), ("hinge", 2.0, 0.0), ("least-squares", 0.25, 0.125)],
)
def test_guessing_is_told_by_the_losses_own_values(loss, of_d, of_g):
    made = RING.change({"loss": loss})
    assert readings([], made).chance == pytest.approx((of_d, of_g))
    guess = {
        "discriminator_loss": 1.02 * of_d,
        "generator_loss": 0.98 * of_g,
        "accuracy_real": 0.5,
        "accuracy_fake": 0.6,
    }
    assert "d-guesses" in names(curve(**guess), made)
    assert "d-guesses" not in names(curve(**guess | {"discriminator_loss": 0.8 * of_d}), made)


def test_a_discriminator_that_once_knew_is_only_a_doubt():
    once = {"discriminator_loss": (0.9, 2 * LN2), "generator_loss": (1.5, LN2)}
    late = {name: lambda at, two=two: two[at >= 30] for name, two in once.items()}
    points = curve(**late, accuracy_real=0.5, accuracy_fake=0.5)
    (finding,) = diagnose(points, RING)
    assert (finding.name, finding.severity) == ("d-guesses-late", "doubt")


def test_a_generator_without_a_gradient_starves():
    assert "g-starves" in names(curve(into=lambda at: 10.0 ** (-at / 10)))
    assert "g-starves" not in names(curve(into=lambda at: 1.0 if at < 10 else 0.01))


def test_a_swing_has_one_period_and_noise_has_none():
    source = random.Random(0)
    swing = curve(generator_loss=lambda at: 1.0 + 0.4 * math.sin(2 * math.pi * at / 10))
    noise = curve(generator_loss=lambda at: 1.0 + source.gauss(0, 0.4))
    drift = curve(generator_loss=lambda at: 1.0 + 0.05 * at)
    assert names(swing) == ["oscillates"] and names(noise) == names(drift) == ["healthy"]
    assert names(curve(generator_loss=lambda at: 1.0 + 0.01 * math.sin(at))) == ["healthy"]
    (finding,) = diagnose(swing, RING)
    assert "a period of about 1,000 images" in finding.evidence


def test_the_spectral_peak_is_that_of_the_strongest_sine():
    values = [0.3 * place + math.sin(2 * math.pi * place / 8) for place in range(64)]
    share, period = spectral_peak(values)
    assert share > 0.95 and period == pytest.approx(8)


def test_spikes_are_found_where_they_are_and_growth_is_none():
    found = spikes(readings(curve(spike=lambda at: {40: 30.0, 60: 12.0}.get(at, 2.0)), RING))
    assert [(one.images, round(one.times)) for one in found] == [((4000, 4100), 30), ((6000, 6100), 12)]
    growing = curve()
    for place, point in enumerate(growing):
        for table in point["gradients"]["discriminator"].values():
            table[2] = 1.1**place
        point["largest_gradients"]["discriminator"] = dict.fromkeys(point["gradients"]["discriminator"], 2 * 1.1**place)
    assert not spikes(readings(growing, RING))


def test_one_mild_spike_is_a_doubt_and_many_are_trouble():
    (one,) = diagnose(curve(spike=lambda at: 12.0 if at == 40 else 2.0), RING)
    (many,) = diagnose(curve(spike=lambda at: 12.0 if at % 8 == 0 else 2.0), RING)
    assert (one.name, one.severity, many.name, many.severity) == ("spikes", "doubt", "spikes", "trouble")


def test_the_batch_behind_a_spike_is_what_the_discriminator_saw():
    made = RING.change({"seed": 5})
    spike = Spike("discriminator", "layers.0", (256, 512), 1.0, 10.0)
    assert batch_of(made, spike) == Order(50_000, 5).take(256, 256).tolist()


def test_explosions_are_found_in_losses_and_in_gradients():
    assert "explodes" in names(curve(discriminator_loss=lambda at: -(1.2**at)), CRITIC)
    assert "explodes" in names(curve(into=lambda at: 1.1**at), CRITIC)
    assert "explodes" not in names(curve(into=lambda at: 90.0), CRITIC)
    (finding,) = diagnose([], RING, diverged=True)
    assert (finding.name, finding.severity) == ("explodes", "trouble")


def test_gradients_that_shrink_or_grow_from_layer_to_layer_are_found():
    assert "gradients-vanish" in names(curve(norms=(1e-6, 1e-3, 1.0)), CRITIC)
    assert "gradients-vanish" in names(curve(norms=(1e-9, 1e-9, 1e-9), into=1e-3), CRITIC)
    assert "gradients-grow" in names(curve(norms=(1e4, 1e2, 1e2)), CRITIC)
    assert names(curve(norms=(100.0, 5.0, 5.0)), CRITIC) == ["healthy"]


@pytest.mark.parametrize(
    ("expected", "measures"),
    [
        ("collapsed", {"modes": 5, "modes_of": 8}),
        ("collapsed", {"variety": 0.3}),
        ("collapsed", {"modes": 200, "modes_of": 1000, "modes_samples": 512}),
        ("healthy", {"modes": 380, "modes_of": 1000, "modes_samples": 512}),
        ("alike-within-classes", {"ms_ssim": 0.97, "ms_ssim_real": 0.5}),
        ("healthy", {"ms_ssim": 0.6, "ms_ssim_real": 0.5}),
        ("labels-ignored", {"recognised": 0.15, "classes": 10}),
        ("healthy", {"recognised": 0.9, "classes": 10}),
        ("memorised", {"called_real_seen": 0.9, "called_real_unseen": 0.4}),
        ("memorised", {"distance_to_training": 0.2}),
        ("checkerboard", {"checkerboard": 0.05, "checkerboard_real": 0.001}),
    ],
)
def test_measures_of_samples_decide(expected, measures):
    assert names(curve(), RING, measures) == [expected]


def test_a_few_points_are_too_few():
    assert names(curve(7)) == ["too-short"] and names([]) == ["too-short"]


def test_every_remedy_can_be_applied_to_its_recipe_and_every_finding_is_whole():
    cases = [
        (curve(accuracy_real=1.0, accuracy_fake=1.0, discriminator_loss=0.01, into=lambda at: 2.0**-at), RING.change(
            {"loss": "minimax", "critic_steps": 5, "discriminator_optimiser.learning_rate": 0.01})),
        (curve(discriminator_loss=2 * LN2, generator_loss=LN2), RING.change({"generator_steps": 2})),
        (curve(norms=(1e-6, 1e-3, 1.0), into=1e-9), CRITIC),
        (curve(norms=(1e4, 10.0, 10.0), into=lambda at: 1.1**at), CRITIC),
        (curve(spike=lambda at: 99.0 if at % 5 == 0 else 1.0,
               generator_loss=lambda at: 1.0 + math.sin(at * 0.6)), RING),
        (curve(), RING),
        (curve(), recipe("munich-failure")),
        (curve(), recipe("duke-acgan").change({"class_weight": 0.5, "augment": ("translation", "cutout")})),
    ]  # fmt: skip
    everything = {
        "modes": 1, "modes_of": 8, "variety": 0.1, "ms_ssim": 0.99, "ms_ssim_real": 0.5, "recognised": 0.1,
        "classes": 10,
        "called_real_seen": 1.0, "called_real_unseen": 0.0, "checkerboard": 0.5, "checkerboard_real": 0.01,
    }  # fmt: skip
    seen = set()
    for points, made in cases:
        for measures in ({}, everything):
            for finding in diagnose(points, made, measures):
                seen.add(finding.name)
                assert finding.severity in SEVERITIES and finding.evidence.endswith(".")
                assert finding.images[0] <= finding.images[1]
                for remedy in finding.what_to_try:
                    assert made.change(remedy.changes) != made or not remedy.changes
    assert {"d-separates", "g-starves", "gradients-vanish", "gradients-grow", "spikes", "oscillates"} <= seen


def test_the_gravest_finding_comes_first():
    points = curve(
        accuracy_real=1.0, accuracy_fake=1.0, discriminator_loss=0.01, spike=lambda at: 12.0 if at == 40 else 2
    )
    order = [SEVERITIES.index(finding.severity) for finding in diagnose(points, RING)]
    assert order == sorted(order) and len(order) == 2


def test_the_rules_are_documented():
    assert all(rule.__doc__ for rule in (*diagnosis.CURVES, *diagnosis.samples.RULES))
