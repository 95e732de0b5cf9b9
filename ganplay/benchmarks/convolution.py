"""Convolutions of wide layers on small maps: as matrix products, beside torch's own.

A forward and a backward pass of single layers, in every type this machine computes in. The last column says what
`ganplay.models.blocks.convolution` chooses by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from ganplay.benchmarks import Cell, Options, Table
from ganplay.models.blocks import convolution
from ganplay.models.blocks.convolution import Conv2d, ConvTranspose2d
from ganplay.precision import has_fast_bf16

BATCH = 64
TRANSPOSED = (
    (1024, 512, 4, 4),
    (512, 256, 4, 4),
    (512, 256, 8, 4),
    (256, 128, 7, 5),
    (128, 128, 7, 4),
    (128, 64, 16, 4),
)
DIRECT = ((64, 128, 8, 4), (128, 256, 4, 4), (256, 512, 8, 5), (128, 256, 14, 5), (256, 512, 4, 3), (128, 128, 16, 3))
COLUMNS = ("layer", "type", "torch, ms", "products, ms", "ratio", "lowest to highest", "products chosen")
NOTE = (
    f"{BATCH} maps; forward pass, gradients of input and weights; medians over turns. Kernels of side 3 have stride 1, "
    "the others stride 2. 'T' is a transposed convolution; the side is that of the incoming map."
)


def measure(options: Options) -> Table:
    """One row for each layer and type."""
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    kinds = [torch.float32, *([torch.bfloat16] if has_fast_bf16() else [])]
    rows: list[tuple[Cell, ...]] = []
    try:
        for made, cases in ((ConvTranspose2d, TRANSPOSED), (Conv2d, DIRECT)):
            for channels, maps, side, kernel in cases:
                for kind in kinds:
                    name = f"{'T ' * (made is ConvTranspose2d)}{channels} to {maps} maps, side {side}, kernel {kernel}"
                    options.say(f"{name}, {kind}")
                    stride = 1 if kernel == 3 else 2
                    layer = made(channels, maps, kernel, stride, (kernel - 1) // 2).to(
                        memory_format=torch.channels_last
                    )
                    rows.append((name, str(kind).removeprefix("torch."), *_compare(layer, side, kind, options)))
    finally:
        torch.set_num_threads(before)
    return Table("Convolutions as matrix products", NOTE, COLUMNS, tuple(rows))


def _compare(layer: Conv2d | ConvTranspose2d, side: int, kind: torch.dtype, options: Options) -> tuple[Cell, ...]:
    x = torch.randn(BATCH, layer.in_channels, side, side, dtype=kind).contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    own = convolution.worth
    chosen: list[bool] = []

    def watched(*given: object) -> bool:
        chosen.append(own(*given))
        return chosen[-1]

    ways = {"torch": lambda *given: False, "products": lambda *given: True, "own": watched}
    times: dict[str, list[float]] = {"torch": [], "products": []}
    try:
        convolution.worth = ways["own"]
        _pass(layer, x)
        begun = time.perf_counter()
        while len(times["products"]) < 3 or time.perf_counter() - begun < 2 * options.seconds / options.windows:
            for name, found in times.items():
                convolution.worth = ways[name]
                _pass(layer, x)  # brings weights and buffers into the caches
                found.append(_timed(lambda: _pass(layer, x)))
    finally:
        convolution.worth = own
    ratios = [stock / product for stock, product in zip(*times.values(), strict=True)]
    stock, product = (1e3 * median(found) for found in times.values())
    return stock, product, stock / product, f"{min(ratios):.2f} to {max(ratios):.2f}", "yes" if chosen[0] else "no"


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _pass(layer: Conv2d | ConvTranspose2d, x: Tensor) -> None:
    layer.zero_grad()
    x.grad = None
    with torch.autocast("cpu", torch.bfloat16, enabled=x.dtype == torch.bfloat16):
        made = layer(x)
    made.backward(made.detach())
