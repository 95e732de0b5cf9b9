"""Self-attention over the places of a feature map (arXiv 1805.08318, section 3; document 003, figures 10 and 11)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from ganplay.models.blocks.convolution import Conv2d


class SelfAttention(nn.Module):
    """Each place of the map looks at all places of a map pooled to half its side and adds what it finds.

    Channels C become C/8 for queries and keys and C/2 for values, as document 003 prints them; keys and values are
    max-pooled 2x2. The gain gamma starts at 0, so that the block begins as the identity.

    Args:
        channels: C, at least 8.
        scaled: divide the products of queries and keys by the root of their length C/8 (document 004, figure 4).
    """

    def __init__(self, channels: int, scaled: bool = False) -> None:
        super().__init__()
        if channels < 8:
            raise ValueError(f"Self-attention on {channels} feature maps was asked for; it needs at least 8.")
        self.query = Conv2d(channels, channels // 8, 1)
        self.key = Conv2d(channels, channels // 8, 1)
        self.value = Conv2d(channels, channels // 2, 1)
        self.out = Conv2d(channels // 2, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))
        self.scale = (channels // 8) ** -0.5 if scaled else 1.0
        self.softmax = nn.Softmax(-1)  # a module, because memory is estimated by modules and this makes the largest map

    def attention(self, x: Tensor) -> Tensor:
        """Weights (N, H*W, H*W/4): row j says how much place j looks at each pooled place; rows sum to 1."""
        query = self.query(x).flatten(2)  # (N, C/8, H*W)
        key = max_pool2d(self.key(x), 2).flatten(2)  # (N, C/8, H*W/4)
        return self.softmax((query.transpose(1, 2) @ key * self.scale).float())

    def forward(self, x: Tensor) -> Tensor:
        value = max_pool2d(self.value(x), 2).flatten(2)  # (N, C/2, H*W/4)
        found = value @ self.attention(x).to(value.dtype).transpose(1, 2)  # (N, C/2, H*W)
        return x + self.gamma * self.out(found.unflatten(2, x.shape[2:]))
