"""Batch norm under a gradient penalty: what the penalty holds at 1 is no longer the slope of a single sample's score.

The penalty differentiates the **sum** of a batch's scores by each sample x_i. Where scores do not see each other that
is the slope of the sample's own score f_i. Batch norm makes every score depend on every sample, and

    d (f_1 + ... + f_N) / d x_i  =  d f_i / d x_i  +  sum over the others of d f_j / d x_i

has a second part that works against the first, for what one sample gains by standing out the others lose. So the
penalty can be content while single scores are steep (arXiv 1704.00028, section 4, "No critic batch normalization").
A recipe with both is refused; here a critic is trained without the trainer, between digits and noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganplay.contracts import Shapes
from ganplay.data.digits import Digits
from ganplay.data.order import Order
from ganplay.data.resident import load
from ganplay.losses.wasserstein import Wasserstein
from ganplay.models.dcgan import DcganDiscriminator
from ganplay.optimisers import Adam
from ganplay.penalties.gradient_penalty import GradientPenalty
from ganplay.randomness import generator_for

SHAPE = (1, 16, 16)
WIDTHS = (24, 48)
BATCH, STEPS = 8, 80


@dataclass(frozen=True)
class Slopes:
    """Mean lengths of gradients at mixtures of real and fake samples.

    Attributes:
        seen: d (sum of all scores) / d x_i, which the penalty holds at 1.
        own: d f_i / d x_i, which it means.
        others: the share of d f / d x_i, over all scores f, that belongs to the scores of other samples.
    """

    seen: float
    own: float
    others: float


def trained_slopes(norm: str, seed: int) -> Slopes:
    """Trains a critic with a normalisation ("batch", "layer", ...) under the penalty and measures its slopes."""
    random = generator_for(seed, "batch norm under a penalty")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random.initial_seed())
        critic = DcganDiscriminator(widths=WIDTHS, norm=norm, norm_first=False).build(Shapes(SHAPE, 1))
    optimiser = Adam(1e-3, beta1=0.0, beta2=0.9).build(critic.parameters())
    data, loss, penalty = load(Digits(), SHAPE), Wasserstein(), GradientPenalty()
    order = Order(len(data), seed)
    for step in range(STEPS):
        real, fake = _batches(data.batch(order.take(step * BATCH, BATCH))[0], random)
        objective = loss.discriminator(critic(real), critic(fake)) + penalty(critic, real, fake, None, random)
        optimiser.zero_grad(set_to_none=True)
        objective.mean().backward()
        optimiser.step()
    return _slopes(critic, *_batches(data.batch(order.take(STEPS * BATCH, BATCH))[0], random), random)


def _batches(real: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    return real, 2 * torch.rand(real.shape, generator=random) - 1


def _slopes(critic: nn.Module, real: Tensor, fake: Tensor, random: torch.Generator) -> Slopes:
    mix = torch.rand(len(real), 1, 1, 1, generator=random)
    x = (mix * real + (1 - mix) * fake).requires_grad_(True)
    scores = critic(x).logits
    rows = [torch.autograd.grad(score, x, retain_graph=True)[0].flatten(1) for score in scores]
    table = torch.stack(rows)  # (scores, samples, pixels)
    lengths = table.norm(dim=2)  # (scores, samples)
    own = lengths.diagonal()
    squares = lengths.square().sum(0)
    others = ((squares - own.square()) / squares).mean()
    return Slopes(float(table.sum(0).norm(dim=1).mean()), float(own.mean()), float(others))
