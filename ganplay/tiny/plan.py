"""What the tiny engine can train, and what nets that advance together must share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganplay.contracts import Network, Penalty
from ganplay.recipe import Recipe
from ganplay.tiny.networks import Layout

KIND = "fully-connected"
SHARED = ("latent", "batch_size", "critic_steps", "generator_steps", "fakes")
_OFF = {"conditioning": "none", "spectral_norm": False, "dropout": 0.0}


def check(recipes: Sequence[Recipe]) -> None:
    """Raises a ValueError when the engine cannot train these recipes, or cannot train them together."""
    if not recipes:
        raise ValueError("The tiny engine was given no recipe; it needs one or more.")
    for recipe in recipes:
        _check_one(recipe)
    first = _shape(recipes[0])
    for recipe in recipes[1:]:
        for path, value in _shape(recipe).items():
            if value != first[path]:
                raise ValueError(
                    f"{path} is {first[path]} in one recipe and {value} in another; nets that advance together must "
                    "have the same."
                )


def _check_one(recipe: Recipe) -> None:
    if len(recipe.shapes.sample) != 1:
        raise ValueError(
            f"The tiny engine trains on points, and the data set {recipe.dataset.kind} holds images; choose a 2-D set."
        )
    for slot in ("generator", "discriminator"):
        network: Network = getattr(recipe, slot)
        if network.kind != KIND:
            raise ValueError(f"{slot} is {network.kind}; the tiny engine trains {KIND} networks only.")
        for name, value in _OFF.items():
            if getattr(network, name) != value:
                raise ValueError(
                    f"{slot}.{name} is {getattr(network, name)}; the tiny engine allows {str(value).lower()} only."
                )
    if recipe.decay_images:
        raise ValueError(f"decay_images is {recipe.decay_images:,}; the tiny engine allows 0 only.")
    if recipe.precision == "bf16":
        raise ValueError("precision is bf16; the tiny engine computes in fp32, so choose auto or fp32.")


def _shape(recipe: Recipe) -> dict[str, Any]:
    """By path, everything that must be equal."""
    found = {name: getattr(recipe, name) for name in SHARED}
    for slot in ("generator", "discriminator"):
        values = getattr(recipe, slot).values()
        found |= {f"{slot}.{name}": value for name, value in values.items() if name not in _OFF}
    return found


def layouts(recipe: Recipe) -> tuple[Layout, Layout]:
    """The generator's and the discriminator's shape."""
    made, seen, points = recipe.generator, recipe.discriminator, recipe.shapes.sample[0]
    return (
        Layout((recipe.latent, *made.widths, points), made.activation, made.slope, made.output),
        Layout((points * seen.pack, *seen.widths, 1), seen.activation, seen.slope, beside=seen.minibatch_deviation),
    )


def sees_together(recipe: Recipe) -> bool:
    """True when what the discriminator says of a sample depends on others."""
    return recipe.discriminator.pack > 1 or recipe.discriminator.minibatch_deviation


def unrolls_like(recipe: Recipe, member: int) -> tuple[Any, ...]:
    """Equal for members that look ahead in one computation; empty for those that do not look."""
    if not recipe.unroll:
        return ()
    return recipe.unroll, recipe.loss, recipe.discriminator_optimiser, member if recipe.penalties else None


def has_term(penalty: Penalty) -> bool:
    """True when a penalty adds to the discriminator's loss."""
    return type(penalty).__call__ is not Penalty.__call__


def projects(penalty: Penalty) -> bool:
    """True when a penalty moves the discriminator's weights after its step."""
    return type(penalty).project is not Penalty.project


def draws_more(recipe: Recipe) -> bool:
    """True when a round draws other random numbers than latents from the run's stream."""
    return recipe.flip_labels > 0 or recipe.instance_noise > 0 or any(map(has_term, recipe.penalties))
