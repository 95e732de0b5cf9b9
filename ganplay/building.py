"""From a recipe to its two networks, with the checks that need both."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganplay.randomness import generator_for
from ganplay.recipe import Recipe


def build_networks(recipe: Recipe) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of a recipe, with weights that depend on its seed alone.

    Raises:
        ValueError: a net does not fit the samples, or a penalty does not fit the discriminator.
    """
    with torch.random.fork_rng(devices=[]):  # initialisers draw from the global generator; leave it as it was
        torch.manual_seed(generator_for(recipe.seed, "weights").initial_seed())
        generator = recipe.generator.build(recipe.shapes)
        discriminator = recipe.discriminator.build(recipe.shapes)
    _refuse_batch_norm_under_penalty(recipe, discriminator)
    return generator, discriminator


def check(recipe: Recipe) -> None:
    """Raises what `build_networks` would, without allocating any weight, and what is wrong with the data set."""
    recipe.dataset.check()
    with torch.device("meta"):
        build_networks(recipe)


def _refuse_batch_norm_under_penalty(recipe: Recipe, discriminator: nn.Module) -> None:
    """A per-sample gradient has no meaning where samples of one batch see each other (arXiv 1704.00028, section 4)."""
    for penalty in recipe.penalties:
        if penalty.per_sample and any(isinstance(module, _BatchNorm) for module in discriminator.modules()):
            raise ValueError(
                f"The penalty '{penalty.kind}' constrains the gradient of each sample, but batch norm in the "
                "discriminator makes every logit depend on the whole batch; "
                "choose discriminator.norm none, layer or instance."
            )
