"""Discriminators that judge samples together: packs (PacGAN) and the minibatch deviation, in trainer and engine."""

import json
from pathlib import Path

import pytest
import torch
from test_tiny import PLAIN, assert_trains_like_the_trainer, small, trained

from ganplay.building import build_networks, memory_needed
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.tiny import TinyGan

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"


def discriminator(**options):
    return build_networks(small(**{f"discriminator.{name}": value for name, value in options.items()}))[1]


def points(count, seed=0):
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))


def by_hand(network, x):
    """The layers of a discriminator, applied one by one to inputs (M, F), up to the features."""
    for layer in network.layers:
        x = x @ layer.weight.t() + layer.bias if hasattr(layer, "weight") else torch.where(x > 0, x, 0.2 * x)
    return x


@pytest.mark.parametrize("pack", [2, 3])
def test_a_pack_is_judged_as_one_long_sample(pack):
    network, x = discriminator(pack=pack), points(6 * pack)
    packs = torch.stack([torch.cat(list(x[start : start + pack])) for start in range(0, len(x), pack)])
    expected = (by_hand(network, packs) @ network.head.weight.t() + network.head.bias)[:, 0]
    said = network(x)
    assert said.logits.shape == (len(x),) and said.features.shape[0] == len(x)
    for place in range(pack):
        torch.testing.assert_close(said.logits[place::pack], expected)


def test_an_incomplete_pack_is_filled_with_the_first_samples():
    network, x = discriminator(pack=4), points(6)
    whole = network(torch.cat([x, x[:2]])).logits
    assert torch.equal(network(x).logits, whole[:6])
    assert network(x[:1]).logits.shape == (1,)
    assert torch.equal(network(x[:1]).logits[0], network(x[:1].expand(4, 2)).logits[0])


def test_a_pack_sees_that_its_samples_are_alike_and_a_single_sample_does_not():
    """The same samples, differently paired: the sum of logits changes with a pack, and not without."""
    x, order = points(8), torch.tensor([0, 3, 2, 5, 4, 7, 6, 1])
    assert not torch.isclose(*(discriminator(pack=2)(each).logits.sum() for each in (x, x[order])), rtol=1e-4)
    assert torch.isclose(*(discriminator()(each).logits.sum() for each in (x, x[order])), rtol=1e-4)


def test_the_minibatch_deviation_stands_beside_the_features():
    network, x = discriminator(minibatch_deviation=True), points(7)
    features = by_hand(network, x)
    deviation = features.detach().numpy().std(0).mean()
    expected = features @ network.head.weight[0, :-1] + network.head.weight[0, -1] * deviation + network.head.bias
    torch.testing.assert_close(network(x).logits, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(x).features, features)


@pytest.mark.parametrize(
    "changes",
    [
        {"discriminator.pack": 2},
        {"discriminator.pack": 3, "critic_steps": 2, "fakes": "shared"},  # of 16 samples: the last is incomplete
        {"discriminator.minibatch_deviation": True},
        {"discriminator.pack": 2, "discriminator.minibatch_deviation": True, "flip_labels": 0.3, **PLAIN},
        {"discriminator.pack": 2, "loss": "relativistic", "instance_noise": 0.2, **PLAIN},
        {"discriminator.minibatch_deviation": True, "loss": "wasserstein", "penalties": "gradient-penalty", **PLAIN},
        {"discriminator.pack": 4, "loss": "wasserstein", "penalties": "weight-clip", **PLAIN},
    ],
    ids=str,
)
def test_the_engine_trains_them_as_the_trainer_does(changes):
    assert_trains_like_the_trainer(small(**changes))


def test_a_run_with_packs_goes_on_in_the_engine():
    made = small(**{"discriminator.pack": 2, "discriminator.minibatch_deviation": True})
    _, state = trained(made)
    weights = {name: value.clone() for name, value in state.tensors().items()}
    again = TinyGan(made, states=[state]).state().tensors()
    assert set(again) == set(weights) and all(torch.equal(again[name], value) for name, value in weights.items())


@pytest.mark.parametrize(
    "changes", [{"discriminator.pack": 3}, {"discriminator.minibatch_deviation": True}], ids=["pack", "deviation"]
)
def test_a_map_shows_each_point_among_real_samples(changes):
    gan = TinyGan(small(**changes))
    network, real, places = gan.state().discriminator, gan._samples[0].values[:8], points(5)
    if "discriminator.pack" in changes:  # four packs: the point with two real samples each
        batches = [torch.cat([torch.cat([x[None], real[i : i + 2]]) for i in range(0, 8, 2)]) for x in places]
        expected = [network(batch).logits[::3].mean() for batch in batches]
    else:
        expected = [network(torch.cat([x[None], real])).logits[0] for x in places]
    torch.testing.assert_close(gan.heat(places)[0], torch.stack(expected))


def test_arrows_point_down_the_loss_of_the_whole_batch():
    """Against a difference quotient: moving one of two packed points moves the logit that both get."""
    gan = TinyGan(small(**{"discriminator.pack": 2}))
    network, places = gan.state().discriminator.double(), points(4).double()

    def total(x):
        return torch.nn.functional.softplus(-network(x).logits).sum()

    arrows, step = gan.gradients(places.float())[0], 1e-6
    for row, column in ((0, 0), (1, 1), (3, 0)):
        moved = torch.zeros_like(places)
        moved[row, column] = step
        slope = (total(places + moved) - total(places - moved)) / (2 * step)
        assert float(arrows[row, column]) == pytest.approx(-slope.item(), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"penalties": "r1"}, "judges packs of 2"),
        ({"generator.conditioning": "concat", "discriminator.conditioning": "auxiliary"}, "names single samples"),
    ],
)
def test_what_needs_single_samples_refuses_packs(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_networks(small(**{"discriminator.pack": 2}, **changes))


def test_a_kept_recipe_that_knows_nothing_of_packs_and_unrolling_opens():
    content = recipe("toy-ring").to_json()
    del content["unroll"], content["discriminator"]["pack"], content["discriminator"]["minibatch_deviation"]
    assert Recipe.from_json(content) == recipe("toy-ring")
    assert recipe("toy-ring").change({"discriminator.pack": 2}).hash != recipe("toy-ring").hash
    opened = [json.loads(path.read_text()).get("recipe") for path in CHECKPOINTS.glob("*/config.json")]
    assert all(Recipe.from_json(content).hash for content in opened if content)


def test_networks_that_see_samples_together_pass_the_check_before_a_run():
    for changes in ({"discriminator.pack": 5}, {"discriminator.minibatch_deviation": True}, {"unroll": 5}):
        assert memory_needed(small(**changes)) > 0
    assert memory_needed(small(unroll=5)) > memory_needed(small())
