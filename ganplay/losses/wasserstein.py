"""The Wasserstein loss: the critic's mean score of real samples minus that of fakes (arXiv 1701.07875, algorithm 1).

It estimates a distance only while the critic is Lipschitz: add a weight clip or a gradient penalty.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganplay.contracts import Critique, Example, Loss
from ganplay.losses import losses


@losses.register("wasserstein")
@dataclass(frozen=True)
class Wasserstein(Loss):
    """D minimises fake - real, G minimises -fake; logits are scores without a threshold."""

    formula = r"L_D = f(G(z)) - f(x), \qquad L_G = -f(G(z))"
    example = Example(
        real=(3.0, 1.0),
        fake=(0.5, -0.5),
        discriminator=-2.0,
        generator=0.0,
        working="Mean score of the real pair 2, of the fakes 0: L_D = 0 - 2 and L_G = 0.",
    )
    scores = True

    def discriminator(self, real: Critique, fake: Critique) -> Tensor:
        return fake.logits - real.logits  # (N,)

    def generator(self, fake: Critique, real: Critique | None = None) -> Tensor:
        return -fake.logits  # (N,)
