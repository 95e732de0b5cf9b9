"""Weight clipping: each parameter of the critic is moved into [-c, c] after a step (arXiv 1701.07875, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ganplay.contracts import Penalty
from ganplay.options import option
from ganplay.penalties import penalties


@penalties.register("weight-clip")
@dataclass(frozen=True)
class WeightClip(Penalty):
    """Keeps the critic Lipschitz by keeping its weights in a box; crude, for it wastes the critic's capacity."""

    limit: float = option(0.01, "Largest absolute value c of a weight.", low=1e-6, high=100.0)

    formula = r"w \leftarrow \mathrm{clip}(w, -c, c)"

    @torch.no_grad()
    def project(self, discriminator: nn.Module) -> None:
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.limit, self.limit)
