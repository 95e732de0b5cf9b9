"""Where self-attention looks: for every place of a map the weights over all pooled places (arXiv 1805.08318)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganplay.models.blocks.attention import SelfAttention


@dataclass(frozen=True)
class AttentionMap:
    """The attention of one block for N samples.

    Attributes:
        name: of the module.
        side: height and width of the map whose places look.
        gain: gamma, by which what they find is added to the map; 0 switches the block off.
        weights: (N, side * side, side * side / 4): each row sums to 1 and runs over the places of the map pooled to
            half its side, row by row.
    """

    name: str
    side: int
    gain: float
    weights: Tensor

    def seen_from(self, x: int, y: int, sample: int = 0) -> Tensor:
        """Where the place in column x and row y looks, as a picture (side / 2, side / 2).

        Raises:
            ValueError: there is no such place.
        """
        if not (0 <= x < self.side and 0 <= y < self.side):
            raise ValueError(f"The place is x = {x}, y = {y}; both must be 0 to {self.side - 1}.")
        return self.weights[sample, y * self.side + x].unflatten(0, (self.side // 2, self.side // 2))


@torch.no_grad()
def attention_maps(network: nn.Module, x: Tensor, y: Tensor | None = None) -> tuple[AttentionMap, ...]:
    """The attention of every block of a network in one pass in eval mode; empty when it has none.

    Args:
        x: latents (N, z) for a generator, images (N, C, H, W) for a discriminator.
        y: labels (N,) for a network that wants them.
    """
    found: list[AttentionMap] = []

    def hook(name: str) -> object:
        def look(module: SelfAttention, inputs: tuple[Tensor]) -> None:
            found.append(AttentionMap(name, inputs[0].shape[-1], float(module.gamma), module.attention(inputs[0])))

        return look

    blocks = [(name, module) for name, module in network.named_modules() if isinstance(module, SelfAttention)]
    handles = [block.register_forward_pre_hook(hook(name)) for name, block in blocks]
    training = network.training
    try:
        if blocks:
            network.eval()(x, y)
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return tuple(found)
