"""Registered optimisers on stacked weights: neighbours with equal settings take their step together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from ganplay.contracts import Optimiser
from ganplay.optimisers import AdamInPlace

Slots = dict[str, Tensor]  # of one member: what an optimiser remembers of its weights, (P,) or 0-d


def runs(settings: Sequence[Any]) -> Iterator[tuple[slice, Any]]:
    """Neighbouring members with equal settings: the slice of members and the setting."""
    start = 0
    for setting, members in groupby(settings):
        end = start + len(list(members))
        yield slice(start, end), setting
        start = end


class Updates:
    """The optimisers of one stack.

    All registered optimisers treat each weight by itself, so that several nets in one tensor move as each would alone.

    Args:
        weights, gradients: (S, P).
        configurations: one a member.
    """

    def __init__(self, weights: Tensor, gradients: Tensor, configurations: Sequence[Optimiser]) -> None:
        self.configurations = tuple(configurations)
        self._parts = []
        for members, configuration in runs(configurations):
            parameter = nn.Parameter(weights[members])  # shares the memory
            parameter.grad = gradients[members]
            self._parts.append((members, parameter, configuration.build([parameter])))
        self._steps = [_quick_step(optimiser, parameter) or optimiser.step for _, parameter, optimiser in self._parts]

    def step(self) -> None:
        for step in self._steps:
            step()

    def memory(self, members: slice) -> Slots:
        """What is remembered of some members with equal settings now, (S, P) or 0-d: it changes with the next step."""
        for part, parameter, optimiser in self._parts:
            if members.start < part.stop:
                known = optimiser.state[parameter].items()
                own = slice(members.start - part.start, members.stop - part.start)
                return {name: value[own] if value.ndim else value for name, value in known if value is not None}
        raise IndexError(members)

    def slots(self) -> list[Slots]:
        """Copies of what is remembered of each member; empty before its first step."""
        found = []
        for member in range(len(self.configurations)):
            known = self.memory(slice(member, member + 1))
            found.append({name: (value[0] if value.ndim else value).clone() for name, value in known.items()})
        return found

    def remember(self, slots: Sequence[Mapping[str, Tensor]]) -> None:
        """Sets what is remembered; members with equal settings must have taken equally many steps."""
        for members, _, optimiser in self._parts:
            known = slots[members]
            state = {}
            for name, value in known[0].items():
                state[name] = torch.stack([one[name] for one in known]) if value.ndim else value.clone()
            optimiser.load_state_dict({**optimiser.state_dict(), "state": {0: state} if state else {}})
        self._steps = [_quick_step(optimiser, parameter) or optimiser.step for _, parameter, optimiser in self._parts]


def _quick_step(optimiser: torch.optim.Optimizer, parameter: nn.Parameter) -> Any:
    """Adam's step as the one call that it is, without the checks of `step`; None for another optimiser or its options.

    On a net of 1,000 weights the checks take four times as long as the arithmetic.
    """
    group = optimiser.param_groups[0]
    plain = not (group.get("amsgrad") or group.get("maximize") or group.get("weight_decay") or group.get("capturable"))
    if type(optimiser) is not AdamInPlace or not plain:
        return None
    state = optimiser.state[parameter]
    if not state:
        state["step"] = torch.tensor(0.0)
        state["exp_avg"] = torch.zeros_like(parameter, requires_grad=False)
        state["exp_avg_sq"] = torch.zeros_like(parameter, requires_grad=False)
    rate, (beta1, beta2), epsilon = group["lr"], group["betas"], group["eps"]
    count, weights, gradients = state["step"], [parameter.data], [parameter.grad]
    means, squares, counts = [state["exp_avg"]], [state["exp_avg_sq"]], [count]

    def step() -> None:
        count.add_(1)
        torch._fused_adam_(
            weights, gradients, means, squares, [], counts, lr=rate, beta1=beta1, beta2=beta2, weight_decay=0.0,
            eps=epsilon, amsgrad=False, maximize=False,
        )  # fmt: skip

    return step
