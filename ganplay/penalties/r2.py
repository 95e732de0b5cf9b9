"""R2: the discriminator's gradient is pushed to zero at generated samples (arXiv 1801.04406, section 4.1, eq. 10).

R3GAN needs it beside R1 (arXiv 2501.05441): early in training real and generated samples lie far apart, and R1 alone
leaves D free to be steep at the latter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from ganplay.contracts import Critique, Penalty
from ganplay.options import option
from ganplay.penalties import penalties
from ganplay.penalties.slopes import squared_slope


@penalties.register("r2")
@dataclass(frozen=True)
class R2(Penalty):
    """Half the squared gradient norm at each generated sample, with the weight gamma (10 in the paper)."""

    weight: float = option(10.0, "Weight gamma; half of it multiplies the squared norm.", low=0.0, high=10_000.0)

    formula = r"\tfrac{\gamma}{2} \lVert \nabla_{\tilde x} f(\tilde x) \rVert_2^2, \quad \tilde x = G(z)"
    per_sample = True

    def __call__(
        self,
        discriminator: Callable[..., Critique],
        real: Tensor,
        fake: Tensor,
        y: Tensor | None,
        random: Generator,
    ) -> Tensor:
        return self.weight / 2 * squared_slope(discriminator, fake, y)  # (N,)
