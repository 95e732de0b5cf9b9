"""Follows tensors through a network: from which layers each one comes, and what happened to it on the way.

A network is run once on the meta device, where tensors have shapes and no values, so this takes neither memory nor
arithmetic, whatever the network's size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

INPUT = -1  # the number of the network's noise or image
_SUMS = (torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__, Tensor.add_, Tensor.__iadd__)
_WORDS = {
    torch.cat: "concatenation", torch.concat: "concatenation",
    functional.interpolate: "upsampling", functional.pixel_shuffle: "upsampling", torch.pixel_shuffle: "upsampling",
    functional.avg_pool2d: "mean pooling", functional.adaptive_avg_pool2d: "mean pooling",
    functional.max_pool2d: "maximum pooling",
}  # fmt: skip


class Event(NamedTuple):
    """Something that happened to a tensor after its last layer.

    Attributes:
        word: what it is called, such as "upsampling" or "ReLU".
        field: the column of a layer table it could fill, empty when none.
    """

    word: str
    field: str = ""


class Origin(NamedTuple):
    """Where a tensor comes from.

    Attributes:
        nodes: the layers and sums it is made of: a layer by its number from 0, `INPUT` for what the network was given,
            lower numbers for sums (see `Trace.sums`). Several when they were concatenated.
        events: what happened since, in order.
    """

    nodes: frozenset[int] = frozenset()
    events: tuple[Event, ...] = ()


class Trace(TorchFunctionMode):
    """While active, keeps the origin of every tensor that a function of torch makes of others.

    Attributes:
        sums: what was added, by the number of the sum.
        order: the numbers of layers and sums as they came.
        asleep: above 0 while a module runs whose inside is nobody's business; functions are not followed then.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sums: dict[int, tuple[Origin, ...]] = {}
        self.order: list[int] = []
        self.asleep = 0
        self._read: set[int] = set()
        self._origins: dict[int, Origin] = {}
        self._alive: list[Tensor] = []  # as long as a tensor lives, no other can have its id

    def __torch_function__(self, function: Any, types: Any, arguments: tuple = (), named: dict | None = None) -> Any:
        result = function(*arguments, **(named or {}))
        if self.asleep:
            return result
        inputs = list(_tensors([*arguments, *(named or {}).values()]))
        made = [output for output in _tensors([result]) if not any(output is given for given in inputs)]
        if made and inputs:
            origin = self._merged(function, inputs)
            for output in made:
                self.set(output, origin)
        return result

    def of(self, tensor: Tensor) -> Origin:
        """The origin of a tensor; one that nobody has seen is made of nothing."""
        return self._origins.get(id(tensor), Origin())

    def set(self, tensor: Tensor, origin: Origin) -> None:
        """Says where a tensor comes from."""
        self._origins[id(tensor)] = origin
        self._alive.append(tensor)
        self.order += [node for node in origin.nodes if node != INPUT and node not in self.order]

    def read(self, tensor: Tensor) -> Origin:
        """The origin of a tensor that a layer or a sum reads."""
        self._read.add(id(tensor))
        if id(tensor) not in self._origins:
            self.set(tensor, Origin())  # kept, so that no other gets its id
        return self.of(tensor)

    def was_read(self, tensor: Tensor) -> bool:
        """True when a layer or a sum has read this very tensor."""
        return id(tensor) in self._read

    def newest(self, dimensions: int) -> dict[Origin, Tensor]:
        """The last tensor with so many dimensions of every origin, in the order in which the origins were met."""
        found = [tensor for tensor in self._alive if tensor.ndim == dimensions]
        return {self._origins[id(tensor)]: tensor for tensor in found}

    def rows(self, nodes: Iterable[int]) -> frozenset[int]:
        """The layers (and `INPUT`) behind nodes, those behind a sum too."""
        found: set[int] = set()
        for node in nodes:
            parts = self.sums.get(node)
            found |= {node} if parts is None else self.rows(inner for part in parts for inner in part.nodes)
        return frozenset(found)

    def _merged(self, function: Any, inputs: list[Tensor]) -> Origin:
        origins = [origin for origin in map(self.of, inputs) if origin.nodes]
        if function in _SUMS and len({origin.nodes for origin in origins}) > 1:
            for tensor in inputs:
                self.read(tensor)
            number = INPUT - 1 - len(self.sums)
            self.sums[number] = tuple(origins)
            return Origin(frozenset({number}), (Event("sum"),))
        nodes = frozenset().union(*(origin.nodes for origin in origins))
        events = tuple(dict.fromkeys(event for origin in origins for event in origin.events))
        if len(origins) == 1:
            events = origins[0].events
        word = _WORDS.get(function)
        if word == "concatenation" and len(inputs) < 2:
            word = None
        return Origin(nodes, (*events, Event(word)) if word else events)


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
