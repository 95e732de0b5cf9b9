"""From a recipe to its two networks, with the checks that need both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import is_parametrized

from ganplay.contracts import Penalty
from ganplay.environment import limit
from ganplay.randomness import generator_for
from ganplay.recipe import Recipe

_COPIES = {"generator": 5, "discriminator": 4}  # weights, gradients and two moments; the generator's average too


def build_networks(recipe: Recipe) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of a recipe, with weights that depend on its seed alone.

    Raises:
        ValueError: a net does not fit the samples, or a penalty does not fit the discriminator.
    """
    _refuse_senseless_labels(recipe)
    with torch.random.fork_rng(devices=[]):  # initialisers draw from the global generator; leave it as it was
        torch.manual_seed(generator_for(recipe.seed, "weights").initial_seed())
        generator = recipe.generator.build(recipe.shapes)
        discriminator = recipe.discriminator.build(recipe.shapes)
    _refuse_batch_norm_under_penalty(recipe, discriminator)
    _refuse_packs_under_penalty(recipe)
    _refuse_unrolled_projections(recipe)
    return generator, discriminator


def _refuse_senseless_labels(recipe: Recipe) -> None:
    told, asks = recipe.generator.conditioning, recipe.discriminator.conditioning
    if recipe.conditional and recipe.shapes.classes < 2:
        which = f"generator.conditioning is {told}" if told != "none" else f"discriminator.conditioning is {asks}"
        raise ValueError(
            f"{which}, but the data set {recipe.dataset.kind} has no classes to choose from; choose none, or data with "
            "two classes or more."
        )
    if told != "none" and asks == "none":
        raise ValueError(
            f"generator.conditioning is {told}, but the discriminator is told no label, so nothing rewards a sample "
            "for showing its class; choose a discriminator.conditioning too."
        )
    if told == "none" and asks != "none":
        raise ValueError(
            f"discriminator.conditioning is {asks}, but the generator is told no label, so its samples have no class "
            "to check; choose a generator.conditioning too."
        )


def check(recipe: Recipe) -> None:
    """Tries everything about a recipe that needs neither data nor memory.

    Raises:
        ValueError: the data set cannot be had, the networks cannot be built or do not work on samples of this shape,
            or training would need more memory than a run may take.
    """
    recipe.dataset.check()
    recipe.metric.check()
    needed, allowed = memory_needed(recipe) / 1e9, run_gigabytes()
    if needed > allowed:
        raise ValueError(
            f"Training this recipe would need about {needed:,.1f} GB of memory; a run may take {allowed:g} "
            "(GANPLAY_RUN_GB). Choose narrower networks or a smaller batch_size."
        )


def run_gigabytes() -> float:
    """Memory that a run may need by `memory_needed`: GANPLAY_RUN_GB, 4 by default.

    Raises:
        ValueError: the variable is not a positive number.
    """
    return limit("GANPLAY_RUN_GB", 4, "gigabytes")


def memory_needed(recipe: Recipe) -> int:
    """Bytes that weights, moments and the activations of one update take, estimated without allocating any.

    Raises:
        ValueError: the networks cannot be built, or do not work on samples of this shape.
    """
    with torch.device("meta"):
        generator, discriminator = build_networks(recipe)
        with _counting(generator) as made, _counting(discriminator) as seen:
            try:
                y = torch.zeros(2, dtype=torch.int64) if recipe.conditional else None
                discriminator(generator(torch.empty(2, recipe.latent), y), y)
            except (RuntimeError, ValueError) as error:
                reason = str(error).splitlines()[0].rstrip(".")
                shape = "x".join(map(str, recipe.shapes.sample))
                raise ValueError(f"These networks do not work on samples of {shape}: {reason}.") from None
    weights = sum(
        copies * sum(parameter.numel() for parameter in network.parameters())
        for network, copies in zip((generator, discriminator), _COPIES.values(), strict=True)
    )
    passes = 1 + 4 * recipe.unroll  # of D: an update looked ahead keeps real and fake, forward and backward
    activations = (sum(made) + passes * sum(seen)) // 2 * recipe.batch_size * 2  # forward, and as much again backward
    return 4 * (weights + activations)


@contextmanager
def _counting(network: nn.Module) -> Iterator[list[int]]:
    """Collects the number of values that each layer puts out."""
    counts: list[int] = []

    def note(layer: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            counts.append(output.numel())

    # Spectral norm hangs below the layer whose weight it divides: neither hides the layer nor puts out a map itself.
    wrapped = {layer for layer in network.modules() if is_parametrized(layer)}
    below = {part for layer in wrapped for part in layer.parametrizations.modules()}
    layers = [layer for layer in network.modules() if layer in wrapped or not any(layer.children())]
    skipped = (nn.Identity, nn.Flatten)  # what they put out is what came in
    handles = [
        layer.register_forward_hook(note) for layer in layers if layer not in below and not isinstance(layer, skipped)
    ]
    try:
        yield counts
    finally:
        for handle in handles:
            handle.remove()


def _refuse_packs_under_penalty(recipe: Recipe) -> None:
    """The gradient of a pack's logit at one of its samples is no gradient of that sample's own logit."""
    pack = getattr(recipe.discriminator, "pack", 1)
    for penalty in recipe.penalties:
        if penalty.per_sample and pack > 1:
            raise ValueError(
                f"The penalty '{penalty.kind}' constrains the gradient of each sample, but the discriminator judges "
                f"packs of {pack}; choose discriminator.pack 1."
            )


def _refuse_unrolled_projections(recipe: Recipe) -> None:
    for penalty in recipe.penalties:
        if recipe.unroll and type(penalty).project is not Penalty.project:
            raise ValueError(
                f"unroll is {recipe.unroll}, and no gradient goes through the penalty '{penalty.kind}', which moves "
                "weights after each step; choose unroll 0."
            )


def _refuse_batch_norm_under_penalty(recipe: Recipe, discriminator: nn.Module) -> None:
    """A per-sample gradient has no meaning where samples of one batch see each other (arXiv 1704.00028, section 4)."""
    for penalty in recipe.penalties:
        if penalty.per_sample and any(isinstance(module, _BatchNorm) for module in discriminator.modules()):
            raise ValueError(
                f"The penalty '{penalty.kind}' constrains the gradient of each sample, but batch norm in the "
                "discriminator makes every logit depend on the whole batch; "
                "choose discriminator.norm none, layer or instance."
            )
