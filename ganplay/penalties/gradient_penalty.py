"""The gradient penalty of WGAN-GP: the critic's gradient has norm 1 between real and fake (arXiv 1704.00028, eq. 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganplay.contracts import Critique, Penalty
from ganplay.options import option
from ganplay.penalties import penalties


@penalties.register("gradient-penalty")
@dataclass(frozen=True)
class GradientPenalty(Penalty):
    """Squared deviation of each sample's gradient norm from 1, on straight lines between real and fake samples."""

    weight: float = option(10.0, "Weight lambda of the penalty.", low=0.0, high=10_000.0)

    formula = r"\lambda \left(\lVert \nabla_{\hat x} f(\hat x) \rVert_2 - 1\right)^2, \quad " \
        r"\hat x = \varepsilon x + (1 - \varepsilon)\, G(z), \quad \varepsilon \sim U[0, 1]"  # fmt: skip
    per_sample = True

    def __call__(
        self, discriminator: Callable[..., Critique], real: Tensor, fake: Tensor, y: Tensor | None, epsilon: Tensor
    ) -> Tensor:
        mix = epsilon.view(-1, *[1] * (real.ndim - 1))  # (N, 1, 1, 1)
        between = (mix * real + (1 - mix) * fake).requires_grad_(True)
        logits = discriminator(between, y).logits
        (gradient,) = torch.autograd.grad(logits.sum(), between, create_graph=True)  # (N, *sample)
        norm = gradient.flatten(1).square().sum(1).add(1e-12).sqrt()  # (N,); the small number keeps sqrt'(0) finite
        return self.weight * (norm - 1).square()
