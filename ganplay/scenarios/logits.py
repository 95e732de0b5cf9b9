"""What each loss makes of a fake's logit: the generator's loss and its gradient, from the package's own code.

A loss that is added to the registry appears here by itself. The gradient with respect to the logit is what every layer
of the discriminator passes back to the generator, so where it is 0 the generator learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ganplay.contracts import Critique
from ganplay.losses import losses

EDGE, STEP = 10.0, 0.25
REAL = 0.0  # the logit of the real sample beside the fake, for losses that compare the two


@dataclass(frozen=True)
class Curve:
    """One loss over the logits of fakes.

    Attributes:
        values, slopes: L_G and d L_G / d logit at each of `logits`.
        scores: True where the logit is a score without a meaning as a probability.
    """

    kind: str
    logits: tuple[float, ...]
    values: tuple[float, ...]
    slopes: tuple[float, ...]
    scores: bool


def logit_places() -> tuple[float, ...]:
    """The logits that are looked at."""
    count = round(2 * EDGE / STEP)
    return tuple(-EDGE + STEP * index for index in range(count + 1))


def generator_curves() -> list[Curve]:
    """Every registered loss with its default settings, in the registry's order."""
    return [curve(kind, logit_places()) for kind in losses.names()]


def curve(kind: str, places: tuple[float, ...]) -> Curve:
    """One loss at some logits of single fakes.

    Raises:
        ValueError: there is no such loss.
    """
    loss = losses[kind]()
    values, slopes = [], []
    for place in places:  # one by one: a loss may compare the samples of a batch
        logit = torch.tensor([place], dtype=torch.float64, requires_grad=True)
        value = loss.generator(Critique(logit), Critique(torch.full_like(logit, REAL).detach())).sum()
        (slope,) = torch.autograd.grad(value, logit)
        values.append(float(value.detach()))
        slopes.append(float(slope))
    return Curve(kind, places, tuple(values), tuple(slopes), loss.scores)
