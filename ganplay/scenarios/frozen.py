"""A generator is frozen, a discriminator learns from scratch: what gradient would reach G? (arXiv 1701.04862)

Figures 2 and 3 of section 2 there train a DCGAN for 1, 10 and 25 epochs, then keep G as it is and train a new D
against it. The better D becomes, the smaller is the gradient of log(1 - D(G(z))) (theorem 2.4: it goes to 0 as D
approaches the perfect one), while that of -log D(G(z)) grows and becomes noisier (theorem 2.6).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganplay.building import build_networks
from ganplay.data.order import Order
from ganplay.data.resident import Samples, ignore, load
from ganplay.latent.noise import draw
from ganplay.losses import losses
from ganplay.randomness import generator_for
from ganplay.recipe import Recipe

COMPARED = ("minimax", "non-saturating")
BATCH = 64
MOMENTS = 100  # at which the gradient is measured
FEWEST, MOST = 20, 20_000  # iterations of D
EDGE = 0.1  # share of the moments that are the end
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Frozen:
    """What one discriminator's training did to the gradient of one frozen generator.

    Attributes:
        iterations: updates of D before each measurement.
        norms: by loss, the L2 norm of the mean loss's gradient with respect to all of G's weights, at each of them.
        accuracy: share of the batch's real samples with a logit above 0 and of its fakes below.
    """

    iterations: tuple[int, ...]
    norms: Mapping[str, tuple[float, ...]]
    accuracy: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, numbers with five digits."""
        plain = asdict(self)
        plain["norms"] = {loss: [float(f"{norm:.5g}") for norm in norms] for loss, norms in self.norms.items()}
        plain["accuracy"] = [round(share, 4) for share in self.accuracy]
        return plain

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Frozen:
        """What `to_json` wrote."""
        norms = {loss: tuple(norms) for loss, norms in content["norms"].items()}
        return cls(tuple(content["iterations"]), norms, tuple(content["accuracy"]))

    def change(self, loss: str) -> float:
        """The median norm of the last tenth of the moments, over the norm that an untrained D gave."""
        norms = self.norms[loss]
        last = float(torch.tensor(norms[-max(1, round(EDGE * len(norms))) :]).median())
        return last / norms[0] if norms[0] else float("nan")


def measure(
    recipe: Recipe,
    generator: nn.Module,
    iterations: int,
    *,
    seed: int = 0,
    data: Samples | None = None,
    progress: Progress = ignore,
) -> Frozen:
    """Trains a new discriminator of the recipe against `generator`, with cross-entropy, and measures on the way.

    D and its optimiser are the recipe's. G stays in the mode it came in: in eval mode it is one fixed function of z.
    D stays in training mode, as it is when a generator learns from it.

    Args:
        generator: frozen; it is not changed.
        iterations: updates of D.
        seed: of D's initial weights, the noise and the order of the data.

    Raises:
        ValueError: iterations are not in FEWEST to MOST, the recipe is conditional, or its data cannot be had.
    """
    if not FEWEST <= iterations <= MOST:
        raise ValueError(f"iterations is {iterations:,}; it must be {FEWEST} to {MOST:,}.")
    if recipe.conditional:
        raise ValueError("The frozen generator must be one without labels; choose an unconditional one.")
    recipe = replace(recipe, seed=seed)
    data = data or load(recipe.dataset, recipe.shapes.sample)
    _, discriminator = build_networks(recipe)
    discriminator.train()
    optimiser = recipe.discriminator_optimiser.build(discriminator.parameters())
    order, noise = Order(len(data), seed), generator_for(seed, "frozen generator")
    generator = copy.deepcopy(generator).requires_grad_(True)
    weights = list(generator.parameters())
    moments, found = _moments(iterations), []
    for iteration in range(iterations + 1):
        real, _ = data.batch(order.take(iteration * BATCH, BATCH))
        if iteration in moments:
            norms = _norms(generator, discriminator, weights, draw(recipe, BATCH, noise))
            progress(f"D has learnt for {iteration:,} of {iterations:,} iterations", iteration / iterations)
        with torch.no_grad():
            fake = generator(draw(recipe, BATCH, noise))
        on_real, on_fake = discriminator(real), discriminator(fake)
        if iteration in moments:
            right = torch.cat([on_real.logits > 0, on_fake.logits < 0]).float().mean()
            found.append((iteration, norms, float(right)))
        optimiser.zero_grad(set_to_none=True)
        losses["non-saturating"]().discriminator(on_real, on_fake).mean().backward()
        optimiser.step()
    by_loss = {loss: tuple(norms[loss] for _, norms, _ in found) for loss in COMPARED}
    return Frozen(tuple(one for one, _, _ in found), by_loss, tuple(share for _, _, share in found))


def _moments(iterations: int) -> set[int]:
    """Iterations at which to measure: evenly spread, with the first and the last."""
    count = min(MOMENTS, iterations)
    return {round(step * iterations / count) for step in range(count + 1)}


def _norms(generator: nn.Module, discriminator: nn.Module, weights: Sequence[Tensor], z: Tensor) -> dict[str, float]:
    """By loss, the L2 norm of d mean L_G / d theta on the same fakes."""
    critique = discriminator(generator(z))
    norms = {}
    for loss in COMPARED:
        objective = losses[loss]().generator(critique).mean()
        gradients = torch.autograd.grad(objective, weights, retain_graph=True)
        norms[loss] = float(torch.stack([gradient.double().square().sum() for gradient in gradients]).sum().sqrt())
    return norms
