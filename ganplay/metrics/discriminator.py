"""How well a trained discriminator tells samples it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganplay.contracts import Critique


@torch.no_grad()
def share_called_real(
    discriminator: Callable[..., Critique],
    batches: Iterable[tuple[Tensor, Tensor | None]],
    turn: AbstractContextManager | None = None,
) -> float:
    """The share of samples whose logit is above 0.

    Args:
        batches: samples (n, *sample) and their labels (n,) or None; all real or all generated, as in training.
    """
    called = total = 0
    for x, y in batches:
        with turn or nullcontext():
            called += int((discriminator(x, y).logits > 0).sum())
        total += len(x)
    return called / total


def as_in_training(discriminator: nn.Module) -> nn.Module:
    """Sets the modes in which a discriminator judges: dropout off, batch norm on each batch's own statistics.

    In training it saw real and generated batches apart, each normalised by itself; the running statistics, which mix
    the two, would shift both. The running statistics of `discriminator` move, so give a copy that nobody trains.
    """
    discriminator.eval()
    for module in discriminator.modules():
        if isinstance(module, _BatchNorm):
            module.train()
    return discriminator
