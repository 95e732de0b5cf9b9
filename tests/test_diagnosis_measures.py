"""The measures of samples against cases whose answer is known, and the data sets and the doubling made for them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganplay.building import build_networks
from ganplay.contracts import Critique
from ganplay.data import datasets
from ganplay.data.resident import load
from ganplay.diagnosis import digits
from ganplay.diagnosis.measures import alternating, copies, fakes, judged, measures, variety
from ganplay.metrics.features import feature_set
from ganplay.recipes import recipe
from ganplay.scenarios.batch_penalty import trained_slopes
from ganplay.state import State
from ganplay.stories.failure_base import labelled, points, tiny_digits

SMALL = {"generator.widths": "8,4", "discriminator.widths": "4,8"}


@pytest.mark.parametrize("kind", digits.READERS)
def test_a_reader_knows_the_classes_of_its_data_by_their_numbers(kind):
    asked = "digits" if kind == "stacked-digits" else kind  # each of its colours is one digit
    assert feature_set(digits.READERS[kind]).class_names == datasets[asked].class_names


def test_a_checkerboard_has_all_its_power_at_the_highest_frequency_and_a_ramp_none():
    places = torch.arange(16)
    board = ((places[:, None] + places) % 2).float().expand(4, 1, 16, 16)
    stripes = (places % 2).float().expand(4, 1, 16, 16)
    wave = torch.cos(2 * torch.pi * places / 16).expand(4, 1, 16, 16)
    assert alternating(board) == pytest.approx(1) and alternating(stripes) == pytest.approx(1)
    assert alternating(wave) == pytest.approx(0, abs=1e-9)
    assert alternating(torch.randn(64, 1, 16, 16)) == pytest.approx((2 * 16 - 1) / 256, rel=0.2)


def test_variety_is_the_ratio_of_mean_distances():
    real = torch.randn(400, 3)
    assert variety(real, real) == 1
    assert variety(0.25 * real + 7, real) == pytest.approx(0.25, rel=1e-4)
    assert variety(torch.ones(400, 3), real) == 0


def test_training_samples_are_copies_and_unseen_ones_are_not():
    made = tiny_digits(1)
    real = load(made.dataset, made.shapes.sample)
    unseen = load(made.dataset, made.shapes.sample, "test").batch(torch.arange(256))[0]
    assert copies(real.batch(torch.arange(256))[0], real, made)["distance_to_training"] == 0
    assert copies(unseen, real, made)["distance_to_training"] == pytest.approx(1, rel=0.1)


class ByHeart(nn.Module):
    """Calls real what is among its pictures."""

    def __init__(self, known):
        super().__init__()
        self.known = known.flatten(1)

    def forward(self, x, y=None):
        return Critique(0.5 - torch.cdist(x.flatten(1), self.known).min(1).values)


def test_a_discriminator_that_knows_its_samples_by_heart_is_found_out():
    made = tiny_digits(1).change({"dataset": "few-digits", "dataset.count": 50} | SMALL)
    state = State.initial(made)
    real = load(made.dataset, made.shapes.sample)
    state.discriminator = ByHeart(real.batch(torch.arange(50))[0]).train()
    found = judged(state, real)
    assert found["called_real_seen"] == 1 and found["called_real_unseen"] < 0.05
    assert state.discriminator.training


def test_stacked_digits_are_a_thousand_modes_and_their_classifier_reads_them():
    made = recipe("quick-digits").change({"dataset": "stacked-digits", "image_size": 8} | SMALL)
    real = load(made.dataset, made.shapes.sample)
    assert real.values.shape == (20_000, 3, 8, 8)
    images, labels = real.batch(torch.arange(600))
    seen = digits.modes(images)
    assert ((seen // 100) == labels).float().mean() > 0.95  # the label is the digit of the red channel
    assert digits.measured(made, images, None)["modes"] == len(seen.unique())
    assert 350 < len(seen.unique()) < 520  # 1000 (1 - (1 - 1 / 1000)^600) = 451 on average
    again = load(made.dataset, made.shapes.sample)
    assert torch.equal(real.values, again.values)
    assert digits.measured(made, images[:1].expand(600, -1, -1, -1), None)["modes"] == 1


def test_a_few_digits_are_the_first_of_all_and_leave_the_test_split_alone():
    few, every = datasets["few-digits"](count=70), datasets["digits"]()
    assert torch.equal(load(few, (1, 8, 8)).values, load(every, (1, 8, 8)).values[:70])
    assert torch.equal(load(few, (1, 8, 8), "test").values, load(every, (1, 8, 8), "test").values)
    assert len(load(datasets["few-digits"](count=80), (1, 8, 8))) == 80  # not the file of the 70


def test_samples_come_with_the_labels_they_were_asked_for_and_leave_the_net_in_training():
    state = State.initial(labelled(1).change({"generator.widths": "8", "discriminator.widths": "8"}))
    state.generator.train()
    made, y = fakes(state, 30)
    assert made.shape == (30, 1, 16, 16) and y.tolist() == [*range(10)] * 3 and state.generator.training
    again, _ = fakes(state, 30)
    assert torch.equal(made, again)


def test_measures_fit_the_data():
    of_points = measures(State.initial(points(1)))
    assert {"variety", "modes", "modes_of", "high_quality", "reverse_kl"} <= of_points.keys()
    assert "checkerboard" not in of_points and of_points["modes_of"] == 8
    of_digits = measures(State.initial(labelled(1).change({"generator.widths": "8", "discriminator.widths": "8"})))
    assert {"recognised", "ms_ssim", "distance_to_training", "called_real_seen"} <= of_digits.keys()
    assert "called_real_seen" not in measures(State.initial(points(1).change({"loss": "wasserstein"})))


def test_nothing_is_measured_on_samples_that_are_no_numbers():
    state = State.initial(points(1))
    with torch.no_grad():
        next(state.average.parameters()).fill_(torch.nan)
    assert measures(state) == {}


@pytest.mark.parametrize("generator", ["dcgan", "acgan"])
def test_resizing_replaces_every_transposed_convolution_and_keeps_the_shape(generator):
    made = tiny_digits(1).change(
        {"image_size": 16, "generator": generator, "generator.widths": "8,4", "generator.upsampling": "resize"}
    )
    network, _ = build_networks(made)
    assert not any(isinstance(layer, nn.ConvTranspose2d) for layer in network.modules())
    assert network(torch.randn(2, made.latent)).shape == (2, 1, 16, 16)
    printed, _ = build_networks(made.change({"generator.upsampling": "transposed"}))
    assert any(isinstance(layer, nn.ConvTranspose2d) for layer in printed.modules())


def test_only_batch_norm_lets_other_samples_into_a_slope(monkeypatch):
    monkeypatch.setattr("ganplay.scenarios.batch_penalty.STEPS", 2)
    batch, layer = trained_slopes("batch", 0), trained_slopes("layer", 0)
    assert batch.others > 0.001 and batch.own != pytest.approx(batch.seen, rel=1e-3)
    assert layer.others == 0 and layer.own == pytest.approx(layer.seen, rel=1e-5)


def test_one_point_in_so_many_is_an_outlier_and_the_others_are_the_ring():
    dirty = load(datasets["ring-outliers"](one_in=100, times=20.0), (2,))
    ring = load(datasets["ring"](), (2,))
    far = dirty.values.norm(dim=1) > 5
    assert 0.008 < far.float().mean() < 0.012
    assert torch.equal(dirty.values[~far], ring.values[~far]) and torch.equal(dirty.labels, ring.labels)
    assert torch.allclose(dirty.values[far], 20 * ring.values[far])
