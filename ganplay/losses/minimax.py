"""The minimax (saturating) loss of the original GAN: the generator minimises log(1 - D(G(z))) (arXiv 1406.2661, eq. 1).

When D rejects a fake with certainty its gradient vanishes: d/dl of -softplus(l) is -sigmoid(l), which is 0 at l = -30.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from ganplay.contracts import Critique, Example
from ganplay.losses import losses
from ganplay.losses.non_saturating import NonSaturating


@losses.register("minimax")
@dataclass(frozen=True)
class Minimax(NonSaturating):
    """The zero-sum game: G's loss is minus the part of D's loss that depends on G."""

    formula = r"L_D = -\log D(x) - \log(1 - D(G(z))), \qquad L_G = \log(1 - D(G(z)))"
    example = Example(
        real=(0.0,),
        fake=(0.0,),
        discriminator=1.386294,
        generator=-0.693147,
        working="D says 1/2 to both: L_D = 2 ln 2 and L_G = ln(1/2).",
    )

    def generator(self, fake: Critique, real: Critique | None = None) -> Tensor:
        return -softplus(fake.logits)  # (N,)
