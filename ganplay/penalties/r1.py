"""R1: the discriminator's gradient is pushed to zero at real samples (arXiv 1801.04406, section 4.1, eq. 9).

At the equilibrium D says the same everywhere on the data. A slope that stays there keeps pushing G away again, and the
two go round in circles (the Dirac-GAN); with R1 they come to rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from ganplay.contracts import Critique, Penalty
from ganplay.options import option
from ganplay.penalties import penalties
from ganplay.penalties.slopes import squared_slope


@penalties.register("r1")
@dataclass(frozen=True)
class R1(Penalty):
    """Half the squared gradient norm at each real sample, with the weight gamma (10 in the paper)."""

    weight: float = option(10.0, "Weight gamma; half of it multiplies the squared norm.", low=0.0, high=10_000.0)

    formula = r"\tfrac{\gamma}{2} \lVert \nabla_x f(x) \rVert_2^2"
    per_sample = True

    def __call__(
        self,
        discriminator: Callable[..., Critique],
        real: Tensor,
        fake: Tensor,
        y: Tensor | None,
        random: Generator,
    ) -> Tensor:
        return self.weight / 2 * squared_slope(discriminator, real, y)  # (N,)
