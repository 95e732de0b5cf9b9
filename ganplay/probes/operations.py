"""What single modules are in a layer table: a row of their own, or a column of the row before them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.instancenorm import _InstanceNorm

from ganplay.models.blocks.attention import SelfAttention
from ganplay.models.blocks.labels import ConditionalBatchNorm2d, Projection
from ganplay.models.blocks.layers import Output
from ganplay.models.blocks.stages import FromNoise

Description = tuple[str, int, int, int, int, int]


def cost(module: nn.Module) -> tuple[int, int]:
    """Parameters of a normalisation, and the multiply-adds by which gains and biases come from a label's code."""
    parameters = sum(parameter.numel() for parameter in module.parameters())
    coded = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return parameters, sum(layer.in_features * layer.out_features for layer in coded)


def finish(module: nn.Module) -> tuple[str, str] | None:
    """(word, column) of a module that fills a column of the row before it, None for any other."""
    for kinds, column, word in _FINISHES:
        if isinstance(module, kinds):
            return (word(module) if callable(word) else word, column)
    return None


def _leaky(module: nn.LeakyReLU) -> str:
    return f"leaky ReLU {module.negative_slope:g}" if module.negative_slope else "ReLU"


_NAMES = {"Tanh": "tanh", "Sigmoid": "sigmoid"}
_FINISHES: tuple[tuple[Any, str, str | Callable[[Any], str]], ...] = (
    (ConditionalBatchNorm2d, "norm", "conditional batch"),
    (_InstanceNorm, "norm", "instance"),  # before batch: torch derives instance norm from it
    (_BatchNorm, "norm", "batch"),
    (nn.GroupNorm, "norm", lambda module: "layer" if module.num_groups == 1 else "group"),
    (nn.LayerNorm, "norm", "layer"),
    (_DropoutNd, "dropout", lambda module: f"dropout {module.p}"),
    (nn.LeakyReLU, "activation", _leaky),
    (Output, "activation", lambda module: "none" if module.name == "linear" else module.name),
    (
        (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.SiLU, nn.GELU, nn.ELU, nn.Softplus),
        "activation",
        lambda module: _NAMES.get(type(module).__name__, type(module).__name__),
    ),
)


def describe(module: nn.Module, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    """Operation, kernel, stride, padding, maps and multiply-adds of a module; its own name when it is of no known kind.

    Args:
        taken, made: shapes of what goes in and comes out, without the batch.
    """
    for kind, known in _DESCRIPTIONS.items():
        if isinstance(module, kind):
            return known(module, taken, made)
    return type(module).__name__, 0, 0, 0, made[0], 0


def _linear(module: nn.Linear, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    work = module.in_features * module.out_features * prod(taken[:-1])
    return "linear", 0, 0, 0, module.out_features, work


def _from_noise(module: FromNoise, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    return "transposed convolution", module.side, 1, 0, module.width, module.in_features * module.out_features


def _convolution(module: nn.Conv2d, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    """Every place of the output takes a whole kernel of the input."""
    work = prod(made) * module.in_channels // module.groups * prod(module.kernel_size)
    padding = module.padding if isinstance(module.padding, tuple) else ((module.kernel_size[0] - 1) // 2,)
    return "convolution", module.kernel_size[0], module.stride[0], padding[0], module.out_channels, work


def _transposed(module: nn.ConvTranspose2d, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    """Every place of the input gives a whole kernel to the output."""
    work = prod(taken) * module.out_channels // module.groups * prod(module.kernel_size)
    kernel, stride, padding = module.kernel_size[0], module.stride[0], module.padding[0]
    return "transposed convolution", kernel, stride, padding, module.out_channels, work


def _attention(module: SelfAttention, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    """Four 1x1 convolutions, and two products between all H W places and the H W / 4 pooled ones."""
    places, pooled = taken[1] * taken[2], (taken[1] // 2) * (taken[2] // 2)
    codes, values = module.query.out_channels, module.value.out_channels
    convolutions = places * taken[0] * (2 * codes + 2 * values)
    return "self-attention", 1, 1, 0, made[0], convolutions + places * pooled * (codes + values)


def _embedding(module: nn.Embedding, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    return "embedding", 0, 0, 0, module.embedding_dim, 0


def _projection(module: Projection, taken: tuple[int, ...], made: tuple[int, ...]) -> Description:
    return "projection", 0, 0, 0, 1, taken[0]


_DESCRIPTIONS: dict[type, Callable[..., Description]] = {
    FromNoise: _from_noise,  # before its base
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _transposed,
    SelfAttention: _attention,
    Projection: _projection,
    nn.Embedding: _embedding,
}
OPERATIONS = tuple(_DESCRIPTIONS)
