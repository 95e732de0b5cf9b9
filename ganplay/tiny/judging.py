"""Registered losses on stacked logits, and the gradients of their means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganplay.contracts import Critique, Loss
from ganplay.tiny.recording import Function, recorded
from ganplay.tiny.updates import runs

Judge = Callable[[Tensor, Tensor], Tensor]


class Losses:
    """The losses of all members, neighbours with equal ones in one call.

    Where a loss treats each sample by itself the logits of several members are one long batch; one that looks across
    the batch is mapped over the members. Which of the two it is, is tried out when the object is made.

    Args:
        losses: one a member.
        count: samples N of a batch.
        often: True to write the operations down and repeat them, for batches of N samples only.

    Attributes:
        relative: True when a generator's loss needs the logits of real samples too.
        boundaries: (S, 1), the logits above which a sample counts as real.

    Raises:
        ValueError: a loss needs more of a critique than its logits.
    """

    def __init__(self, losses: Sequence[Loss], count: int, often: bool = False) -> None:
        self.relative = any(loss.relative for loss in losses)
        self.boundaries = torch.tensor([[loss.boundary] for loss in losses])
        self._groups = []
        for members, loss in runs(losses):
            functions = [_differentiated(judge_of(loss, generators), generators, count) for generators in (False, True)]
            if often:
                both = torch.randn(members.stop - members.start, 2 * count, generator=torch.Generator().manual_seed(1))
                real, fake = both.split(count, 1)
                functions = [
                    recorded(functions[0], real, fake),
                    recorded(functions[1], real.contiguous(), fake.contiguous()),
                ]
            self._groups.append((members, *functions))

    def discriminator(self, real: Tensor, fake: Tensor, gradient_real: Tensor, gradient_fake: Tensor) -> Tensor:
        """Losses (S, N) of logits (S, N); the gradients of each member's mean are written to the last two."""
        return self._differentiate(1, real, fake, gradient_real, gradient_fake)

    def generator(self, real: Tensor, fake: Tensor, gradient_fake: Tensor) -> Tensor:
        """The same for the generators; logits of real samples are constants, and looked at by relative losses only."""
        return self._differentiate(2, real, fake, None, gradient_fake)

    def _differentiate(
        self, which: int, real: Tensor, fake: Tensor, gradient_real: Tensor | None, gradient_fake: Tensor
    ) -> Tensor:
        values = []
        for group in self._groups:
            parts = real, fake, gradient_fake, gradient_real
            if len(self._groups) > 1:
                parts = tuple(None if part is None else part[group[0]] for part in parts)
            value, *slopes = group[which](*parts[:2])
            for target, slope in zip(parts[2:], slopes, strict=False):  # a generator's loss has no slope at real logits
                target.copy_(slope)
            values.append(value)
        return values[0] if len(values) == 1 else torch.cat(values)


def _differentiated(judge: Judge, generators: bool, count: int) -> Function:
    """From logits (S, N), real and fake, to losses (S, N) and the slopes of their means at fake (and real) ones."""

    def function(real: Tensor, fake: Tensor) -> tuple[Tensor, ...]:
        fake = fake.detach().requires_grad_()
        real = real.detach().requires_grad_(not generators)
        with torch.enable_grad():
            values = judge(real, fake)
        shares = torch.full_like(values, 1 / count)
        leaves = (fake,) if generators else (fake, real)
        found = torch.autograd.grad(values, leaves, shares, allow_unused=True, materialize_grads=True)
        return values.detach(), *found

    return function


def judge_of(loss: Loss, generators: bool) -> Judge:
    """The loss as a function of logits (S, N), real and fake, with a value each, (S, N)."""

    def single(real: Tensor, fake: Tensor) -> Tensor:
        if generators:
            return loss.generator(Critique(fake), Critique(real) if loss.relative else None)
        return loss.discriminator(Critique(real), Critique(fake))

    def flat(real: Tensor, fake: Tensor) -> Tensor:
        return single(real.reshape(-1), fake.reshape(-1)).view(fake.shape)

    def mapped(real: Tensor, fake: Tensor) -> Tensor:
        if len(fake) == 1:
            return single(real[0], fake[0]).unsqueeze(0)
        return torch.func.vmap(single)(real, fake)

    trial = 3 * torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    try:
        alone = torch.stack([single(real, fake) for real, fake in trial.unbind(1)])
        together = flat(*trial)
    except AttributeError:
        raise ValueError(f"The tiny engine knows logits only, and the loss '{loss.kind}' looks at more.") from None
    return flat if torch.allclose(alone, together) else mapped
