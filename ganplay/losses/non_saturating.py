"""The non-saturating loss: the generator maximises log D(G(z)) (arXiv 1406.2661, section 3; 1701.00160, section 3.2.3).

With logits l, D = sigmoid(l), so -log D = softplus(-l) and -log(1 - D) = softplus(l); nothing overflows and the
gradient of a fake that is rejected with certainty stays at -1.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from ganplay.contracts import Critique, Example, Loss
from ganplay.losses import losses
from ganplay.options import option


@losses.register("non-saturating")
@dataclass(frozen=True)
class NonSaturating(Loss):
    """Cross-entropy for D; for G the cross-entropy with the labels swapped.

    One-sided smoothing s (arXiv 1606.03498, section 3.4) asks D for 1 - s instead of 1 on real samples, so that it
    gains nothing by being certain of them. The target of fakes stays 0: raising it would make D protect the fakes
    that G makes already.
    """

    average: bool = option(False, "Average the discriminator's real and fake terms instead of adding them.")
    smoothing: float = option(0.0, "Label smoothing s: the real target is 1 - s instead of 1.", low=0.0, high=0.5)

    formula = r"L_D = -\log D(x) - \log(1 - D(G(z))), \qquad L_G = -\log D(G(z))"
    example = Example(
        real=(0.0,),
        fake=(0.0,),
        discriminator=1.386294,
        generator=0.693147,
        working="D says 1/2 to both: L_D = 2 ln 2 and L_G = ln 2.",
    )

    def discriminator(self, real: Critique, fake: Critique) -> Tensor:
        on_real = (1 - self.smoothing) * softplus(-real.logits) + self.smoothing * softplus(real.logits)
        total = on_real + softplus(fake.logits)  # (N,)
        return total / 2 if self.average else total

    def generator(self, fake: Critique, real: Critique | None = None) -> Tensor:
        return softplus(-fake.logits)  # (N,)
