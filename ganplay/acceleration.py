"""How a run computes on this machine: chosen by what the processor has and how large the networks are, and said so."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ganplay.environment import chosen_device
from ganplay.precision import chosen, has_fast_bf16
from ganplay.probes.layers import totals
from ganplay.recipe import Recipe

SMALL = 20e6  # multiply-adds of one batch through both networks, below which a second thread gains a tenth at most


@dataclass(frozen=True)
class Choices:
    """What a run uses.

    Attributes:
        device: "cpu" or "cuda".
        precision: "fp32" or "bf16", of the networks' products.
        threads: processor threads.
        compiled: True where torch compiles the networks.
        reasons: one sentence for each choice.
    """

    device: str
    precision: str
    threads: int
    compiled: bool
    reasons: tuple[str, ...]


def suitable_threads(recipe: Recipe, most: int) -> int:
    """1 for networks too small to share, else `most`."""
    return 1 if _work(recipe) < SMALL else most


def choose(recipe: Recipe, threads: int) -> Choices:
    """What suits a recipe here.

    Args:
        threads: processor threads that the run may use.

    Raises:
        ValueError: GANPLAY_DEVICE asks for a device that is not there.
    """
    device = chosen_device()
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("GANPLAY_DEVICE is 'cuda', but PyTorch finds no CUDA device here; unset it to use 'cpu'.")
    points = len(recipe.shapes.sample) == 1
    precision = chosen(recipe.precision, device, points)
    twice = bool(recipe.penalties or recipe.unroll)  # differentiated
    compiled = device == "cuda" and recipe.precision != "fp32" and not twice
    reasons = (
        _precision_reason(recipe, device, precision, points), _threads_reason(recipe, threads), _rest(device, compiled)
    )  # fmt: skip
    return Choices(device, precision, threads, compiled, reasons)


def prepare(choices: Choices) -> None:
    """Sets this process up for training as chosen: threads, a graphics card's products."""
    torch.set_num_threads(choices.threads)
    if choices.device == "cuda" and choices.precision != "fp32":  # for what bf16 leaves
        torch.set_float32_matmul_precision("high")  # TF32


def _work(recipe: Recipe) -> float:
    return recipe.batch_size * sum(network.multiply_adds for network in totals(recipe).values())


def _precision_reason(recipe: Recipe, device: str, precision: str, points: bool) -> str:
    if recipe.precision != "auto":
        return f"{precision} products, because the recipe says so."
    if precision == "bf16":
        return "bf16 products, which this processor has in hardware; losses, penalties and optimisers in fp32."
    if points and has_fast_bf16(device):
        return "fp32 products: for nets on points, casting to bf16 costs more than it saves."
    return "fp32 products: this processor has no bf16 in hardware."


def _threads_reason(recipe: Recipe, threads: int) -> str:
    work = _work(recipe)
    size = f"a batch takes {work / 1e6:,.3g} M multiply-adds through both networks"
    return f"{threads} thread{'s' if threads > 1 else ''}: {size}, {'too few' if work < SMALL else 'enough'} to share."


def _rest(device: str, compiled: bool) -> str:
    card = f"; on the graphics card, networks are {'' if compiled else 'not '}compiled" if device == "cuda" else ""
    return (
        "Samples stay in memory, images as bytes, and a batch is one gather; maps lie channels last, those with few "
        f"places and many channels go through matrix products; optimisers update all weights in one pass{card}."
    )
