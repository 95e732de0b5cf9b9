"""Between stacked weights and the ordinary state of a run, which can be saved, sampled, compared and trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ganplay.state import State
from ganplay.tensors import below
from ganplay.tiny.networks import Layout
from ganplay.tiny.updates import Slots


def to_row(tensors: Sequence[Tensor], layout: Layout) -> Tensor:
    """One net's row (P,) from a tensor for each parameter, in PyTorch's order."""
    row = torch.empty(layout.length)
    for view, tensor in zip(layout.parameters(row), tensors, strict=True):
        view.copy_(tensor)
    return row


@torch.no_grad()
def network_row(network: nn.Module, layout: Layout) -> Tensor:
    """A network's weights as one row (P,)."""
    return to_row(list(network.parameters()), layout)


def optimiser_slots(tensors: Mapping[str, Tensor], owner: str, layout: Layout) -> Slots:
    """What an optimiser of a state remembers, for one row: from `0/exp_avg`, `1/exp_avg`, ... to `exp_avg` (P,)."""
    saved = below(tensors, owner + "/")
    found = {}
    for name in sorted({key.split("/", 1)[1] for key in saved}):
        parts = [saved[f"{index}/{name}"] for index in range(sum(key.endswith("/" + name) for key in saved))]
        found[name] = to_row(parts, layout) if parts[0].ndim else parts[0].clone()
    return found


def network_tensors(owner: str, network: nn.Module, row: Tensor, layout: Layout) -> dict[str, Tensor]:
    """A row under the names of `State.tensors`."""
    names = [name for name, _ in network.named_parameters()]
    return {f"{owner}/{name}": value for name, value in zip(names, layout.parameters(row), strict=True)}


def optimiser_tensors(owner: str, slots: Slots, layout: Layout) -> dict[str, Tensor]:
    """The inverse of `optimiser_slots`."""
    found = {}
    for name, value in slots.items():
        parts = layout.parameters(value) if value.ndim else [value] * (2 * (len(layout.sizes) - 1))
        found |= {f"{owner}/{index}/{name}": part.clone() for index, part in enumerate(parts)}
    return found


def agreeing_counters(states: Sequence[State]) -> dict[str, float]:
    """The counters that all states share.

    Raises:
        ValueError: one has trained for longer than another.
    """
    counters = states[0].counters()
    for state in states[1:]:
        for name in ("images", "rounds", "generator_updates"):
            if state.counters()[name] != counters[name]:
                raise ValueError(
                    f"One net has {counters[name]:,} {name.replace('_', ' ')} behind it and another "
                    f"{state.counters()[name]:,}; nets that advance together must have trained equally long."
                )
    return counters
