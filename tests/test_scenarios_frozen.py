"""A frozen generator and a discriminator from scratch: what is measured, and that nothing else changes."""

from __future__ import annotations

import math

import pytest
import torch

from ganplay.building import build_networks
from ganplay.recipes import recipe
from ganplay.scenarios import frozen
from ganplay.scenarios.frozen import Frozen, measure

TINY = recipe("toy-ring").change(
    {"generator.widths": "3", "discriminator.widths": "16,16", "discriminator_optimiser.learning_rate": 5e-3}
)


class Far(torch.nn.Module):
    """A generator whose points no discriminator takes for real ones."""

    def __init__(self) -> None:
        super().__init__()
        self.move = torch.nn.Linear(2, 2)
        torch.nn.init.eye_(self.move.weight)
        torch.nn.init.constant_(self.move.bias, 4.0)

    def forward(self, z, y=None):
        return self.move(z)


def test_the_norms_are_those_of_difference_quotients() -> None:
    random = torch.Generator().manual_seed(0)
    generator = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).double()
    discriminator = build_networks(TINY)[1].double()
    z = torch.randn(32, 2, dtype=torch.float64, generator=random)
    weights = list(generator.parameters())
    found = frozen._norms(generator, discriminator, weights, z)

    def loss(kind: str) -> float:
        with torch.no_grad():
            probability = torch.sigmoid(discriminator(generator(z)).logits)
            return float({"minimax": (1 - probability).log(), "non-saturating": -probability.log()}[kind].mean())

    for kind in frozen.COMPARED:
        total = 0.0
        for weight in weights:
            flat = weight.data.view(-1)
            for index in range(len(flat)):
                flat[index] += 1e-6
                above = loss(kind)
                flat[index] -= 2e-6
                total += ((above - loss(kind)) / 2e-6) ** 2
                flat[index] += 1e-6
        assert found[kind] == pytest.approx(math.sqrt(total), rel=1e-4)


def test_the_saturating_gradient_dies_with_a_perfect_discriminator_and_the_other_does_not() -> None:
    taken = measure(TINY, Far(), 150)
    assert taken.accuracy[-1] == 1
    assert taken.change("minimax") < 0.5
    assert taken.change("non-saturating") > 1
    assert taken.norms["minimax"][-1] < 0.02 * taken.norms["non-saturating"][-1]
    assert len(taken.iterations) == len(taken.accuracy) == len(taken.norms["minimax"]) == frozen.MOMENTS + 1
    assert taken.iterations[0] == 0
    assert taken.iterations[-1] == 150


def test_the_generator_is_left_as_it_was_and_the_seed_decides_the_numbers() -> None:
    generator = Far().eval()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    first, again, other = (measure(TINY, generator, 20, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())
    assert all(weight.grad is None for weight in generator.parameters())


@pytest.mark.parametrize("iterations", [0, 19, 20_001])
def test_other_numbers_of_iterations_are_refused(iterations: int) -> None:
    with pytest.raises(ValueError, match="20 to 20,000"):
        measure(TINY, Far(), iterations)


def test_a_conditional_generator_is_refused() -> None:
    with pytest.raises(ValueError, match="unconditional"):
        measure(recipe("modern-sngan-projection"), Far(), 20)


def test_json_keeps_it_and_the_change_is_a_median_over_the_first() -> None:
    norms = tuple([1.0, 100.0, 1.0] + [5.0] * 14 + [0.01, 3.0, 0.01])
    taken = Frozen(tuple(range(20)), {"minimax": norms, "non-saturating": norms[::-1]}, (0.5,) * 20)
    assert Frozen.from_json(taken.to_json()) == taken
    assert taken.change("minimax") == pytest.approx(0.01)  # the lower of two in the middle
