"""What a critic looks like between real points and the same points with noise (arXiv 1704.00028, figure 1).

The generator does not learn: its fakes are real points + N(0, 1). So the critic alone decides what there is to see. It
is trained until it hardly changes, once with clipped weights and once with the gradient penalty, and then read at every
point of the plane. A good critic is a relief of the data: high where they are, low elsewhere, nowhere steeper than 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganplay.contracts import Dataset, Optimiser, Penalty, Shapes
from ganplay.data.points import Grid, Ring, SwissRoll
from ganplay.data.resident import Samples, load
from ganplay.losses.wasserstein import Wasserstein
from ganplay.models.fully_connected import FullyConnectedDiscriminator
from ganplay.optimisers import Adam, RMSprop
from ganplay.penalties.gradient_penalty import GradientPenalty
from ganplay.penalties.weight_clip import WeightClip
from ganplay.randomness import generator_for

# The paper's sets at its scale, about [-2, 2], so that unit noise hides the modes of all three alike
SETS: Mapping[str, Dataset] = {
    "8 Gaussians": Ring(radius=2**0.5, sigma=0.02),
    "25 Gaussians": Grid(spacing=2**-0.5, sigma=0.02),
    "Swiss roll": SwissRoll(),
}
EXTENT = 2.5  # half the width of the plane that is read
SIDE = 61
HELD = 2_000  # points of each kind that judge a finished critic
NUDGE = 0.3  # standard deviation of a small displacement of real points


@dataclass(frozen=True)
class Critic:
    """One way to train a critic.

    The paper's nets have four layers of 512 units and train for 10^5 steps; these have three of 64. Their clip is ten
    times the paper's, so that a layer of 64 clipped weights can pass on as much as one of 512.
    """

    penalty: Penalty
    optimiser: Optimiser
    network: FullyConnectedDiscriminator = field(
        default=FullyConnectedDiscriminator(widths=(64, 64, 64), activation="relu")
    )
    steps: int = 2_000
    batch_size: int = 256


CRITICS: Mapping[str, Critic] = {
    "Weight clipping": Critic(WeightClip(limit=0.1), RMSprop(learning_rate=1e-3)),
    "Gradient penalty": Critic(GradientPenalty(weight=1.0), Adam(learning_rate=1e-3, beta1=0.5, beta2=0.9)),
}


@dataclass(frozen=True, eq=False)
class Surface:
    """A trained critic on the plane.

    Attributes:
        values, slopes: (side, side), the critic and the length of its gradient; rows from low to high y, columns from
            low to high x, both from -extent to extent.
        gap: mean value of real points less that of fakes, on points that the critic has not been trained on.
        steepest: the 99.9 % quantile of its slopes there, between real and fake points and on the plane.
        detail: how much lower the critic is where real points were moved by N(0, 0.3^2), as a share of the most that
            its steepest slope allows: 1 for a critic that falls off around each real point, 0 for one that is blind
            to what is finer than the noise.
    """

    extent: float
    values: Tensor
    slopes: Tensor
    gap: float
    steepest: float
    detail: float


def value_surface(
    dataset: Dataset, critic: Critic, seed: int = 0, progress: Callable[[float], None] = lambda share: None
) -> Surface:
    """Trains one critic against real points + N(0, 1) and reads its surface; about two seconds on one core.

    Args:
        dataset: points; those of SETS fit the plane that is read.
        progress: called with the finished share, 0 to 1.
    """
    samples, random = load(dataset, (2,)), generator_for(seed, "value surface")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator_for(seed, "value surface weights").initial_seed())
        network = critic.network.build(Shapes((2,), 2))
    optimiser = critic.optimiser.build(network.parameters())
    for step in range(critic.steps):
        real, fake = _pair(samples, critic.batch_size, random)
        objective = Wasserstein().discriminator(network(real), network(fake)).mean()
        term = critic.penalty(network, real, fake, None, random)
        optimiser.zero_grad(set_to_none=True)
        (objective if term is None else objective + term.mean()).backward()
        optimiser.step()
        critic.penalty.project(network)
        if step % 100 == 0:
            progress(step / critic.steps)
    return _read(network, load(dataset, (2,), "test"), random)


def value_surfaces(seed: int = 0) -> dict[str, dict[str, Surface]]:
    """The whole figure: by set, by critic."""
    return {
        name: {how: value_surface(dataset, critic, seed) for how, critic in CRITICS.items()}
        for name, dataset in SETS.items()
    }


def _pair(samples: Samples, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Real points and fakes (count, 2): other real points with noise."""
    real, under = samples.values[torch.randint(len(samples), (2, count), generator=random)].unbind(0)
    return real, under + torch.randn(under.shape, generator=random)


def _read(network: nn.Module, held_out: Samples, random: torch.Generator) -> Surface:
    axis = torch.linspace(-EXTENT, EXTENT, SIDE)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    values, slopes = _values(network, torch.stack([x, y], 2).flatten(0, 1))
    real, fake = _pair(held_out, HELD, random)
    mix = torch.rand(HELD, 1, generator=random)
    (on_real, _), (on_fake, _) = _values(network, real), _values(network, fake)
    between = _values(network, mix * real + (1 - mix) * fake)[1]
    on_moved, _ = _values(network, real + NUDGE * torch.randn(real.shape, generator=random))
    gap, steepest = float(on_real.mean() - on_fake.mean()), float(torch.cat([between, slopes]).quantile(0.999))
    most = max(steepest, 1e-12) * NUDGE * math.sqrt(math.pi / 2)  # a Rayleigh variable's mean length
    detail = float(on_real.mean() - on_moved.mean()) / most
    shape = (SIDE, SIDE)
    return Surface(EXTENT, values.view(shape), slopes.view(shape), gap, steepest, detail)


def _values(network: nn.Module, points: Tensor) -> tuple[Tensor, Tensor]:
    """A critic's values (N,) at points (N, 2), and the lengths (N,) of its gradients there."""
    points = points.clone().requires_grad_()
    with torch.enable_grad():
        values = network(points).logits
        (gradients,) = torch.autograd.grad(values.sum(), points)
    return values.detach(), gradients.norm(dim=1)
