"""Normalisations, activations and initialisation by name."""

from __future__ import annotations

from torch import Tensor, nn

NORMS = ("none", "batch", "instance", "layer")
ACTIVATIONS = ("leaky_relu", "relu", "tanh", "sigmoid")
OUTPUTS = ("tanh", "sigmoid", "linear")


def norm2d(name: str, channels: int) -> nn.Module:
    """A normalisation of (N, C, H, W) maps; "layer" normalises each sample over C, H and W."""
    return {
        "none": lambda: nn.Identity(),
        "batch": lambda: nn.BatchNorm2d(channels),
        "instance": lambda: nn.InstanceNorm2d(channels, affine=True),
        "layer": lambda: nn.GroupNorm(1, channels),
    }[name]()


def activation(name: str, slope: float = 0.2) -> nn.Module:
    """A hidden activation; `slope` is that of the leaky ReLU below 0."""
    return {
        "leaky_relu": lambda: nn.LeakyReLU(slope),
        "relu": lambda: nn.ReLU(),
        "tanh": lambda: nn.Tanh(),
        "sigmoid": lambda: nn.Sigmoid(),
    }[name]()


class Output(nn.Module):
    """The last activation of a generator: into [-1, 1] by tanh or by a stretched sigmoid, or linear for points.

    Always in fp32: in bf16, tanh is exactly -1 below -3.5 and its gradient exactly 0, so a generator that has painted
    everything black (the first thing one learns on digits) would never come back.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        if self.name == "tanh":
            return x.tanh()
        return x.sigmoid() * 2 - 1 if self.name == "sigmoid" else x

    def extra_repr(self) -> str:
        return self.name


def initialise_glorot(network: nn.Module) -> None:
    """Weights of linear layers and convolutions uniform with variance 2 / (fan in + fan out), their biases 0.

    Keras's default (Glorot and Bengio 2010, eq. 16): without a normalisation it keeps signals alive where a fixed small
    deviation lets them fade from layer to layer.
    """
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def initialise_normal(network: nn.Module, std: float) -> None:
    """Weights of linear layers and convolutions from N(0, std), their biases 0.

    Normalisations keep gain 1 and bias 0: a gain from N(0, 0.02), as a table's "all weights" might be read, would shut
    the layer off.
    """
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
