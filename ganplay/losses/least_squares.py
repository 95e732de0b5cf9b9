"""The least squares loss: D fits one target to real logits and another to fake ones (arXiv 1611.04076, eq. 2 and 9).

Its gradient grows with the distance to the target, so a fake that D rejects with certainty is still pulled back. The
paper's other choice of targets, a = -1, b = 1, c = 0 (eq. 8), minimises a Pearson chi-squared divergence.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganplay.contracts import Critique, Example, Loss
from ganplay.losses import losses
from ganplay.options import option


@losses.register("least-squares")
@dataclass(frozen=True)
class LeastSquares(Loss):
    """Half the squared distance to a target: a for fake, b for real, c for what G wants D to say of its fakes.

    One-sided smoothing s (arXiv 1606.03498, section 3.4) moves the target of real samples the share s of the way to
    that of fakes: with a = 0 and b = 1 it is 1 - s.

    Raises:
        ValueError: the target of real samples is not above that of fake ones.
    """

    fake_target: float = option(0.0, "Target a of fake samples.", low=-10.0, high=10.0)
    real_target: float = option(1.0, "Target b of real samples.", low=-10.0, high=10.0)
    generator_target: float = option(1.0, "Target c that the generator wants for its samples.", low=-10.0, high=10.0)
    smoothing: float = option(0.0, "Label smoothing s: the real target is 1 - s instead of 1.", low=0.0, high=0.5)

    formula = r"L_D = \tfrac12 (f(x) - b)^2 + \tfrac12 (f(G(z)) - a)^2, \qquad L_G = \tfrac12 (f(G(z)) - c)^2"
    example = Example(
        real=(0.0,),
        fake=(2.0,),
        discriminator=2.5,
        generator=0.5,
        working="The real score misses its target 1 by 1 and the fake one its target 0 by 2: L_D = 1/2 + 4/2. "
        "G wants 1 for its fake and misses by 1: L_G = 1/2.",
    )

    @property
    def boundary(self) -> float:
        return (self.real_target + self.fake_target) / 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.real_target <= self.fake_target:
            raise ValueError(
                f"real_target is {self.real_target:g} and fake_target {self.fake_target:g}; the target of real samples "
                "must be the higher one."
            )

    def discriminator(self, real: Critique, fake: Critique) -> Tensor:
        target = self.real_target + self.smoothing * (self.fake_target - self.real_target)
        return ((real.logits - target).square() + (fake.logits - self.fake_target).square()) / 2  # (N,)

    def generator(self, fake: Critique, real: Critique | None = None) -> Tensor:
        return (fake.logits - self.generator_target).square() / 2  # (N,)
