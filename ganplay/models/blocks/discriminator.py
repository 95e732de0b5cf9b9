"""The frame of every discriminator of images: stages, features, one logit, with the label where it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.contracts import Critique, Network, Shapes
from ganplay.models.blocks.attention import SelfAttention
from ganplay.models.blocks.generator import attended
from ganplay.models.blocks.labels import DISCRIMINATOR_CONDITIONING, DiscriminatorLabels, Projection, needed
from ganplay.models.blocks.layers import NORMS, norm2d
from ganplay.models.blocks.spectral import add_spectral_norm
from ganplay.models.blocks.stages import Down, Finish, MinibatchDeviation, Stage, image_side, side_after
from ganplay.options import option


@dataclass(frozen=True)
class DiscriminatorPlan:
    """A discriminator's table.

    Attributes:
        stages: from the image to the last map.
        head: (channels, side) of the last map -> the layer that makes one number of the features.
        neck: (channels, side) of the last map -> a module that makes features (N, `neck_width`) of it before the head;
            None where the head reads the map itself.
        neck_width: F of those features; 0 when there are as many as the map has channels.
    """

    stages: tuple[Stage, ...]
    head: Callable[[int, int], nn.Module]
    neck: Callable[[int, int], nn.Module] | None = None
    neck_width: int = 0


@dataclass(frozen=True)
class ImageDiscriminator(Network):
    """What every discriminator of images can be told; a model adds its own widths and its `plan`."""

    norm: str = option("batch", "Normalisation after the convolutions; not batch with a gradient penalty.",
                       choices=NORMS)  # fmt: skip
    slope: float = option(0.2, "Slope of the leaky ReLU below 0.", low=0.0, high=1.0)
    conditioning: str = option(
        "none",
        "How the class label joins: as a channel of the image, as maps beside the image or at a stage, as a projection "
        "on the features; or not as an input but as the target of an auxiliary classifier.",
        choices=DISCRIMINATOR_CONDITIONING,
    )
    label_width: int = option(100, "Length of the label's code with concat and hidden-concat.", low=1, high=1024)
    label_stage: int = option(0, "Stage whose output the label joins with hidden-concat.", low=0, high=8)
    attention: int = option(0, "Side of the map after which self-attention works, 0 for none.", low=0, high=64)
    attention_scaled: bool = option(False, "Scale attention's products by the root of their length.")
    spectral_norm: bool = option(False, "Divide every weight by its largest singular value.")
    dropout: float = option(0.0, "Share of values dropped after every hidden activation.", low=0.0, high=0.9)
    minibatch_deviation: bool = option(False, "Show the last layer how much the samples of a batch differ.")

    def build(self, shapes: Shapes) -> nn.Module:
        image_side(shapes, f"discriminator '{self.kind}'")
        network = StagedDiscriminator(self, shapes)
        self.initialise(network)
        if self.spectral_norm:
            add_spectral_norm(network)
        return network

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        """The model's table for samples of this shape.

        Raises:
            ValueError: it cannot read them.
        """
        raise NotImplementedError

    def initialise(self, network: nn.Module) -> None:
        """Sets the initial weights, before any spectral norm."""
        raise NotImplementedError

    def activation(self) -> nn.Module:
        """The hidden activation."""
        return nn.LeakyReLU(self.slope)

    def finish(self, channels: int, norm: str | None = None) -> Finish:
        """Normalisation, activation and dropout behind a layer of the table."""
        return Finish(norm2d(norm or self.norm, channels), self.activation(), self.dropout)

    def down(
        self, width: int, before: int, kernel: int, stride: int = 2, norm: str | None = None, padding: int | None = None
    ) -> Stage:
        """A convolution that makes `width` maps of maps with height `before`."""
        return Stage(
            width,
            side_after(before, kernel, stride, padding),
            lambda channels: Down(channels, width, kernel, stride, self.finish(width, norm), padding),
        )


class StagedDiscriminator(nn.Module):
    """An image through the stages to features, and from them to one logit and what the conditioning adds."""

    def __init__(self, config: ImageDiscriminator, shapes: Shapes) -> None:
        super().__init__()
        plan = config.plan(shapes)
        side = shapes.sample[-1]
        labels = DiscriminatorLabels(config.conditioning, shapes.classes, config.label_width, config.label_stage, side)
        self.labels = labels
        channels, stages = shapes.sample[0] + labels.input_width, []
        if labels.map_width and labels.stage >= len(plan.stages):
            last = len(plan.stages) - 1
            raise ValueError(
                f"discriminator.label_stage is {labels.stage}; this discriminator has the stages 0 to {last}."
            )
        for index, stage in enumerate(plan.stages):
            stages.append(stage.make(channels))
            channels = stage.width + (labels.map_width if index == labels.stage else 0)
            side = stage.side
        self.stages = nn.ModuleList(stages)
        self.attended = attended(config.attention, plan.stages, "discriminator")
        if self.attended is not None:
            self.attention = SelfAttention(plan.stages[self.attended].width, config.attention_scaled)
        self.deviation = MinibatchDeviation() if config.minibatch_deviation else None
        channels += config.minibatch_deviation
        self.neck = plan.neck(channels, side) if plan.neck else None
        width = plan.neck_width or channels  # of the features, summed over the places of a map
        self.head = plan.head(width, 1) if plan.neck else plan.head(channels, side)
        self.projection = Projection(shapes.classes, width) if config.conditioning == "projection" else None
        flat = width if plan.neck else channels * side * side
        self.classify = nn.Linear(flat, shapes.classes) if config.conditioning == "auxiliary" else None

    def forward(self, x: Tensor, y: Tensor | None = None) -> Critique:
        x = self.labels.join_input(x, y)
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index == self.attended:
                x = self.attention(x)
            x = self.labels.join_stage(x, y, index)
        if self.deviation is not None:
            x = self.deviation(x)
        features = x if self.neck is None else self.neck(x)  # (N, F, side, side) or (N, F)
        logits = self.head(features).flatten(1).squeeze(1)  # (N,)
        if self.projection is not None:
            pooled = features.sum((2, 3)) if features.ndim == 4 else features
            logits = logits + self.projection(pooled, needed(y, "discriminator"))
        flat = features.flatten(1)
        return Critique(logits, None if self.classify is None else self.classify(flat), flat)
