"""A discriminator and two critics between two Gaussians on a line that are dragged apart.

Real samples follow p = N(-d / 2, 1), generated ones q = N(d / 2, 1). Everything ideal is known in closed form:

    D*(x) = p / (p + q) = sigmoid(-d x)        the best discriminator (arXiv 1406.2661, proposition 1)
    f*(x) = -x                                 the best critic with slopes of at most 1, for d > 0
    W(p, q) = d        KL(p || q) = d^2 / 2    JS(p, q) <= ln 2, however large d is (arXiv 1701.07875, section 2)

Beside them: a small network trained as a discriminator, and two trained as critics, with clipped weights and with a
gradient penalty (arXiv 1701.07875, figure 2; document 004, figure 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, sigmoid, softplus

from ganplay.contracts import Critique, Loss, Penalty
from ganplay.losses import losses
from ganplay.losses.non_saturating import NonSaturating
from ganplay.losses.wasserstein import Wasserstein
from ganplay.penalties.gradient_penalty import GradientPenalty
from ganplay.penalties.weight_clip import WeightClip
from ganplay.randomness import generator_for

DISTANCES = tuple(step / 2 for step in range(17))  # 0 to 8
EDGE, PLACES = 9.0, 91  # the line that is looked at: from -EDGE to EDGE at so many places
WIDTH, BATCH, ITERATIONS, RATE = 32, 128, 400, 5e-3
QUANTILES = 200  # fakes over which a pull is averaged


@dataclass(frozen=True)
class Judge:
    """What is trained: with which loss, and with which penalties of the package."""

    title: str
    loss: Loss
    penalties: tuple[Penalty, ...] = ()


JUDGES: Mapping[str, Judge] = {
    "discriminator": Judge("trained discriminator", NonSaturating()),
    "clip": Judge("trained critic, weights clipped at 0.1", Wasserstein(), (WeightClip(limit=0.1),)),
    # One-sided: on a line, a critic of the wrong slope would have to pass 0 to turn round, where two sides cost most.
    "penalty": Judge("trained critic, gradient penalty", Wasserstein(), (GradientPenalty(sided="one"),)),
}


@dataclass(frozen=True)
class Line:
    """What one judge says along the line: logits or scores, and their slopes, at `places`."""

    logits: tuple[float, ...]
    slopes: tuple[float, ...]
    pulls: Mapping[str, float]  # by generator loss: the mean of |d L_G / d x| over the fakes


def places() -> Tensor:
    """Where judges are looked at, float64 (PLACES,)."""
    return torch.linspace(-EDGE, EDGE, PLACES, dtype=torch.float64)


def fakes(distance: float, count: int = QUANTILES) -> Tensor:
    """The generated distribution as equally likely quantiles, float64 (count,)."""
    levels = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return torch.special.ndtri(levels) + distance / 2


def densities(x: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    """p(x) and q(x), float64."""
    scale = 1 / math.sqrt(2 * math.pi)
    return tuple(scale * torch.exp(-(x - mean).square() / 2) for mean in (-distance / 2, distance / 2))


def optimal_logit(x: Tensor, distance: float) -> Tensor:
    """log p(x) - log q(x): the logit of D*, a straight line of slope -d."""
    return -distance * x


def jensen_shannon(distance: float) -> float:
    """JS(p, q) in nats, 0 to ln 2: ln 2 + (E_p log D* + E_q log(1 - D*)) / 2, and both expectations are equal."""
    return math.log(2) - float(softplus(-optimal_logit(-fakes(distance, 20_000), distance)).mean())


def optimal_pulls(distance: float) -> dict[str, float]:
    """By loss, the mean of |d L_G / d x| over the fakes under the best judge, D* or f*."""
    x = fakes(distance)
    along = pulls_along(optimal_logit(x, distance), -distance)
    return {kind: float(pulls.mean()) for kind, pulls in along.items()} | {"wasserstein": 1.0 if distance else 0.0}


def pulls_along(logits: Tensor, slopes: Tensor | float) -> dict[str, Tensor]:
    """By loss, |d L_G / d x| at each of the places with these logits, (N,), under a discriminator."""
    return {kind: _gradients(losses[kind](), logits, slopes).abs() for kind in ("minimax", "non-saturating")}


def probability(logits: Tensor) -> Tensor:
    """D of logits."""
    return sigmoid(logits)


def train(judge: str, distances: Sequence[float], seed: int = 0, iterations: int = ITERATIONS) -> list[Line]:
    """Trains a small network for each distance, all together, and looks at it.

    A network has two hidden layers of `WIDTH` leaky units; each iteration takes `BATCH` fresh real and fake samples.

    Args:
        judge: a key of JUDGES.

    Raises:
        ValueError: there is no such judge.
    """
    if judge not in JUDGES:
        raise ValueError(f"There is no judge '{judge}'; choose one of {', '.join(JUDGES)}.")
    setting, random = JUDGES[judge], generator_for(seed, f"line {judge}")
    stack = _Stack(len(distances), random)
    optimiser = torch.optim.Adam(stack.parameters(), RATE, (0.5, 0.9))
    cooling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, iterations)  # so that it ends at rest
    half = torch.tensor(distances, dtype=torch.float32).repeat_interleave(BATCH).unsqueeze(1) / 2  # (S * N, 1)
    for _ in range(iterations):
        real = torch.randn(half.shape, generator=random) - half
        fake = torch.randn(half.shape, generator=random) + half
        objective = setting.loss.discriminator(stack(real), stack(fake))
        for penalty in setting.penalties:
            term = penalty(stack, real, fake, None, random)
            objective = objective if term is None else objective + term
        optimiser.zero_grad(set_to_none=True)
        (objective.mean() * len(distances)).backward()  # each network gets the gradient of its own mean
        optimiser.step()
        cooling.step()
        for penalty in setting.penalties:
            penalty.project(stack)
    return _looked_at(stack, setting, distances)


def train_all(
    distances: Sequence[float] = DISTANCES, seed: int = 0, progress: Callable[[str, float], None] | None = None
) -> dict[str, Any]:
    """Every judge at every distance as plain JSON data, numbers with four digits."""
    found: dict[str, Any] = {"distances": list(distances), "seed": seed, "lines": {}}
    for index, (name, judge) in enumerate(JUDGES.items()):
        if progress:
            progress(f"Training {judge.title}", index / len(JUDGES))
        found["lines"][name] = [
            {
                "logits": [float(f"{value:.4g}") for value in line.logits],
                "slopes": [float(f"{value:.4g}") for value in line.slopes],
                "pulls": {loss: float(f"{pull:.4g}") for loss, pull in line.pulls.items()},
            }
            for line in train(name, distances, seed)
        ]
    return found


def _looked_at(stack: _Stack, setting: Judge, distances: Sequence[float]) -> list[Line]:
    """What the trained networks say along the line and at the fakes."""
    count = len(distances)
    logits, slopes = stack.looked_at(places().float().repeat(count, 1))
    on_fakes = stack.looked_at(torch.stack([fakes(distance) for distance in distances]).float())
    kinds = ("wasserstein",) if setting.loss.scores else ("minimax", "non-saturating")
    found = []
    for row in range(count):
        pulls = {kind: _pull(losses[kind](), on_fakes[0][row].double(), on_fakes[1][row].double()) for kind in kinds}
        found.append(Line(tuple(logits[row].tolist()), tuple(slopes[row].tolist()), pulls))
    return found


def _pull(loss: Loss, logits: Tensor, slope: Tensor | float) -> float:
    """The mean of |d L_G / d x|."""
    return float(_gradients(loss, logits, slope).abs().mean())


def _gradients(loss: Loss, logits: Tensor, slope: Tensor | float) -> Tensor:
    """d L_G / d x = (d L_G / d logit) (d logit / d x), from the package's own loss."""
    logits = logits.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss.generator(Critique(logits)).sum(), logits)
    return gradient * slope


class _Stack(nn.Module):
    """S networks 1 -> WIDTH -> WIDTH -> 1; a batch holds as many samples for each, one network after the other."""

    def __init__(self, count: int, random: torch.Generator) -> None:
        super().__init__()
        sizes = (1, WIDTH, WIDTH, 1)
        shapes = list(pairwise(sizes))
        self.weights = nn.ParameterList([self._uniform(random, count, *shape) for shape in shapes])
        self.biases = nn.ParameterList([self._uniform(random, count, 1, out, inputs=into) for into, out in shapes])

    @staticmethod
    def _uniform(random: torch.Generator, *shape: int, inputs: int | None = None) -> nn.Parameter:
        """PyTorch's own spread of a linear layer's initial weights."""
        edge = 1 / math.sqrt(inputs or shape[1])
        one = (torch.rand(1, *shape[1:], generator=random) * 2 - 1) * edge  # every net begins with the same weights
        return nn.Parameter(one.repeat(shape[0], 1, 1))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Critique:
        hidden = x.view(len(self.weights[0]), -1, 1)  # (S, N, 1)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            hidden = leaky_relu(hidden, 0.2) if index < len(self.weights) - 1 else hidden
        return Critique(hidden.flatten())

    def looked_at(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and slopes at x (S, N), each (S, N)."""
        x = x.clone().requires_grad_(True)
        logits = self(x.view(-1, 1)).logits
        (slopes,) = torch.autograd.grad(logits.sum(), x)
        return logits.detach().view_as(x), slopes
