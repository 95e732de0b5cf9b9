"""Layer tables: what each network of a recipe is made of, computed from the built modules, not from a description.

One row is one layer with weights, together with the normalisation, activation and dropout behind it. Multiply-adds are
those of one sample's forward pass through linear maps: a layer's weights times how often each is used. Adding a bias,
normalising with fixed gains and activations are not counted, as is the custom.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganplay.building import build_networks
from ganplay.contracts import Network
from ganplay.models.blocks.stages import MinibatchDeviation
from ganplay.probes.operations import OPERATIONS, cost, describe, finish
from ganplay.probes.tracing import INPUT, Event, Origin, Trace
from ganplay.recipe import Recipe

NETWORKS = ("generator", "discriminator")
_BATCH = 2  # samples of the traced pass
_KNOWN = (*OPERATIONS, MinibatchDeviation)


@dataclass(frozen=True)
class Layer:
    """One row of a layer table.

    Attributes:
        name: of the module with the weights, such as "stages.0.convolution".
        operation: "linear", "convolution", "transposed convolution", "self-attention"; also "embedding" for a label's
            code and "projection" for its inner product with the features, and a module's own name for anything else
            that has weights.
        kernel, stride, padding: of a convolution, else 0. The layer that makes a map of noise is a transposed
            convolution of a 1x1 map: its kernel is the side of the map, its stride 1, its padding 0.
        maps: feature maps (or units) it makes.
        norm: "none", "batch", "conditional batch", "instance" or "layer".
        activation: "none", "ReLU", "leaky ReLU 0.2", "tanh" ...
        dropout: share of values dropped.
        output: shape of one sample's output.
        parameters: of the layer and its normalisation.
        multiply_adds: of one sample's forward pass.
        inputs: the rows whose output it reads, sums of rows too, by their place in the table; `INPUT` (-1) for the
            network's own input, empty for a label.
        before: what happens to what it reads on the way, such as "sum" or "upsampling".
    """

    name: str
    operation: str
    kernel: int
    stride: int
    padding: int
    maps: int
    norm: str
    activation: str
    dropout: float
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    inputs: tuple[int, ...] = ()
    before: tuple[str, ...] = ()


class Totals(NamedTuple):
    """Parameters of a network, and multiply-adds of one sample through it."""

    parameters: int
    multiply_adds: int


def layer_tables(recipe: Recipe) -> dict[str, tuple[Layer, ...]]:
    """The rows of "generator" and "discriminator" in order of execution, without allocating a single weight.

    Raises:
        ValueError: the recipe's networks cannot be built.
    """
    return {network: wiring.rows for network, wiring in wirings(recipe).items()}


def wirings(recipe: Recipe) -> dict[str, Wiring]:
    """Both networks of a recipe as graphs, without allocating a single weight.

    Raises:
        ValueError: the recipe's networks cannot be built.
    """
    with torch.device("meta"):
        networks = build_networks(_plain(recipe))
        inputs = torch.empty(_BATCH, recipe.latent), torch.empty(_BATCH, *recipe.shapes.sample)
        y = torch.zeros(_BATCH, dtype=torch.int64) if recipe.conditional else None
        return {name: run(network, x, y) for name, network, x in zip(NETWORKS, networks, inputs, strict=True)}


def _plain(recipe: Recipe) -> Recipe:
    """The recipe without spectral norm, which changes no row and whose power iteration is slow even without values."""
    changes = {f"{network}.spectral_norm": False for network in NETWORKS if _normalised(getattr(recipe, network))}
    return recipe.change(changes) if changes else recipe


def _normalised(network: Network) -> bool:
    return getattr(network, "spectral_norm", False)


def totals(recipe: Recipe) -> dict[str, Totals]:
    """Parameters and multiply-adds of "generator" and "discriminator".

    Raises:
        ValueError: the recipe's networks cannot be built.
    """
    return {network: total(rows) for network, rows in layer_tables(recipe).items()}


def total(rows: tuple[Layer, ...]) -> Totals:
    """The sums over a table."""
    return Totals(sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows))


def layers(network: nn.Module, x: Tensor, y: Tensor | None = None) -> tuple[Layer, ...]:
    """The rows of a network, found by running it once in eval mode on x (N, ...) and, where it wants them, labels (N,).

    Args:
        x: a batch for the network, on its device; only shapes matter, so that "meta" will do.
    """
    return run(network, x, y).rows


@dataclass(frozen=True)
class Wiring:
    """A network as a graph, with what it computed.

    Attributes:
        rows: its layers.
        reads: for each row, what it reads.
        output: what the network gives back.
        trace: the sums, the order of things, and the tensors.
    """

    rows: tuple[Layer, ...]
    reads: tuple[Origin, ...]
    output: Origin
    trace: Trace


def run(network: nn.Module, x: Tensor, y: Tensor | None = None) -> Wiring:
    """Runs a network once in eval mode on x (N, ...) and labels (N,), and says what was connected to what."""
    table = _Table()
    output = _fill_table(table, network, x, y)
    forked = table.bypassed()
    if forked:  # a normalisation that only one of two ways out of a layer goes through is not the layer's
        table = _Table(forked)
        output = _fill_table(table, network, x, y)
    return Wiring(table.finished(), tuple(table.reads), output, table.trace)


@torch.no_grad()
def _fill_table(table: _Table, network: nn.Module, x: Tensor, y: Tensor | None) -> Origin:
    handles = [handle for name, module in _parts(network) for handle in table.watch(name, module)]
    training = network.training
    try:
        with table.trace:
            table.trace.set(x, Origin(frozenset({INPUT})))
            made = network.eval()(x, y)
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return table.trace.of(made if isinstance(made, Tensor) else made.logits)


def _parts(module: nn.Module, name: str = "") -> list[tuple[str, nn.Module]]:
    """The modules that make or fill a row, outermost ones only, and those around them with weights of their own."""
    if isinstance(module, _KNOWN) or finish(module):
        return [(name, module)]
    below = [part for child, inner in module.named_children() for part in _parts(inner, f"{name}.{child}".strip("."))]
    return [*below, (name, module)] if any(True for _ in module.parameters(recurse=False)) else below


@dataclass
class _Table:
    """The rows found so far, filled by hooks while the network runs; those in `forked` get no normalisation."""

    forked: frozenset[int] = frozenset()
    trace: Trace = field(default_factory=Trace)
    rows: list[Layer] = field(default_factory=list)
    reads: list[Origin] = field(default_factory=list)
    waiting: list[tuple[int, Event]] = field(default_factory=list)  # events behind a sum, with the newest row in it
    entered: list[Origin] = field(default_factory=list)
    bare: list[tuple[int, Tensor]] = field(default_factory=list)  # outputs of rows before a normalisation

    def watch(self, name: str, module: nn.Module) -> list[Any]:
        """Hooks of one module."""

        known = isinstance(module, _KNOWN) or finish(module) is not None  # others may have rows inside

        def enter(module: nn.Module, inputs: tuple) -> None:
            take = self.trace.read if isinstance(module, OPERATIONS) else self.trace.of
            self.entered.append(take(inputs[0]) if inputs else Origin())
            self.trace.asleep += known

        def leave(module: nn.Module, inputs: tuple, output: Any) -> None:
            self.trace.asleep -= known
            self._leave(name, module, self.entered.pop(), inputs, output)

        return [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]

    def _leave(self, name: str, module: nn.Module, origin: Origin, inputs: tuple, output: Tensor) -> None:
        filled = finish(module)
        if filled:
            row = self._finish_row(module, Event(*filled), origin)
            if row is None:
                origin = origin._replace(events=(*origin.events, Event(*filled)))
            elif output is not inputs[0]:  # as dropout gives back when it does nothing
                self.bare.append((row, inputs[0]))
            self.trace.set(output, origin)
        elif isinstance(module, MinibatchDeviation):
            self.trace.set(output, origin._replace(events=(*origin.events, Event("batch deviation"))))
        elif isinstance(module, OPERATIONS) or not any(
            row.name.startswith(f"{name}.".lstrip(".")) for row in self.rows
        ):
            taken = tuple(sorted(self.trace.rows(origin.nodes)))
            words = tuple(event.word for event in origin.events)
            self.reads.append(origin)
            self.waiting = [(row, event) for row, event in self.waiting if event not in origin.events]
            self.rows.append(replace(_row(name, module, inputs, output), inputs=taken, before=words))
            self.trace.set(output, Origin(frozenset({len(self.rows) - 1})))
        else:  # a block with weights of its own around layers that have their rows already
            own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
            self._add(len(self.rows) - 1, parameters=self.rows[-1].parameters + own)

    def bypassed(self) -> frozenset[int]:
        """The rows whose output another layer or a sum reads without the normalisation or activation behind it."""
        return frozenset(row for row, tensor in self.bare if self.trace.was_read(tensor))

    def _finish_row(self, module: nn.Module, event: Event, origin: Origin) -> int | None:
        """Puts a normalisation, activation or dropout into its row, if it has one; else it comes before the next."""
        row = max(self.trace.rows(origin.nodes), default=INPUT)
        if row == INPUT:
            return None
        parameters, work = cost(module)
        found = self.rows[row]
        self._add(row, parameters=found.parameters + parameters, multiply_adds=found.multiply_adds + work)
        repeated = any(earlier.field == event.field for earlier in origin.events)
        if origin.nodes == {row} and row not in self.forked and not repeated and self._fill(row, event):
            return row
        self.waiting.append((row, event))
        return None

    def _fill(self, row: int, event: Event) -> bool:
        """Writes into a column that is still empty; False when it is not."""
        if getattr(self.rows[row], event.field) not in ("none", 0.0):
            return False
        value = float(event.word.removeprefix("dropout ")) if event.field == "dropout" else event.word
        self._add(row, **{event.field: value})
        return True

    def _add(self, row: int, **changes: Any) -> None:
        self.rows[row] = replace(self.rows[row], **changes)

    def finished(self) -> tuple[Layer, ...]:
        """The rows; what came behind the last of them, after a sum, counts as its own."""
        for row, event in self.waiting:
            self._fill(row, event)
        return tuple(self.rows)


def _row(name: str, module: nn.Module, inputs: tuple, output: Tensor) -> Layer:
    made = tuple(output.shape[1:]) or (1,)
    operation, kernel, stride, padding, maps, work = describe(
        module, tuple(inputs[0].shape[1:]) if inputs else (), made
    )
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return Layer(name, operation, kernel, stride, padding, maps, "none", "none", 0.0, made, parameters, work)
