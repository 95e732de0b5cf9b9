"""What a playground may hold, so that thirty of them train beside each other in one process."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ganplay.building import build_networks
from ganplay.recipe import Recipe
from ganplay.tiny import plan

MOST_TEXT = 2_000  # characters of a script in a link
MOST_EVENTS = 200
MOST_ITERATIONS = 200_000  # which bounds every replay
MOST_WORK = 1_000_000_000  # multiply-adds of one iteration, some 50 ms on one slow core


def check_recipe(recipe: Recipe) -> None:
    """Raises a ValueError when a recipe cannot be trained here, or one iteration would take too long."""
    plan.check([recipe])
    if work(recipe) > MOST_WORK:
        raise ValueError(
            f"One iteration would take {work(recipe) / 1e6:,.0f} million multiply-adds; the playground allows "
            f"{MOST_WORK / 1e6:,.0f}. Choose narrower networks, a smaller batch_size or fewer steps."
        )


def work(recipe: Recipe) -> int:
    """Multiply-adds of one iteration, about: a backward pass costs twice a forward one."""
    made, seen = (layout.products for layout in plan.layouts(recipe))
    discriminator = made + 6 * seen * (1 + 2 * len(recipe.penalties))  # real and fake, forward and backward
    generator = 3 * made + 3 * seen + 18 * seen * recipe.unroll  # through an update of D there and back
    return recipe.batch_size * (recipe.critic_steps * discriminator + recipe.generator_steps * generator)


def check_pair(recipes: Sequence[Recipe]) -> None:
    """Raises a ValueError when two GANs side by side would not see the same data and noise."""
    for name in ("dataset", "seed"):
        if len({getattr(recipe, name) for recipe in recipes}) > 1:
            raise ValueError(f"Two GANs side by side share the data and the noise, so their {name} must be equal.")


def check_continues(old: Recipe, new: Recipe) -> None:
    """Raises a ValueError when a net of the old recipe cannot go on with the new one."""
    if old.seed != new.seed:
        raise ValueError("The seed cannot change in mid-run; start anew with it.")
    same = all(getattr(old, name) == getattr(new, name) for name in ("latent", "generator", "discriminator"))
    if not same and _weights(old) != _weights(new):
        raise ValueError("The networks' shapes cannot change in mid-run; start anew with them.")


def _weights(recipe: Recipe) -> list[dict[str, tuple[int, ...]]]:
    with torch.device("meta"):
        networks = build_networks(recipe)
    return [{name: tuple(value.shape) for name, value in network.state_dict().items()} for network in networks]
