"""The arithmetic that directions in latent space are found by: pure functions of tables."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

MOST = 10  # directions of `principal` and `factorised`
_NOTHING = 1e-9  # of the largest eigenvalue, which a smaller one is only by rounding
_LINEAR = 0.5  # share of a component's variance that a straight line through latent space must explain
_RIDGES = tuple(10.0**power for power in range(-4, 3))  # strengths of the ridge, in units of the inputs' mean power


def principal(values: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """The directions in z that principal components of `values` (N, F) answer to, for the latents z (N, z) behind them.

    With the components' coordinates X = P S (N, K), of variances S^2 / N, each row of U = argmin |X U - z|^2 is the
    step of z that goes with one unit of a coordinate. Components that z explains by less than half are left out: no
    straight line through latent space moves them. Both arguments must have mean 0.

    Returns:
        vectors (K, z) of length 1, and the share of all variance that each component has, (K,).
    """
    squares, basis = torch.linalg.eigh((values @ values.T).double())  # (N,), (N, N), ascending
    squares, basis = squares.flip(0).clamp(min=0), basis.flip(1)
    rank = min(MOST, int((squares > _NOTHING * squares[0]).sum()))
    basis, z = basis[:, :rank], z.double()
    linear = (torch.linalg.qr(z).Q.T @ basis).square().sum(0)  # (K,), for the columns of the basis have length 1
    steps = basis.T @ z  # (K, z), S times the rows of U
    kept = linear >= _LINEAR
    return _unit(steps[kept]), (squares / squares.sum())[:rank][kept].float()


def factorised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The directions (K, z) of length 1 that a weight (F, z) stretches most, and by how much (K,)."""
    squares, vectors = torch.linalg.eigh(weight.double().T @ weight.double())  # ascending
    squares, vectors = squares.flip(0), vectors.T.flip(0)
    rank = min(MOST, int((squares > _NOTHING * squares[0]).sum()))
    return _unit(vectors[:rank]), squares[:rank].sqrt().float()


def regressed(z: Tensor, values: Tensor, groups: Tensor, held_out: int) -> tuple[Tensor, Tensor]:
    """The directions along which values (N, A) change with latents z (N, z), by ridge regression within groups (N,).

    The strength of the ridge is chosen for each value by generalised cross-validation (Golub, Heath and Wahba 1979).

    Returns:
        vectors (A, z) of length 1, fitted to all samples; R² (A,) on the last `held_out` of a fit to the others.
    """
    fitted = len(z) - held_out
    z, values = z.double(), values.double()
    part = slice(fitted)
    inputs, outputs = (within(table, groups, part) for table in (z, values))
    weights = _ridge(inputs[part], outputs[part])  # (z, A)
    rest = outputs[fitted:] - inputs[fitted:] @ weights
    score = 1 - rest.square().sum(0) / outputs[fitted:].square().sum(0)
    weights = _ridge(within(z, groups), within(values, groups))
    return normalize(weights.T, dim=1).float(), score.float()


def _ridge(inputs: Tensor, outputs: Tensor) -> Tensor:
    """Weights (z, A) from inputs (N, z) and outputs (N, A), both of mean 0."""
    left, sizes, right = torch.linalg.svd(inputs, full_matrices=False)
    along = left.T @ outputs  # (K, A)
    power, count = sizes.square(), len(inputs)
    best, least = torch.zeros_like(along), outputs.new_full((outputs.shape[1],), math.inf)
    for strength in _RIDGES:
        shrink = power / (power + strength * power.mean())  # (K,)
        rest = outputs.square().sum(0) - ((2 - shrink).mul(shrink).unsqueeze(1) * along.square()).sum(0)
        score = rest / (count - shrink.sum()) ** 2
        best = torch.where(score < least, (shrink / sizes).unsqueeze(1) * along, best)
        least = torch.minimum(score, least)
    return right.T @ best


def within(values: Tensor, groups: Tensor, fitted: slice = slice(None)) -> Tensor:
    """Values (N, A) less the mean of their group's members, or of those among the fitted ones."""
    count = int(groups.max()) + 1
    sums = values.new_zeros(count, values.shape[1]).index_add_(0, groups[fitted], values[fitted])
    members = torch.bincount(groups[fitted], minlength=count).clamp(min=1)
    return values - (sums / members.unsqueeze(1))[groups]


def _unit(vectors: Tensor) -> Tensor:
    """Vectors (K, z) at length 1 whose largest entry is positive: either sign would do, but always the same one."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return normalize(vectors * largest.sign(), dim=1).float()
