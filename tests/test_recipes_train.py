"""Every recipe trains on its real data: no NaN, and samples that have come much closer to pictures never seen.

Slow, so it runs only when asked for: `python -m pytest -m slow tests/test_recipes_train.py`. The networks are the
documents' own, at full width; only the batches are smaller and the rounds few, the fewest (200) for the heaviest.
"""

import pytest
import torch
from real_data import needs

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
    "duke-dcgan": (200, 16), "duke-wgan": (200, 16),
    "duke-acgan": (1500, 10),  # with so much dropout in D nothing comes of the first 1,000 rounds
    "cs229-baseline": (200, 16), "cs229-skip": (200, 16), "cs229-parallel": (200, 16),
    "kth-simple": (1200, 32), "kth-dcgan": (200, 8),
    "iisc-dcgan": (500, 8), "iisc-sagan": (200, 8),
    "toy-ring": (400, 256),
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
    needs(dataset.kind)
    whole = load(dataset, dataset.native, split)
    values = torch.cat([torch.from_numpy(chunk) for chunk in fit(whole.values[:KEPT].numpy(), shape)])
    return Samples(values, whole.labels[:KEPT], whole.class_names)


def likeness_of_neighbours(images):
    """Mean correlation of each pixel with the one to its right within an image, (N, C, H, W): 0 for white noise."""
    here, right = images[..., :-1].flatten(1), images[..., 1:].flatten(1)
    here, right = here - here.mean(1, keepdim=True), right - right.mean(1, keepdim=True)
    return float(torch.cosine_similarity(here, right).mean())


def test_noise_has_no_likeness_of_neighbours_and_a_ramp_has_all():
    noise = torch.randn(SEEN, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert abs(likeness_of_neighbours(noise)) < 0.01
    assert likeness_of_neighbours(torch.arange(32.0).expand(1, 1, 32, 32)) == pytest.approx(1)


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
    assert samples.std(0).mean() > 0.01  # they differ from each other
    if samples.ndim == 4:
        assert likeness_of_neighbours(samples) > 0.25
    assert after < 0.95 * before, f"{before:.4f} before, {after:.4f} after"
