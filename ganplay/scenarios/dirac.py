"""The Dirac-GAN: the smallest GAN that does not converge (arXiv 1801.04406, section 2).

The data are one point at 0. The generator is one number, the place theta of its own point; the discriminator is one
number too, the slope psi of the line D(x) = psi x. At (0, 0) both are done. Whether they get there depends on the loss,
on the penalty, on the step size and on who moves when.

    theta' = -dL_G / d theta        psi' = -dL_D / d psi        with the package's own losses and penalties
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganplay.contracts import Critique, Loss, Penalty
from ganplay.randomness import generator_for

ORDERS = ("simultaneous", "alternating")


@dataclass(frozen=True)
class DiracGan:
    """A game of two numbers.

    Attributes:
        loss: of the registry; it decides what theta and psi each go down.
        penalties: added to the discriminator's loss; a weight clip acts on psi after each of its steps.
        consensus: weight of half the squared gradient of the other player, which each player goes down as well; 0 for
            none. These are the terms of consensus optimisation (arXiv 1705.10461, eq. 8) that couple the two; with all
            of its terms five steps of psi for one of theta end on a circle.
    """

    loss: Loss
    penalties: tuple[Penalty, ...] = ()
    consensus: float = 0.0

    def field(self, theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        """Where (theta, psi) are drawn to: the negative gradients of the two losses, (N,) each, float64.

        Args:
            theta, psi: places (N,), any number of games side by side.
        """
        with torch.enable_grad():
            theta = theta.detach().double().requires_grad_(True)
            psi = psi.detach().double().requires_grad_(True)
            down_theta, down_psi = self._gradients(theta, psi)
            if self.consensus:
                (more_theta,) = torch.autograd.grad(down_psi.square().sum() / 2, theta, retain_graph=True)
                (more_psi,) = torch.autograd.grad(down_theta.square().sum() / 2, psi)
                down_theta, down_psi = down_theta + self.consensus * more_theta, down_psi + self.consensus * more_psi
        return -down_theta.detach(), -down_psi.detach()

    def eigenvalues(self) -> Tensor:
        """The two eigenvalues of the field's Jacobian at (0, 0), complex128.

        Real parts below 0 mean convergence for small enough steps, imaginary parts rotation. With f'(0) = 1/2 and the
        zero-centred penalty of weight g they are -g/2 +- sqrt(g^2/4 - 1/4).
        """
        near = 1e-6
        theta = torch.tensor([near, -near, 0.0, 0.0], dtype=torch.float64)
        psi = torch.tensor([0.0, 0.0, near, -near], dtype=torch.float64)
        field = torch.stack(self.field(theta, psi))  # (2, 4)
        return torch.linalg.eigvals((field[:, 0::2] - field[:, 1::2]) / (2 * near))

    def path(
        self, start: tuple[float, float], step: float, steps: int, order: str = "simultaneous", critic_steps: int = 1
    ) -> Tensor:
        """The places (steps + 1, 2) of (theta, psi) under gradient descent, float64.

        Args:
            order: "simultaneous", or "alternating": theta moves, then psi `critic_steps` times.

        Raises:
            ValueError: the order is unknown.
        """
        if order not in ORDERS:
            raise ValueError(f"There is no order '{order}'; choose one of {', '.join(ORDERS)}.")
        theta, psi = (torch.tensor([value], dtype=torch.float64) for value in start)
        places = [torch.cat([theta, psi])]
        for _ in range(steps):
            moved = theta + step * self._pull(theta, psi, 0)
            if order == "simultaneous":
                psi = self._clipped(psi + step * self._pull(theta, psi, 1))
            else:
                for _ in range(critic_steps):
                    psi = self._clipped(psi + step * self._pull(moved, psi, 1))
            theta = moved
            places.append(torch.cat([theta, psi]))
        return torch.stack(places)

    def _pull(self, theta: Tensor, psi: Tensor, player: int) -> Tensor:
        """One part of `field`: 0 for theta, 1 for psi. Without consensus the other one is not computed."""
        if self.consensus:
            return self.field(theta, psi)[player]
        with torch.enable_grad():
            moving = (theta, psi)[player].detach().requires_grad_(True)
            loss = self._generator_loss(moving, psi) if player == 0 else self._discriminator_loss(theta, moving)
            return -torch.autograd.grad(loss, moving)[0]

    def _gradients(self, theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        """dL_G / d theta and dL_D / d psi, (N,) each, which can be differentiated again."""
        (down_theta,) = torch.autograd.grad(self._generator_loss(theta, psi), theta, create_graph=True)
        (down_psi,) = torch.autograd.grad(self._discriminator_loss(theta, psi), psi, create_graph=True)
        return down_theta, down_psi

    def _generator_loss(self, theta: Tensor, psi: Tensor) -> Tensor:
        """The sum over all games."""
        line = _Line(psi)
        return self.loss.generator(line(theta.unsqueeze(1)), line(torch.zeros_like(theta).unsqueeze(1))).sum()

    def _discriminator_loss(self, theta: Tensor, psi: Tensor) -> Tensor:
        """The sum over all games, with the penalties."""
        line = _Line(psi)
        real, fake = torch.zeros_like(theta).unsqueeze(1), theta.unsqueeze(1)  # (N, 1) each
        total = self.loss.discriminator(line(real), line(fake)).sum()
        for penalty in self.penalties:
            term = penalty(line, real, fake, None, generator_for(0, "dirac"))
            total = total if term is None else total + term.sum()
        return total

    def _clipped(self, psi: Tensor) -> Tensor:
        """psi after the projections of the penalties."""
        line = nn.ParameterList([nn.Parameter(psi.clone(), requires_grad=False)])
        for penalty in self.penalties:
            penalty.project(line)
        return line[0].detach()


class _Line:
    """D(x) = psi x, a discriminator of its own for each of N places."""

    def __init__(self, psi: Tensor) -> None:
        self.psi = psi

    def __call__(self, x: Tensor, y: Tensor | None = None) -> Critique:
        return Critique(self.psi * x[:, 0])


def radius(path: Sequence[float] | Tensor) -> float:
    """The distance of a path's last place from (0, 0), where the game should end."""
    return float(torch.as_tensor(path)[-1].norm())
