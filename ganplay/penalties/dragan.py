"""DRAGAN: the discriminator's gradient has norm 1 around the real data (arXiv 1705.07215, section 3).

The paper perturbs real samples with Gaussian noise N(0, cI) and sets lambda = 10, k = 1. Its authors' own program ties
the size of the noise to the data instead, half of their standard deviation, and draws it uniformly from [0, 1); that
is kept here but for the range, which is [-1, 1]: noise above 0 alone would look at brighter pictures only, not around
the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ganplay.contracts import Critique, Penalty
from ganplay.options import option
from ganplay.penalties import penalties
from ganplay.penalties.slopes import slope


@penalties.register("dragan")
@dataclass(frozen=True)
class Dragan(Penalty):
    """Squared deviation of each sample's gradient norm from a target k, at real samples moved by noise."""

    weight: float = option(10.0, "Weight lambda of the penalty.", low=0.0, high=10_000.0)
    spread: float = option(
        0.5, "Largest move of a value s, in standard deviations of the real batch.", low=0.0, high=10.0
    )
    target: float = option(1.0, "Norm k that the gradient should have.", low=0.0, high=10.0)

    formula = r"\lambda \left(\lVert \nabla_{\hat x} f(\hat x) \rVert_2 - k\right)^2, \quad " \
        r"\hat x = x + s\, \sigma(x)\, u, \quad u \sim U[-1, 1]"  # fmt: skip
    per_sample = True

    def __call__(
        self,
        discriminator: Callable[..., Critique],
        real: Tensor,
        fake: Tensor,
        y: Tensor | None,
        random: Generator,
    ) -> Tensor:
        noise = 2 * torch.rand(real.shape, generator=random, device=real.device) - 1  # one a value
        around = real + self.spread * real.std(correction=0) * noise  # the spread of all values of the batch
        return self.weight * (slope(discriminator, around, y) - self.target).square()
