"""Unrolled GANs: the generator learns against the discriminator that would come next (arXiv 1611.02163, section 2).

    theta_(k+1) = theta_k - step(grad L_D(theta_k, G)),  k = 0 ... K - 1;     G goes down L_G(theta_K(G), G)

The K updates start at the present discriminator, follow its optimiser's own rule and see one batch, as in the paper's
code; all of theta_K is a function of the fakes, and the gradient goes through it. Afterwards they are undone: nothing
of the discriminator changes. Flipped labels are left out of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from ganplay.contracts import Critique
from ganplay.recipe import Recipe

Critic = Callable[..., Critique]  # (x, y=None)
Critics = Callable[[Sequence[Tensor]], Critic]  # from weights to the discriminator that has them


def critics_of(discriminator: nn.Module) -> Critics:
    """By weights in the order of `parameters()`, the discriminator that has them; its own buffers never move."""
    names = [name for name, _ in discriminator.named_parameters()]
    buffers = {name: value.clone() for name, value in discriminator.named_buffers()}

    def with_weights(weights: Sequence[Tensor]) -> Critic:
        tensors = dict(zip(names, weights, strict=True)) | buffers
        return lambda x, y=None: functional_call(discriminator, tensors, (x, y))

    return with_weights


def look_ahead(
    recipe: Recipe,
    critics: Critics,
    weights: Sequence[Tensor],
    memory: Sequence[Mapping[str, Tensor]],
    real: Tensor,
    fake: Tensor,
    y: Tensor | None,
    random: Generator,
) -> Critic:
    """The discriminator after `recipe.unroll` further updates, differentiable with respect to `fake`.

    Args:
        weights: of the present discriminator; they stay as they are.
        memory: of each weight, what the discriminator's optimiser remembers.
        real, fake: (N, *sample), what all of these updates see.
        y: labels (N,) of both, or None.
        random: the run's own stream, for penalties that draw.

    Raises:
        ValueError: the optimiser's step cannot be differentiated.
    """
    weights = [weight.detach().requires_grad_() for weight in weights]
    for _ in range(recipe.unroll):
        critic = critics(weights)
        on_real, on_fake = critic(real, y), critic(fake, y)
        objective = recipe.loss.discriminator(on_real, on_fake).mean()
        for said in (on_real, on_fake):
            if said.class_logits is not None:
                objective = objective + recipe.class_weight * cross_entropy(said.class_logits, y)
        for penalty in recipe.penalties:
            value = penalty(critic, real, fake, y, random)
            if value is not None:
                objective = objective + value.mean()
        slopes = torch.autograd.grad(objective, weights, create_graph=True, allow_unused=True, materialize_grads=True)
        weights, memory = recipe.discriminator_optimiser.moved(weights, slopes, memory)
    return critics(weights)
