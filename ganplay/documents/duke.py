"""Document 000, tables 1, 2, 4, 5, 7 and 8."""

from __future__ import annotations

from ganplay.documents import PrintedTable, Row, printed

LEAKY = "leaky ReLU 0.2"  # slope from tables 3, 6 and 9
FIRST_MAP = (
    "The noise is a 1x1 map: with the printed stride 2 and padding 1 it would become 2x2 and the image 16x16; stride 1 "
    "without padding makes the 4x4 that leads to 32x32."
)
SIGMOID = "The loss applies the sigmoid: every discriminator here puts out logits."


@printed.register("duke-dcgan")
def dcgan() -> tuple[PrintedTable, ...]:
    """Table 2 (generator) and table 1 (discriminator)."""
    last = Row("convolution", 4, 2, 1, 1, "none", "sigmoid", note=SIGMOID, ours={"activation": "none"})
    return (
        PrintedTable("000", "table 2", "duke-dcgan", "generator", _UP),
        PrintedTable("000", "table 1", "duke-dcgan", "discriminator", (*_DOWN, last)),
    )


@printed.register("duke-wgan")
def wgan() -> tuple[PrintedTable, ...]:
    """Table 5 (generator) and table 4 (discriminator), which repeat tables 2 and 1."""
    last = Row("convolution", 4, 2, 1, 1, "none", "none")
    remark = "Rows run into each other here; section 2.2 says that the networks are the DCGAN's, without its sigmoid."
    return (
        PrintedTable("000", "table 5", "duke-wgan", "generator", _UP, (remark,)),
        PrintedTable("000", "table 4", "duke-wgan", "discriminator", (*_DOWN, last), (remark,)),
    )


@printed.register("duke-acgan")
def acgan() -> tuple[PrintedTable, ...]:
    """Table 8 (generator) and table 7 (discriminator)."""
    first = Row(
        "linear", None, None, None, 384, "none", "ReLU", 0.0,
        note="384 maps of 1x1 would end at 16x16, so the linear layer makes 2x2 maps; our table shows it as the "
        "transposed convolution of a 1x1 map, which is the same product.",
        ours={"operation": "transposed convolution"},
    )  # fmt: skip
    up = (
        first,
        Row("transposed convolution", 5, 2, None, 192, "batch", "ReLU", 0.0),
        Row("transposed convolution", 5, 2, None, 96, "batch", "ReLU", 0.0),
        Row("transposed convolution", 5, 2, None, 48, "batch", "ReLU", 0.0),
        Row("transposed convolution", 5, 2, None, 3, "none", "tanh", 0.0),
    )
    down = (
        Row("convolution", 3, 2, None, 16, "none", LEAKY, 0.5),
        Row("convolution", 3, 1, None, 32, "batch", LEAKY, 0.5),
        Row("convolution", 3, 2, None, 64, "batch", LEAKY, 0.5),
        Row("convolution", 3, 1, None, 128, "batch", LEAKY, 0.5),
        Row("convolution", 3, 2, None, 256, "batch", LEAKY, 0.5),
        Row("convolution", 3, 1, None, 512, "batch", LEAKY, 0.5),
        Row(
            "linear", None, None, None, 11, "none", "softmax and sigmoid", 0.0, layers=2,
            note="One layer of 1 unit says real or fake and one of 10 units says the class; the losses apply the "
            "sigmoid and the softmax.",
            ours={"activation": "none"},
        ),
    )  # fmt: skip
    return (
        PrintedTable(
            "000", "table 8", "duke-acgan", "generator", up,
            ("The 110 numbers that go in are 100 of noise and the label as a 1 among ten.",),
        ),
        PrintedTable("000", "table 7", "duke-acgan", "discriminator", down),
    )  # fmt: skip


_UP = (
    Row(
        "transposed convolution", 4, 2, 1, 1024, "batch", "ReLU", note=FIRST_MAP, ours={"stride": 1, "padding": 0}
    ),
    Row("transposed convolution", 4, 2, 1, 512, "batch", "ReLU"),
    Row("transposed convolution", 4, 2, 1, 256, "batch", "ReLU"),
    Row("transposed convolution", 4, 2, 1, 3, "none", "tanh"),
)  # fmt: skip
_DOWN = (
    Row("convolution", 4, 2, 1, 32, "batch", LEAKY),
    Row("convolution", 4, 2, 1, 64, "batch", LEAKY),
    Row("convolution", 4, 2, 1, 128, "batch", LEAKY),
    Row("convolution", 4, 2, 1, 256, "batch", LEAKY),
)
