"""Training in memory gives the curves that a run writes to disk; a run's folder gives its end back."""

from __future__ import annotations

import math

import pytest
import torch
from tiny_runs import TINY

from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.worker import work
from ganplay.stories.story import End
from ganplay.stories.training import is_tiny, train_all, train_to_end
from ganplay.tiny.engine import TinyGan

POINTS = {
    "generator.widths": "8", "discriminator.widths": "9,7", "batch_size": 16, "stop_images": 400, "log_every": 48,
    "sample_every": 400, "score_every": 0,
}  # fmt: skip
DIGITS = TINY | {"image_size": 8, "generator.widths": "8,4", "discriminator.widths": "4,8", "stop_images": 200}


def points(**changes):
    return recipe("toy-ring").change(POINTS | changes)


def trained_run(made):
    run = store.create(made, threads=1)
    work(run)
    return run


def compare(ours, written):
    """Two lists of points, all but the clock's fields."""
    assert [point["images"] for point in ours] == [point["images"] for point in written]
    for one, other in zip(ours, written, strict=True):
        assert one.keys() == other.keys()
        for name in ("round", "discriminator_loss", "generator_loss", "penalty", "accuracy_real", "accuracy_fake"):
            assert one[name] == pytest.approx(other[name], rel=1e-3, abs=1e-5), name
        for network, layers in other["gradients"].items():
            assert list(one["gradients"][network]) == list(layers)
            for layer, (small, total, norm) in layers.items():
                assert one["gradients"][network][layer] == pytest.approx([small, total, norm], rel=1e-3, abs=0.5)
                assert one["gradients"][network][layer][2] == pytest.approx(norm, rel=1e-3, abs=1e-6)
                largest = other["largest_gradients"][network][layer]
                assert one["largest_gradients"][network][layer] == pytest.approx(largest, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("changes", [{}, {"critic_steps": 3, "penalties": "r1"}, {"generator_steps": 2}])
def test_the_tiny_engine_leaves_the_curves_of_an_ordinary_run(changes):
    made = points(**changes)
    assert is_tiny(made)
    compare(train_to_end(made)[0], trained_run(made).metrics())


def test_the_ordinary_trainer_leaves_the_curves_of_an_ordinary_run():
    made = recipe("quick-digits").change(DIGITS)
    assert not is_tiny(made)
    ours, state = train_to_end(made)
    run = trained_run(made)
    compare(ours, run.metrics())
    end = End.of(run)
    assert not end.diverged and end.state.images == state.images == 208
    for name, value in state.generator.state_dict().items():
        assert torch.equal(end.state.generator.state_dict()[name], value)


def test_scores_and_limits_of_time_are_left_to_the_ordinary_trainer():
    scored = points(score_every=200, **{"metric.directions": 8})
    assert not is_tiny(scored) and not is_tiny(points(stop_seconds=1.0))
    assert [point["score"] is None for point in train_to_end(scored)[0]].count(False) == 2


def test_trainings_of_different_shapes_come_back_in_their_order():
    made = [points(seed=1), points(seed=2, critic_steps=2), points(seed=3), points(seed=1)]
    found = train_all(made)
    assert [state.recipe for _, state in found] == made
    compare(found[0][0], found[3][0])
    compare(found[2][0], train_to_end(made[2])[0])
    assert found[0][0][-1]["generator_loss"] != found[2][0][-1]["generator_loss"]


def test_gradients_of_the_layers_are_those_of_the_networks_that_the_engine_trains():
    engine = TinyGan([points(seed=4), points(seed=5)])
    engine.advance(1)
    for network, layers in engine.layer_gradients().items():
        sizes = [parameter.numel() for parameter in getattr(engine.state(1), network).parameters()]
        pairs = [weight + bias for weight, bias in zip(sizes[::2], sizes[1::2], strict=True)]
        assert [layer.shape for layer in layers] == [(2, size) for size in pairs]


def test_a_training_that_explodes_ends_with_its_last_finite_point():
    made = points(**{"loss": "least-squares", "discriminator_optimiser": "sgd",
                     "discriminator_optimiser.learning_rate": 10.0, "generator_optimiser": "sgd",
                     "generator_optimiser.learning_rate": 10.0})  # fmt: skip
    calm = points(loss="least-squares", discriminator_optimiser="sgd", generator_optimiser="sgd")
    exploded, other = (End.trained(state.recipe, found, state) for found, state in train_all([made, calm]))
    assert exploded.diverged and not other.diverged
    assert all(math.isfinite(point["discriminator_loss"]) for point in exploded.points)
    assert other.points[-1]["images"] == 400


def test_a_run_that_exploded_says_so_and_one_without_anything_saved_is_refused():
    made = points(**{"loss": "least-squares", "discriminator_optimiser": "sgd",
                     "discriminator_optimiser.learning_rate": 10.0, "generator_optimiser": "sgd",
                     "generator_optimiser.learning_rate": 10.0})  # fmt: skip
    assert End.of(trained_run(made)).diverged
    with pytest.raises(ValueError, match="saved nothing yet; it is queued"):
        End.of(store.create(points(seed=9), threads=1))
