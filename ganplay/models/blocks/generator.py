"""The frame of every generator of images: noise, stages, image, with labels and attention where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.contracts import Network, Shapes
from ganplay.models.blocks.attention import SelfAttention
from ganplay.models.blocks.labels import GENERATOR_CONDITIONING, GeneratorLabels
from ganplay.models.blocks.layers import NORMS, OUTPUTS, Output, norm2d
from ganplay.models.blocks.spectral import add_spectral_norm
from ganplay.models.blocks.stages import Finish, FromNoise, Stage, Up, image_side
from ganplay.options import option


@dataclass(frozen=True)
class GeneratorPlan:
    """A generator's table.

    Attributes:
        width, side: of the first map.
        stages: what follows, each a module called as `(x, code)`.
        last: channels in -> the layer that makes the image.
        begin: what follows the first map where that is not what follows every other layer.
    """

    width: int
    side: int
    stages: tuple[Stage, ...]
    last: Callable[[int], nn.Module]
    begin: Finish | None = None


@dataclass(frozen=True)
class ImageGenerator(Network):
    """What every generator of images can be told; a model adds its own widths and its `plan`."""

    norm: str = option("batch", "Normalisation after every layer but the last.", choices=NORMS)
    output: str = option("tanh", "Last activation.", choices=OUTPUTS[:2])
    conditioning: str = option(
        "none",
        "How the class label joins: beside the noise (as a learnt code, or as a 1 among 0s), as maps at a stage, or as "
        "gains of conditional batch norm (from an embedding, or linear and centred at 1).",
        choices=GENERATOR_CONDITIONING,
    )
    label_width: int = option(100, "Length of the label's code where it has one.", low=1, high=1024)
    label_stage: int = option(0, "Stage whose input the label joins with hidden-concat.", low=0, high=8)
    attention: int = option(0, "Side of the map after which self-attention works, 0 for none.", low=0, high=64)
    attention_scaled: bool = option(False, "Scale attention's products by the root of their length.")
    spectral_norm: bool = option(False, "Divide every weight by its largest singular value.")
    dropout: float = option(0.0, "Share of values dropped after every hidden activation.", low=0.0, high=0.9)

    def build(self, shapes: Shapes) -> nn.Module:
        image_side(shapes, f"generator '{self.kind}'")
        if self.conditioning.startswith("batch-norm") and self.norm != "batch":
            raise ValueError(
                f"generator.norm is {self.norm}, but conditional batch norm replaces batch norm; choose norm batch or "
                "another conditioning."
            )
        labels = GeneratorLabels(self.conditioning, shapes.classes, self.label_width, self.label_stage)
        network = self.assemble(shapes, labels)
        self.initialise(network)
        if self.spectral_norm:
            add_spectral_norm(network)
        return network

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        """The model's table for samples of this shape.

        Raises:
            ValueError: it cannot make them.
        """
        raise NotImplementedError

    def assemble(self, shapes: Shapes, labels: GeneratorLabels) -> nn.Module:
        """The module; a model whose stages are wired differently makes another one here."""
        return StagedGenerator(self, shapes, labels)

    def initialise(self, network: nn.Module) -> None:
        """Sets the initial weights, before any spectral norm."""
        raise NotImplementedError

    def activation(self) -> nn.Module:
        """The hidden activation."""
        return nn.ReLU()

    def finish(self, channels: int, labels: GeneratorLabels, norm: str | None = None) -> Finish:
        """Normalisation (`norm` overrules the label's and the recipe's), activation and dropout behind a layer."""
        conditional = labels.norm(channels) if norm is None else None
        return Finish(conditional or norm2d(norm or self.norm, channels), self.activation(), self.dropout)

    def up(self, width: int, side: int, kernel: int, labels: GeneratorLabels) -> Stage:
        """A doubling stage that makes `width` maps of height `side`, from maps of half that height, rounded up."""
        odd = side % 2 == 1
        return Stage(width, side, lambda channels: Up(channels, width, kernel, self.finish(width, labels), odd))


class StagedGenerator(nn.Module):
    """Noise through the first map and the stages to the image."""

    def __init__(self, config: ImageGenerator, shapes: Shapes, labels: GeneratorLabels) -> None:
        super().__init__()
        plan = config.plan(shapes, labels)
        self.labels = labels
        begin = plan.begin or config.finish(plan.width, labels)
        bias = isinstance(begin.norm, nn.Identity)
        self.project = FromNoise(shapes.latent + labels.code_width, plan.width, plan.side, bias=bias)
        self.begin = begin
        stages, channels = [], plan.width
        _check_stage(labels, len(plan.stages), "generator")
        for index, stage in enumerate(plan.stages):
            stages.append(stage.make(channels + (labels.map_width if index == labels.stage else 0)))
            channels = stage.width
        self.stages = nn.ModuleList(stages)
        self.attended = attended(config.attention, plan.stages, "generator")
        if self.attended is not None:
            self.attention = SelfAttention(plan.stages[self.attended].width, config.attention_scaled)
        self.last = plan.last(channels)
        self.output = Output(config.output)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        code = self.labels.code(y)
        x = self.begin(self.project(self.labels.join_noise(z, code)), code)  # (N, width, side, side)
        return self.output(self.last(self.body(x, code)))  # (N, C, H, W)

    def body(self, x: Tensor, code: Tensor | None) -> Tensor:
        """The stages, one after the other."""
        for index, stage in enumerate(self.stages):
            x = stage(self.labels.join_stage(x, code, index), code)
            if index == self.attended:
                x = self.attention(x)
        return x


def attended(side: int, stages: tuple[Stage, ...], noun: str) -> int | None:
    """The index of the stage that attention follows, None without attention.

    Raises:
        ValueError: no stage makes maps of that side, or they cannot be pooled.
    """
    if side == 0:
        return None
    if side == 1:
        raise ValueError(f"{noun}.attention is 1, but attention looks at places of maps of 2 pixels or more.")
    found = [index for index, stage in enumerate(stages) if stage.side == side]
    if not stages:
        raise ValueError(f"{noun}.attention is {side}, but this {noun} has no stage that it could follow; choose 0.")
    if not found:
        sides = ", ".join(str(stage.side) for stage in stages)
        raise ValueError(f"{noun}.attention is {side}, but its stages make maps of {sides} pixels; choose one or 0.")
    return found[-1]


def _check_stage(labels: nn.Module, count: int, noun: str) -> None:
    if labels.map_width and count == 0:
        raise ValueError(f"{noun}.conditioning is hidden-concat, but this {noun} has no stage to join; choose concat.")
    if labels.map_width and labels.stage >= count:
        raise ValueError(f"{noun}.label_stage is {labels.stage}; this {noun} has the stages 0 to {count - 1}.")
