"""KL and Jensen-Shannon divergence between two clouds of points, from nearest neighbours and without histograms.

A histogram's bins and unequal counts make two samples of one law look different. Neighbours do not:

- **KL(real || fake)** compares two distances of each real sample: rho to the k-th nearest of the other real ones, nu to
  the k-th nearest fake. It is the mean of d ln(nu / rho) in d dimensions (Wang, Kulkarni and Verdu 2009, "Divergence
  estimation for multidimensional densities via k-nearest-neighbor distances"). Where a real mode has no fakes the true
  value is infinite; the estimate then says how far the nearest ones are, in units of the mode's own spacing. Thin tails
  without any fakes make it fall short: 1,000 samples show 1.6 of the 2 nats between Gaussians two deviations apart.
- **JS(real, fake)** is what a sample tells of its label, real or fake: their mutual information, estimated with the
  neighbours of Ross 2014 ("Mutual information between discrete and continuous data sets"). The ball around a sample
  that holds k more of its own kind holds m of both kinds; the mean of psi(k) - psi(m), psi being the digamma function,
  plus psi(2 N) - psi(N). Clouds that do not meet have ln 2.

With equal counts neither has a bias when the two laws are equal: their means over many pairs of samples are 0, so that
a single estimate is sometimes a little below 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

NEIGHBOURS = 5
LARGEST = 1_000  # points of each cloud that are compared: standard errors of about 0.02 nats, a tenth of a second
_NEAREST = 1e-6  # the least distance that counts, in units of the real cloud's spread: drawn points may coincide


class Divergences(NamedTuple):
    """Both in nats; not a number where a cloud holds something that is not a number."""

    kl: float
    js: float


@torch.no_grad()
def divergences(real: Tensor, fake: Tensor, neighbours: int = NEIGHBOURS) -> Divergences:
    """KL(real || fake) and JS(real, fake) in nats.

    Args:
        real, fake: (N, d) and (M, d), independent samples. As many of each are used, the first ones, 1,000 at most.
        neighbours: k; more of them make the estimates steadier and blur details smaller than their ball.

    Raises:
        ValueError: the clouds differ in dimension or have too few points.
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"The clouds have shapes {tuple(real.shape)} and {tuple(fake.shape)}; (N, d) and (M, d) are needed."
        )
    count = min(len(real), len(fake), LARGEST)
    if not 1 <= neighbours <= count - 2:
        raise ValueError(
            f"There are {count} points of each cloud; {neighbours} neighbours need {neighbours + 2} points."
        )
    real, fake = real[:count].float(), fake[:count].float()
    if not (real.isfinite().all() and fake.isfinite().all()):
        return Divergences(math.nan, math.nan)
    among_real, among_fake, between = _distances(real, real), _distances(fake, fake), _distances(real, fake)
    for own in (among_real, among_fake):
        own.fill_diagonal_(math.inf)  # no sample is its own neighbour
    told = _told(among_real, between, neighbours) + _told(among_fake, between.t(), neighbours)
    js = _psi(2 * count) - _psi(count) + told / 2
    least = _NEAREST * float(real.std(0).norm()) or _NEAREST
    rho = _furthest(among_real, neighbours).clamp_min(least)
    nu = _furthest(between[:, 1:], neighbours).clamp_min(least)  # of as many fakes as there are other real ones
    kl = real.shape[1] * (nu / rho).double().log().mean()
    return Divergences(float(kl), float(js))


def _told(own: Tensor, other: Tensor, k: int) -> Tensor:
    """The mean of psi(own samples) - psi(all samples) in the balls that hold k of their own kind, a 0-d tensor."""
    radius = _furthest(own, k)
    same = (own <= radius).sum(1)  # k, or more where samples coincide
    return (_psi(same) - _psi(same + (other <= radius).sum(1))).mean()


def _furthest(distances: Tensor, k: int) -> Tensor:
    """The k-th smallest of each row, (N, 1)."""
    return distances.topk(k, 1, largest=False).values[:, -1:]


def _distances(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")  # small distances must stay exact


def _psi(count: Tensor | int) -> Tensor:
    return torch.digamma(torch.as_tensor(count, dtype=torch.float64))
