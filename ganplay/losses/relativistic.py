"""The relativistic losses: D says how much more real one sample looks than another (arXiv 1807.00734).

Against its partner in the batch it is the pairing loss of R3GAN (arXiv 2501.05441, eq. 2, with the logistic f): every
fake is judged beside a real sample, not by one boundary for all, which works against dropped modes. Alone it need not
converge; R3GAN adds the penalties R1 and R2. Against the mean of the other kind it is the relativistic average loss.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from ganplay.contracts import Critique, Example, Loss
from ganplay.losses import losses
from ganplay.options import option


@losses.register("relativistic")
@dataclass(frozen=True)
class Relativistic(Loss):
    """Cross-entropy of logit differences: D wants real above fake, G fake above real."""

    against: str = option(
        "pair",
        "What a sample is compared with: its partner in the batch (R3GAN), or the mean of the other kind (RaGAN).",
        choices=("pair", "mean"),
    )

    formula = r"L_D = \log(1 + e^{f(G(z)) - f(x)}), \qquad L_G = \log(1 + e^{f(x) - f(G(z))})"
    example = Example(
        real=(3.0,),
        fake=(2.0,),
        discriminator=0.313262,
        generator=1.313262,
        working="Only the lead of 1 counts, not that D likes both: L_D = ln(1 + 1/e) and L_G = ln(1 + e).",
    )
    scores = True  # a constant added to every logit changes nothing, so 0 is no boundary
    relative = True

    def discriminator(self, real: Critique, fake: Critique) -> Tensor:
        return self._prefer(real.logits, fake.logits)  # (N,)

    def generator(self, fake: Critique, real: Critique | None = None) -> Tensor:
        """The same with the roles swapped.

        Raises:
            ValueError: no critique of real samples was given.
        """
        if real is None:
            raise ValueError("The loss 'relativistic' compares fakes with real samples; give it the critique of both.")
        return self._prefer(fake.logits, real.logits)  # (N,)

    def _prefer(self, higher: Tensor, lower: Tensor) -> Tensor:
        """(N,), small where `higher` is above `lower`."""
        if self.against == "pair":
            return softplus(lower - higher)
        return softplus(lower.mean() - higher) + softplus(lower - higher.mean())
