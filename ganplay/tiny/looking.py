"""Unrolled generators of a stack: `ganplay.unrolling` for several nets at once, or for one that has penalties."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from ganplay.recipe import Recipe
from ganplay.tiny.judging import judge_of
from ganplay.tiny.networks import Layout
from ganplay.tiny.recording import Function
from ganplay.tiny.together import judge
from ganplay.tiny.updates import Slots
from ganplay.unrolling import critics_of, look_ahead


def looking(recipe: Recipe, layout: Layout, weights: Tensor, memory: Callable[[], Slots]) -> Function:
    """For nets that share all settings and have no penalties.

    Args:
        weights: (S, P), the discriminators' own memory.
        memory: what their optimiser remembers of them now, (S, P) or 0-d each.

    Returns:
        a function from points (S, N, 2), real and fake, to losses (S, N) and the slopes (S, N, 2) of each net's mean.
    """
    told, made = judge_of(recipe.loss, False), judge_of(recipe.loss, True)

    def look(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        fake, ahead, known = fake.detach().requires_grad_(), [weights.detach().requires_grad_()], [memory()]
        with torch.enable_grad():
            batches = torch.stack([real, fake], 1)  # (S, 2, N, 2)
            for _ in range(recipe.unroll):
                objective = told(*_said(layout, ahead[0], batches, recipe)).mean(1).sum()
                slopes = torch.autograd.grad(objective, ahead, create_graph=True)
                ahead, known = recipe.discriminator_optimiser.moved(ahead, slopes, known)
            losses = made(*_said(layout, ahead[0], batches, recipe))
            (slope,) = torch.autograd.grad(losses, fake, torch.full_like(losses, 1 / losses.shape[1]))
        return losses.detach(), slope

    return look


def looking_alone(
    recipe: Recipe, layout: Layout, network: nn.Module, row: Tensor, memory: Callable[[], Slots], random: Generator
) -> Function:
    """The same for one net (S = 1) with penalties, which are written for one ordinary network."""
    critics = critics_of(network)

    def look(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        real, fake = real[0], fake[0].detach().requires_grad_()
        with torch.enable_grad():
            critic = look_ahead(
                recipe, lambda weights: critics(layout.parameters(weights[0])), [row], [memory()], real, fake, None,
                random,
            )  # fmt: skip
            losses = recipe.loss.generator(critic(fake), critic(real) if recipe.loss.relative else None)
            (slope,) = torch.autograd.grad(losses, fake, torch.full_like(losses, 1 / len(losses)))
        return losses.detach().unsqueeze(0), slope.unsqueeze(0)

    return look


def _said(layout: Layout, weights: Tensor, batches: Tensor, recipe: Recipe) -> tuple[Tensor, ...]:
    """The logits (S, N) of real and of fake points."""
    logits = judge(layout, weights, batches, recipe.discriminator.pack)
    return logits[:, 0], logits[:, 1]
