"""Feature maps: what every layer of a network puts out for given inputs, and what is added where branches meet."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.probes.layers import INPUT, Wiring, run
from ganplay.probes.tracing import Event, Origin


@dataclass(frozen=True)
class Maps:
    """The maps of one place in a network.

    Attributes:
        name: "layer 3" for the output of a layer with its normalisation and activation, "sum 1" for a sum, with what
            happened to it since, such as "layer 1, upsampling".
        row: the layer's place in the layer table, None for a sum.
        module: name of the layer's module, empty for a sum.
        values: (N, C, H, W).
        parts: for a sum, the places in this list of what was added.
    """

    name: str
    row: int | None
    module: str
    values: Tensor
    parts: tuple[int, ...] = ()


def feature_maps(network: nn.Module, x: Tensor, y: Tensor | None = None) -> tuple[Maps, ...]:
    """Every map of one pass in eval mode, in order of execution; vectors are left out.

    Args:
        x: latents (N, z) for a generator, images (N, C, H, W) for a discriminator.
        y: labels (N,) for a network that wants them.
    """
    wiring = run(network, x, y)
    trace = wiring.trace
    found = {origin: maps for origin, maps in trace.newest(4).items() if _is_one(origin) and maps.shape[-1] > 1}
    added = {part for parts in trace.sums.values() for part in parts}
    kept = [origin for origin in found if not origin.events or origin in added or _is_sum(origin)]
    places = {origin: place for place, origin in enumerate(kept)}
    return tuple(_maps(origin, wiring, found[origin], places) for origin in kept)


def _maps(origin: Origin, wiring: Wiring, values: Tensor, places: dict[Origin, int]) -> Maps:
    trace, node = wiring.trace, min(origin.nodes)
    parts = trace.sums[node] if _is_sum(origin) else ()
    words = [event.word for event in origin.events if event.word != "sum"]
    number = f"layer {node + 1}" if node >= 0 else f"sum {list(trace.sums).index(node) + 1}"
    row, module = (node, wiring.rows[node].name) if node >= 0 else (None, "")
    added = tuple(places[part] for part in parts if part in places)
    return Maps(", ".join([number, *words]), row, module, values, added)


def _is_one(origin: Origin) -> bool:
    """True for what one layer or one sum made; maps put beside each other are known already."""
    return len(origin.nodes) == 1 and INPUT not in origin.nodes and origin.events[-1:] != (Event("batch deviation"),)


def _is_sum(origin: Origin) -> bool:
    return origin.events == (Event("sum"),)
