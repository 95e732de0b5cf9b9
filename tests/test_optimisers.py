"""Adam over weights that lie pixel by pixel is torch's own, to the bit, and copies nothing."""

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from ganplay.optimisers import Adam

SHAPES = ((6, 5, 3, 3), (4, 1, 5, 5), (7, 3), (9,))
LAYOUTS = {"pixel by pixel": torch.channels_last, "map by map": torch.contiguous_format}


def weights(layout):
    torch.manual_seed(0)
    made = [torch.randn(shape) for shape in SHAPES]
    return [nn.Parameter(one.contiguous(memory_format=layout) if one.ndim == 4 else one) for one in made]


def step(optimiser, parameters, seed, layout):
    torch.manual_seed(seed)
    for weight in parameters:
        gradient = torch.randn(weight.shape)
        weight.grad = gradient.contiguous(memory_format=layout) if weight.ndim == 4 else gradient
    optimiser.step()


@pytest.mark.parametrize("gradient", LAYOUTS)
@pytest.mark.parametrize("weight", LAYOUTS)
def test_steps_equal_torchs_in_every_layout(weight, gradient):
    ours, theirs = weights(LAYOUTS[weight]), weights(LAYOUTS[weight])
    mine, stock = Adam(1e-2).build(ours), torch.optim.Adam(theirs, 1e-2, (0.5, 0.999), fused=True)
    for seed in range(3):
        step(mine, ours, seed, LAYOUTS[gradient])
        step(stock, theirs, seed, LAYOUTS[gradient])
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other) and one.stride() == other.stride()
        for slot, value in stock.state[other].items():
            assert torch.equal(mine.state[one][slot], value) and mine.state[one][slot].shape == value.shape


def test_a_step_copies_no_gradient():
    parameters = weights(torch.channels_last)
    optimiser = Adam().build(parameters)
    step(optimiser, parameters, 0, torch.channels_last)
    with profile(activities=[ProfilerActivity.CPU]) as watched:
        step(optimiser, parameters, 1, torch.channels_last)
    updates = [event for event in watched.events() if event.name == "aten::_fused_adam_"]
    copies = [child for update in updates for child in update.cpu_children if child.name == "aten::contiguous"]
    assert len(updates) == 1 and not copies
