"""Document 003, figures 8 to 11: modules as PyTorch prints them, which leaves out a padding of 0."""

from __future__ import annotations

from ganplay.documents import PrintedTable, Row, printed

LEAKY = "leaky ReLU 0.2"
UP = "transposed convolution"
EMBEDDED = "The label's embedding is printed last; it comes first when the network runs."
ATTENTION = (
    "The text puts self-attention at 32x32, the printed modules put it behind the layer that makes 16x16 maps.",
    "Spectral norm is on all layers (section 3.2); the modules do not show it.",
)


@printed.register("iisc-dcgan")
def dcgan() -> tuple[PrintedTable, ...]:
    """Figures 8 and 9."""
    up = (
        Row(UP, 4, 1, 0, 1024, "batch", "ReLU"),
        Row(UP, 4, 2, 1, 512, "batch", "ReLU"),
        Row(UP, 4, 2, 1, 256, "batch", "ReLU"),
        Row(UP, 4, 2, 1, 128, "batch", "ReLU"),
        Row(UP, 4, 2, 1, 3, "none", "tanh", output=(3, 64, 64)),
    )
    down = (
        Row("convolution", 4, 2, 1, 64, "none", LEAKY),
        Row("convolution", 4, 2, 1, 128, "batch", LEAKY),
        Row("convolution", 4, 2, 1, 256, "batch", LEAKY),
        Row("convolution", 4, 2, 1, 512, "batch", LEAKY),
        Row(
            "convolution", 4, 2, 0, 1, "none", "sigmoid", output=(1, 1, 1), ours={"activation": "none"},
            note="The loss applies the sigmoid: every discriminator here puts out logits.",
        ),
    )  # fmt: skip
    return (
        PrintedTable("003", "figure 8", "iisc-dcgan", "generator", up),
        PrintedTable("003", "figure 9", "iisc-dcgan", "discriminator", down),
    )


@printed.register("iisc-sagan")
def sagan() -> tuple[PrintedTable, ...]:
    """Figures 10 and 11."""
    up = (
        Row("embedding", maps=100),
        Row(UP, 4, 1, 0, 256, "batch", "ReLU"),
        Row(UP, 4, 2, 1, 128, "batch", "ReLU"),
        Row(UP, 4, 2, 1, 64, "batch", "ReLU"),
        Row("self-attention", 1, 1, 0, 64),
        Row(UP, 4, 2, 1, 32, "batch", "ReLU"),
        Row(UP, 4, 2, 1, 3, "none", "tanh", output=(3, 64, 64)),
    )
    down = (
        Row("embedding", maps=4096),
        Row("convolution", 4, 2, 1, 16, "none", LEAKY),
        Row("convolution", 4, 2, 1, 32, "instance", LEAKY),
        Row("self-attention", 1, 1, 0, 32),
        Row("convolution", 4, 2, 1, 64, "instance", LEAKY),
        Row("convolution", 4, 2, 1, 128, "instance", LEAKY),
        Row("convolution", 4, 2, 0, 1, "none", "none", output=(1, 1, 1)),
    )
    return (
        PrintedTable("003", "figure 10", "iisc-sagan", "generator", up, (EMBEDDED, *ATTENTION)),
        PrintedTable("003", "figure 11", "iisc-sagan", "discriminator", down, (EMBEDDED, *ATTENTION)),
    )
