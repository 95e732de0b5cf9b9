"""Every recipe trains on its real data: no NaN, and samples that have come much closer to pictures never seen.

Slow, so it runs only when asked for: `python -m pytest -m slow tests/test_recipes_train.py`. The networks are the
documents' own, at full width; only the batches are smaller and the rounds few, the fewest (200) for the heaviest.
"""

import os

import pytest
import torch

from ganplay.data.images import ImageSet, fit
from ganplay.data.resident import Samples, load
from ganplay.latent.noise import fixed_noise
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.recipes import recipe, recipes
from ganplay.state import State
from ganplay.trainer import sample, train

pytestmark = pytest.mark.slow

# (rounds, batch): what brings each recipe a clear way in a minute or two on one core
USUAL = (300, 32)
SIZES = {
    "duke-dcgan": (200, 16), "duke-wgan": (200, 16), "duke-acgan": (300, 25),
    "cs229-baseline": (200, 16), "cs229-skip": (200, 16), "cs229-parallel": (200, 16),
    "kth-dcgan": (200, 8), "iisc-dcgan": (200, 8), "iisc-sagan": (200, 8),
}  # fmt: skip
KEPT = 8_000  # pictures of a set that are trained on
SEEN = 256  # samples behind one distance


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def home(shared_home, monkeypatch):
    """One home for all recipes, so that each data set is decoded once."""
    monkeypatch.setenv("GANPLAY_HOME", str(shared_home))
    return shared_home


def real(made, split):
    """The first pictures of a split at the recipe's size: enlarging a whole set would take longer than training."""
    dataset, shape = made.dataset, made.shapes.sample
    if not isinstance(dataset, ImageSet):
        return load(dataset, shape, split)
    if not dataset.available():
        reason = f"{dataset.kind} is neither in the Hub's cache nor bundled"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    whole = load(dataset, dataset.native, split)
    values = torch.cat([torch.from_numpy(chunk) for chunk in fit(whole.values[:KEPT].numpy(), shape)])
    return Samples(values, whole.labels[:KEPT], whole.class_names)


@pytest.mark.parametrize("name", recipes.names())
def test_training_brings_samples_closer_to_real_ones_without_a_nan(name):
    rounds, batch = SIZES.get(name, USUAL)
    made = recipe(name)
    made = made.change({"batch_size": batch, "score_every": 0, "stop_images": rounds * batch * made.critic_steps})
    data, unseen = real(made, "train"), real(made, "test").batch(torch.arange(SEEN))[0]

    def distance(state):
        return SlicedWasserstein()(unseen, sample(state, fixed_noise(made, SEEN)))

    before, numbers = distance(State.initial(made)), []
    for step in train(made, data=data):
        numbers.append(torch.stack([step.discriminator_loss, step.generator_loss, step.penalty]))
    after = distance(step.state)

    assert step.round == rounds
    assert torch.stack(numbers).isfinite().all()
    for network in (step.state.generator, step.state.discriminator):
        assert all(parameter.isfinite().all() for parameter in network.parameters())
    samples = sample(step.state, fixed_noise(made, SEEN))
    assert samples.std(0).mean() > 0.02  # they differ from each other
    assert after < 0.75 * before, f"{before:.4f} before, {after:.4f} after"
