"""A fork with a wider generator draws what was drawn before, and all of it learns."""

import pytest
import torch
from torch import nn

from ganplay import checkpoint
from ganplay.contracts import Shapes
from ganplay.latent.noise import fixed_noise
from ganplay.models import generators
from ganplay.recipes import recipe
from ganplay.trainer import sample, train
from ganplay.widening import widen

LABELLED = Shapes((3, 32, 32), 6, 3)


def network(shapes: Shapes, kind: str, **options: object) -> nn.Module:
    return generators[kind](**options).build(shapes)


def trained(shapes: Shapes, kind: str, **options: object) -> nn.Module:
    """A network in eval mode whose every weight and statistic is another than a new network has."""
    made = network(shapes, kind, **options).eval()
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if value.is_floating_point():
                value.add_(0.2 * torch.rand_like(value) if name.endswith("var") else 0.2 * torch.randn_like(value))
    return made


@pytest.mark.parametrize(("shapes", "kind", "before", "after", "shared"), [
    (Shapes((2,), 6), "fully-connected", {"widths": (8, 6)}, {"widths": (12, 6)}, {"output": "linear"}),
    (LABELLED, "fully-connected", {"widths": (8, 6)}, {"widths": (8, 20)}, {"conditioning": "concat"}),
    (Shapes((1, 16, 16), 6), "dcgan", {"widths": (8, 4)}, {"widths": (16, 8)}, {}),
    (LABELLED, "dcgan", {"widths": (8, 8, 4)}, {"widths": (9, 8, 5)}, {"conditioning": "one-hot", "attention": 8}),
    (LABELLED, "resnet", {"widths": (8, 6, 4)}, {"widths": (12, 9, 6)}, {"conditioning": "batch-norm-embedding"}),
    (LABELLED, "resnet", {"widths": (8, 6, 4)}, {"widths": (8, 7, 7)}, {"conditioning": "batch-norm-linear"}),
    (Shapes((1, 28, 28), 6), "cs229", {"maps": 6}, {"maps": 8}, {}),
])  # fmt: skip
def test_a_wider_generator_draws_the_same(shapes, kind, before, after, shared) -> None:
    narrow, wide = trained(shapes, kind, **before, **shared), network(shapes, kind, **after, **shared)
    assert widen(narrow, wide, shapes)
    z, y = torch.randn(9, shapes.latent), torch.arange(9) % 3 if shapes.classes else None
    for mode in (False, True):  # with the statistics of the data and of the batch
        assert torch.allclose(narrow.train(mode)(z, y), wide.train(mode)(z, y), atol=1e-4)


@pytest.mark.parametrize(("before", "after"), [
    ({"widths": (8, 8, 4)}, {"widths": (8, 8, 3)}),
    ({"widths": (8, 8, 4)}, {"widths": (8, 8, 4, 4)}),
    ({"widths": (8, 8, 4), "norm": "layer"}, {"widths": (8, 8, 6), "norm": "layer"}),
    ({"widths": (8, 8, 4), "spectral_norm": True}, {"widths": (8, 8, 6), "spectral_norm": True}),
    ({"widths": (8, 8, 4), "attention": 16}, {"widths": (8, 16, 4), "attention": 16}),
    ({"widths": (8, 8, 4), "output": "tanh"}, {"widths": (8, 8, 6), "output": "sigmoid"}),
])  # fmt: skip
def test_one_that_would_draw_something_else_is_refused(before, after) -> None:
    shapes = Shapes((3, 32, 32), 6)
    assert not widen(trained(shapes, "resnet", **before), network(shapes, "resnet", **after), shapes)


def test_a_fork_with_a_wider_generator_goes_on_where_the_run_was(tmp_path) -> None:
    made = recipe("quick-digits").change(
        {"generator.widths": (8, 8), "discriminator.widths": (8, 8), "batch_size": 8, "stop_images": 40}
    )
    *_, last = train(made)
    checkpoint.save(tmp_path / "40.safetensors", last.state)
    wider = made.change({"generator.widths": (12, 16), "stop_images": 80})
    fork = checkpoint.load(tmp_path / "40.safetensors", wider)
    noise = fixed_noise(made, 16)
    assert torch.allclose(sample(fork, noise), sample(last.state, noise), atol=1e-5)
    assert fork.images == 40
    assert fork.discriminator_optimiser.state_dict()["state"], "its network is the same"
    assert not fork.generator_optimiser.state_dict()["state"], "its moments were those of fewer weights"
    before = {name: value.clone() for name, value in fork.generator.named_parameters()}
    *_, end = train(wider, state=fork)
    assert end.state.images == 80
    unmoved = {name: (value == before[name]).sum().item() for name, value in end.state.generator.named_parameters()}
    assert not any(unmoved.values()), unmoved
    checkpoint.save(tmp_path / "80.safetensors", end.state)
    assert torch.equal(checkpoint.load_generator(tmp_path / "80.safetensors").module(noise), sample(end.state, noise))


def test_a_fork_with_a_wider_discriminator_is_refused(tmp_path) -> None:
    made = recipe("quick-digits").change({"generator.widths": (8, 8), "batch_size": 8, "stop_images": 8})
    *_, last = train(made)
    checkpoint.save(tmp_path / "8.safetensors", last.state)
    with pytest.raises(ValueError, match=r"discriminator has shape .* a fork keeps them, but for a generator"):
        checkpoint.load(tmp_path / "8.safetensors", made.change({"discriminator.widths": (64, 96, 128)}))
