"""How many modes of a mixture a generator finds, by the protocol that the papers on mode collapse share.

VEEGAN (arXiv 1705.07761, section 4.1) and PacGAN (arXiv 1712.04086, section 4.1) draw 2,500 samples and count

- a sample as **of high quality** when it lies within three standard deviations of the nearest mode's centre;
- a mode as **covered** when it is the nearest one of at least one sample of high quality;
- the **reverse KL** as the divergence of the samples' distribution over modes, each sample given to its nearest mode
  whether it is good or not, from that of the data: sum_k q_k ln(q_k / p_k), in nats. PacGAN takes p from as many real
  samples; the sets here are mixtures of equally likely Gaussians, so p_k = 1 / K exactly.

In the plane a true sample is within three sigma with probability 1 - exp(-9 / 2) = 98.9 %, so that no generator should
score 100 %. One good sample in 2,500 covers a mode: the count says what is missing, the reverse KL how unevenly the
rest is served.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SAMPLES = 2_500
DEVIATIONS = 3.0


@dataclass(frozen=True)
class ModeCounts:
    """What M samples say of K modes.

    Attributes:
        covered, of: modes found, and K.
        high_quality: share of the samples near a mode, 0 to 1; a sample that is not a number is not.
        reverse_kl: in nats, 0 when every mode gets its share, ln K when one mode gets all. Nothing tells it from none
            when no sample is a number: it is then ln K too, the largest that it can be.
    """

    covered: int
    of: int
    high_quality: float
    reverse_kl: float


@torch.no_grad()
def mode_counts(points: Tensor, centres: Tensor, sigma: float) -> ModeCounts:
    """Counts modes among samples.

    Args:
        points: (M, d), 2,500 of them by the protocol.
        centres: (K, d) of equally likely Gaussians.
        sigma: standard deviation of each.

    Raises:
        ValueError: there are no points or no centres, or their dimensions differ.
    """
    if points.ndim != 2 or centres.ndim != 2 or not points.numel() or not centres.numel():
        raise ValueError(
            f"Points have shape {tuple(points.shape)} and centres {tuple(centres.shape)}; (M, d) and (K, d) are needed."
        )
    if points.shape[1] != centres.shape[1]:
        raise ValueError(
            f"Points have {points.shape[1]} coordinates and centres {centres.shape[1]}; give equally many."
        )
    modes = len(centres)
    known = points[points.isfinite().all(1)].double()
    if not len(known):
        return ModeCounts(0, modes, 0.0, math.log(modes))
    distances = torch.cdist(known, centres.double(), compute_mode="donot_use_mm_for_euclid_dist")  # (M, K)
    distance, nearest = distances.min(1)
    good = distance <= DEVIATIONS * sigma
    covered = int(nearest[good].unique().numel())
    shares = torch.bincount(nearest, minlength=modes) / len(known)
    reverse_kl = float(torch.special.xlogy(shares, shares * modes).sum())
    return ModeCounts(covered, modes, float(good.sum()) / len(points), max(0.0, reverse_kl))
