"""Every registered network in the quick recipe: one that no recipe uses yet is tested all the same."""

import pytest
import torch

from ganplay import checkpoint
from ganplay.building import build_networks, check
from ganplay.latent.noise import fixed_labels, fixed_noise
from ganplay.models import discriminators, generators
from ganplay.recipes import recipe
from ganplay.state import State
from ganplay.trainer import train

NARROW = {"widths": 8, "maps": 8, "units": 8, "first_maps": 8}
KINDS = [("generator", kind) for kind in generators] + [("discriminator", kind) for kind in discriminators]


def around(slot, kind):
    """The quick recipe with one network exchanged, narrowed where its settings allow it."""
    made = recipe("quick-digits").change({slot: kind, "batch_size": 8, "stop_images": 16, "precision": "fp32"})
    network, changes = getattr(made, slot), {}
    for field, width in NARROW.items():
        if hasattr(network, field):
            old = getattr(network, field)
            changes[f"{slot}.{field}"] = (width,) * len(old) if isinstance(old, tuple) else width
    return made.change(changes)


@pytest.mark.parametrize(("slot", "kind"), KINDS, ids=[f"{kind}-{slot}" for slot, kind in KINDS])
def test_a_network_makes_or_reads_images_and_learns(slot, kind, tmp_path):
    made = around(slot, kind)
    check(made)
    generator, discriminator = build_networks(made)
    z, y = fixed_noise(made, 3), fixed_labels(made, 3)
    images = generator(z, y)
    assert images.shape == (3, *made.shapes.sample)
    assert images.abs().max() <= 1
    assert discriminator(images, y).logits.shape == (3,)
    before = getattr(State.initial(made), slot).state_dict()
    *_, last = train(made)
    after = getattr(last.state, slot).named_parameters()
    assert any(not torch.equal(value, before[name]) for name, value in after)
    path = tmp_path / "state.safetensors"
    checkpoint.save(path, last.state)
    loaded = checkpoint.load(path).tensors()
    assert all(torch.equal(value, loaded[name]) for name, value in last.state.tensors().items())
