"""How gradients travel through a deep discriminator: weight clip against gradient penalty, activation by activation.

WGAN-GP's figure 1b (arXiv 1704.00028, section 4) trains 12-layer ReLU nets on the Swiss roll and plots the norm of the
gradient of the critic's loss with respect to the activations of each layer: with clipped weights it grows or decays
exponentially on its way back, depending on the limit; with a gradient penalty it does neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganplay.contracts import Critique, Loss
from ganplay.data.resident import load
from ganplay.latent.noise import fixed_noise
from ganplay.recipe import Recipe
from ganplay.recipes import recipe

LAYERS, WIDTH = 12, 64
ROUNDS = 60
SAMPLES = 512
CLIPS = (0.1, 0.01, 0.001)
_PENALTY = {"penalties": ("gradient-penalty",)}
# By name of a comparison: label of each training -> what it changes in the base of `deep_recipe`.
VARIANTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "control": {
        **{f"clip {limit:g}": {"penalties": ("weight-clip",), "penalties.weight-clip.limit": limit} for limit in CLIPS},
        "gradient penalty": _PENALTY,
    },
    "activation": {
        title: {"discriminator.activation": kind, **_PENALTY}
        for title, kind in (("sigmoid", "sigmoid"), ("ReLU", "relu"), ("LeakyReLU", "leaky_relu"))
    },
}


def deep_recipe(seed: int, changes: Mapping[str, Any]) -> Recipe:
    """Two nets of 12 hidden layers on the Swiss roll, a Wasserstein loss and five critic steps; then `changes`.

    The paper does not print width, optimiser or length; 64 units, Adam 1e-3 and 60 rounds of batch 128 are ours.
    """
    widths = (WIDTH,) * LAYERS
    batch, critic_steps = 128, 5
    images = ROUNDS * batch * critic_steps
    base = {
        "dataset": "swiss-roll", "generator.widths": widths, "discriminator.widths": widths,
        "discriminator.activation": "relu", "loss": "wasserstein", "batch_size": batch, "critic_steps": critic_steps,
        "stop_images": images, "log_every": images // 50, "sample_every": images // 5, "score_every": 0,
        "seed": seed, "ema_decay": 0.0,
    }  # fmt: skip
    return recipe("toy-ring").change(base | dict(changes))


def measured(recipe: Recipe, generator: nn.Module, discriminator: nn.Module) -> list[float]:
    """`activation_gradients` of trained networks on real points and fakes that training has not seen."""
    real = load(recipe.dataset, recipe.shapes.sample, "test").values[:SAMPLES]
    with torch.no_grad():
        fake = generator(fixed_noise(recipe, SAMPLES))
    return activation_gradients(recipe.loss, discriminator, real, fake)


def activation_gradients(loss: Loss, discriminator: nn.Module, real: Tensor, fake: Tensor) -> list[float]:
    """The mean over samples of |d l / d h|, for h each hidden layer's activations, and the logit, in their order.

    l is what one pair adds to the discriminator's loss, without penalties. A Wasserstein critic's last value is 1, and
    what stands before it is how far the layers in between stretch or shrink it.

    Args:
        discriminator: a fully connected one; its `layers` are linear layers, each followed by its activation.
        real, fake: points (N, 2).
    """
    found: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, output: Tensor) -> None:
        output.retain_grad()
        found.append(output)

    hidden = [layer for layer in discriminator.layers if not isinstance(layer, (nn.Linear, nn.Dropout))]
    hooks = [layer.register_forward_hook(keep) for layer in hidden]
    wanted = [parameter.requires_grad for parameter in discriminator.parameters()]
    try:
        discriminator.requires_grad_(True)  # of a discriminator that was read from disk it is off
        critiques = [discriminator(x) for x in (real, fake)]
        logits = [critique.logits for critique in critiques]
        for each in logits:
            each.retain_grad()
        parameters = list(discriminator.parameters())
        kept = [parameter.grad for parameter in parameters]
        loss.discriminator(Critique(logits[0]), Critique(logits[1])).sum().backward()
        for parameter, gradient in zip(parameters, kept, strict=True):
            parameter.grad = gradient
    finally:
        for hook in hooks:
            hook.remove()
        for parameter, was in zip(discriminator.parameters(), wanted, strict=True):
            parameter.requires_grad_(was)
    layers = [*zip(found[: len(hidden)], found[len(hidden) :], strict=True), tuple(logits)]
    return [_mean_norm(pair) for pair in layers]


def _mean_norm(pair: Sequence[Tensor]) -> float:
    norms = [each.grad.double().reshape(len(each), -1).norm(dim=1) for each in pair]  # their squares leave fp32
    return float(torch.cat(norms).mean())
