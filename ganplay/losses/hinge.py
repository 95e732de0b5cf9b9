"""The hinge loss: D stops learning from samples beyond a margin of 1 (arXiv 1705.02894; document 004, eq. 12)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu

from ganplay.contracts import Critique, Example, Loss
from ganplay.losses import losses


@losses.register("hinge")
@dataclass(frozen=True)
class Hinge(Loss):
    """D wants real logits above 1 and fake ones below -1, no further; G raises the logits of its fakes."""

    formula = r"L_D = \max(0, 1 - f(x)) + \max(0, 1 + f(G(z))), \qquad L_G = -f(G(z))"
    example = Example(
        real=(0.5, 2.0),
        fake=(-0.5, 1.0),
        discriminator=1.5,
        generator=-0.25,
        working="The real pair misses the margin by 0.5 and 0, the fake pair by 0.5 and 2: L_D = (1 + 2) / 2. "
        "The mean fake logit is 0.25: L_G = -0.25.",
    )

    def discriminator(self, real: Critique, fake: Critique) -> Tensor:
        return relu(1 - real.logits) + relu(1 + fake.logits)  # (N,)

    def generator(self, fake: Critique, real: Critique | None = None) -> Tensor:
        return -fake.logits  # (N,)
