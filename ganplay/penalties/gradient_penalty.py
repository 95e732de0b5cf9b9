"""The gradient penalty of WGAN-GP: the critic's gradient has norm 1 between real and fake (arXiv 1704.00028, eq. 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ganplay.contracts import Critique, Penalty
from ganplay.options import option
from ganplay.penalties import penalties
from ganplay.penalties.slopes import slope


@penalties.register("gradient-penalty")
@dataclass(frozen=True)
class GradientPenalty(Penalty):
    """Squared deviation of each sample's gradient norm from a target k, on straight lines between real and fake.

    The paper's k is 1 and its penalty two-sided. The one-sided form lets the critic be flatter, which is all that a
    Lipschitz bound asks for. With k = 0 the penalty is centred at zero (arXiv 1902.03984).
    """

    weight: float = option(10.0, "Weight lambda of the penalty.", low=0.0, high=10_000.0)
    target: float = option(1.0, "Norm k that the gradient should have.", low=0.0, high=10.0)
    sided: str = option(
        "two", "Penalise norms on both sides of the target (two), or only those above it (one).", choices=("two", "one")
    )

    formula = r"\lambda \left(\lVert \nabla_{\hat x} f(\hat x) \rVert_2 - k\right)^2, \quad " \
        r"\hat x = \varepsilon x + (1 - \varepsilon)\, G(z), \quad \varepsilon \sim U[0, 1]"  # fmt: skip
    per_sample = True

    def __call__(
        self,
        discriminator: Callable[..., Critique],
        real: Tensor,
        fake: Tensor,
        y: Tensor | None,
        random: Generator,
    ) -> Tensor:
        epsilon = torch.rand(len(real), generator=random, device=real.device)  # one a sample
        mix = epsilon.view(-1, *[1] * (real.ndim - 1))  # (N, 1, 1, 1)
        deviation = slope(discriminator, mix * real + (1 - mix) * fake, y) - self.target  # (N,)
        if self.sided == "one":
            deviation = deviation.relu()
        return self.weight * deviation.square()
