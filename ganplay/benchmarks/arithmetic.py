"""How many multiply-adds a round of training needs at least, counted by the networks' layer tables.

Passing a sample forward through a network takes its multiply-adds once (G or D below), passing gradients back to what
a layer read takes them once more, and so does collecting the gradients of its weights. One round of the plainest
algorithm, for each image:

- D learns from a real image and from a fake: 2 x 3 D, for which G made the fake: G;
- G learns through D, whose weights stay: 2 D for the way through D and back, 3 G for making the fake and learning;
- fakes that serve both updates, as popular scripts have it, are made once.

That is 3 G + 8 D with shared fakes and 4 G + 8 D with fresh ones. The gradient with respect to noise and images is
nobody's business in an update of the network that reads them, so its share of the first layers is taken off. What is
no product (normalisations, activations, optimisers, the average of the weights) is not counted, nor is what a program
computes without need.
"""

from __future__ import annotations

from ganplay.contracts import Penalty
from ganplay.probes.layers import INPUT, Layer, layer_tables, total
from ganplay.recipe import Recipe

_STRAIGHT = ("none", "ReLU", "leaky")  # how activations without a second derivative begin


def flop_an_image(recipe: Recipe) -> float:
    """Multiplications and additions (two for each multiply-add) of a round, divided by the real images it reads.

    Raises:
        ValueError: the recipe's networks cannot be built.
    """
    tables = layer_tables(recipe)
    makes, reads = total(tables["generator"]).multiply_adds, total(tables["discriminator"]).multiply_adds
    first, entrance = _entrance(tables["generator"]), _entrance(tables["discriminator"])
    slopes = sum(_slope(penalty, tables["discriminator"]) for penalty in recipe.penalties)
    judging = makes + 2 * (3 * reads - entrance) + slopes
    making = 3 * makes - first + (3 if recipe.loss.relative else 2) * reads  # a relative loss looks at real images too
    spared = makes if recipe.fakes == "shared" else 0
    return 2 * (recipe.critic_steps * judging + recipe.generator_steps * making - spared) / recipe.critic_steps


def _entrance(rows: tuple[Layer, ...]) -> int:
    """Multiply-adds of the layers that read nothing but the network's input."""
    return sum(row.multiply_adds for row in rows if row.inputs == (INPUT,))


def _slope(penalty: Penalty, rows: tuple[Layer, ...]) -> int:
    """Multiply-adds of a penalty on d logit / d sample.

    Forward, back to the sample, and from that slope forward again with each layer's gradients collected on the way: 4
    D. Where the network is curved, which ReLUs are not and normalisations are, the slope depends on the maps too: their
    way back takes twice as much, without the way to the sample.
    """
    if not penalty.per_sample:
        return 0
    once = total(rows).multiply_adds
    curved = any(row.norm != "none" or not row.activation.startswith(_STRAIGHT) for row in rows)
    return 4 * once + (2 * once - _entrance(rows) if curved else 0)
