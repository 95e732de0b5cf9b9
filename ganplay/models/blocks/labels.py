"""How a class label joins a network: as part of the noise, as maps, as gains of a normalisation, as a projection."""

from __future__ import annotations

import torch
from torch import Tensor, nn

GENERATOR_CONDITIONING = ("none", "concat", "one-hot", "hidden-concat", "batch-norm-embedding", "batch-norm-linear")
DISCRIMINATOR_CONDITIONING = ("none", "channel", "concat", "hidden-concat", "projection", "auxiliary")


def needed(y: Tensor | None, noun: str) -> Tensor:
    """The labels, as they were given.

    Raises:
        ValueError: there are none, but the network is conditional.
    """
    if y is None:
        raise ValueError(f"This {noun} is conditional: it needs a label y for each sample.")
    return y


class ClassTable(nn.Embedding):
    """One learnt vector for each class: those of labels int64 (N,), or of float (N, classes) mixtures of all of them.

    A row of weights is how much of each class's vector goes in. They need not be positive or sum to 1: a great circle
    between two vectors leaves the straight line. With a single 1 among 0s the result is that of the label.
    """

    def forward(self, y: Tensor) -> Tensor:
        return y @ self.weight if y.is_floating_point() else super().forward(y)  # (N, E)


def class_vectors(generator: nn.Module, classes: int) -> Tensor:
    """All that a generator knows of each class as one vector: (classes, E). Mixtures of classes are mixtures of these.

    That is the learnt code (also where linear layers make the gains of conditional batch norm from it); the gains and
    biases of all layers side by side where conditional batch norm has its own for each class; and where the
    generator is given the class as a 1 among 0s, that.
    """
    tables = [module.weight for module in generator.modules() if isinstance(module, ClassTable)]
    return torch.cat(tables, 1) if tables else torch.eye(classes)


def as_maps(code: Tensor, like: Tensor) -> Tensor:
    """A code (N, E) repeated at every place of a map `like` (N, C, H, W): (N, E, H, W)."""
    return code[:, :, None, None].expand(-1, -1, *like.shape[2:]).to(like.dtype)


class LabelImage(nn.Module):
    """The label as one more channel of the image: an embedding as long as the image has pixels (document 003)."""

    def __init__(self, classes: int, side: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, side * side)
        self.side = side

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        image = self.embed(y).view(-1, 1, self.side, self.side)
        return torch.cat([x, image.to(x.dtype)], 1)  # (N, C + 1, H, W)


class Projection(nn.Module):
    """The inner product of the label's embedding with the features (arXiv 1802.05637, eq. 3), to be added to the logit.

    The embedding has no bias and starts uniform as in Glorot's rule; with a spectral norm it is normalised like the
    other weights.
    """

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, features)
        nn.init.xavier_uniform_(self.embed.weight)

    def forward(self, features: Tensor, y: Tensor) -> Tensor:
        return (self.embed(y) * features).sum(1)  # (N,)


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose gain and bias depend on the class (document 004, eq. 8; arXiv 1707.00683).

    Args:
        channels: C of the map.
        classes: number of classes, for gains from an embedding, which start at N(1, 0.02).
        code: width E of a code shared by all layers, for gains 1 + W e(y), centred at 1 (arXiv 1809.11096); 0 selects
            the embedding.
    """

    def __init__(self, channels: int, classes: int, code: int = 0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.centre = 1.0 if code else 0.0
        if code:
            self.gain, self.bias = nn.Linear(code, channels, bias=False), nn.Linear(code, channels, bias=False)
        else:
            self.gain, self.bias = ClassTable(classes, channels), ClassTable(classes, channels)
            nn.init.normal_(self.gain.weight, 1.0, 0.02)
            nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalises x (N, C, H, W) under a condition: labels (as of `ClassTable`), or their codes (N, E)."""
        gain, bias = self.gain(condition) + self.centre, self.bias(condition)  # (N, C) each
        normalised = self.norm(x)
        gain, bias = (part.to(normalised.dtype)[:, :, None, None] for part in (gain, bias))
        return torch.addcmul(bias, normalised, gain)  # one pass, in the type that the convolutions compute in


class GeneratorLabels(nn.Module):
    """All that a generator does with a label.

    Attributes:
        code_width: values that join the noise.
        map_width: channels that join the input of the stage `stage`.
    """

    def __init__(self, conditioning: str, classes: int, width: int, stage: int) -> None:
        super().__init__()
        self.conditioning, self.classes, self.stage = conditioning, classes, stage
        coded = conditioning in ("concat", "hidden-concat", "batch-norm-linear")
        self.embed = ClassTable(classes, width) if coded else None
        self.code_width = {"concat": width, "one-hot": classes}.get(conditioning, 0)
        self.map_width = width if conditioning == "hidden-concat" else 0
        self.norm_width = width if conditioning == "batch-norm-linear" else 0

    def norm(self, channels: int) -> nn.Module | None:
        """The conditional normalisation of a layer, None when the label does not act there."""
        if self.conditioning.startswith("batch-norm"):
            return ConditionalBatchNorm2d(channels, self.classes, self.norm_width)
        return None

    def code(self, y: Tensor | None) -> Tensor | None:
        """What the layers are given: nothing, the labels themselves, or their codes (N, E).

        Args:
            y: labels int64 (N,), or float (N, classes) for mixtures of classes, see `ClassTable`.
        """
        if self.conditioning == "none":
            return None
        y = needed(y, "generator")
        if self.conditioning == "one-hot":
            return y if y.is_floating_point() else torch.eye(self.classes, device=y.device)[y]
        return y if self.embed is None else self.embed(y)

    def join_noise(self, z: Tensor, code: Tensor | None) -> Tensor:
        """The latents (N, z), with the label's code beside them where the conditioning is "concat" or "one-hot"."""
        return torch.cat([z, code], 1) if self.code_width else z

    def join_stage(self, x: Tensor, code: Tensor | None, index: int) -> Tensor:
        """The input (N, C, H, W) of a stage, with the label's maps behind it at the stage that has them."""
        return torch.cat([x, as_maps(code, x)], 1) if self.map_width and index == self.stage else x


class DiscriminatorLabels(nn.Module):
    """All that a discriminator does with a label before its last layer.

    Attributes:
        input_width: channels that join the image.
        map_width: channels that join the output of the stage `stage`.
    """

    def __init__(self, conditioning: str, classes: int, width: int, stage: int, side: int) -> None:
        super().__init__()
        self.conditioning, self.stage = conditioning, stage
        concatenated = conditioning in ("concat", "hidden-concat")
        self.embed = nn.Embedding(classes, width) if concatenated else None
        self.image = LabelImage(classes, side) if conditioning == "channel" else None
        self.input_width = {"channel": 1, "concat": width}.get(conditioning, 0)
        self.map_width = width if conditioning == "hidden-concat" else 0

    def join_input(self, x: Tensor, y: Tensor | None) -> Tensor:
        """The image (N, C, H, W) with the label behind its channels where the conditioning says so."""
        if self.image is not None:
            return self.image(x, needed(y, "discriminator"))
        return self._concat(x, y) if self.conditioning == "concat" else x

    def join_stage(self, x: Tensor, y: Tensor | None, index: int) -> Tensor:
        """The output (N, C, H, W) of a stage, with the label's maps behind it at the stage that has them."""
        return self._concat(x, y) if self.map_width and index == self.stage else x

    def _concat(self, x: Tensor, y: Tensor | None) -> Tensor:
        return torch.cat([x, as_maps(self.embed(needed(y, "discriminator")), x)], 1)
