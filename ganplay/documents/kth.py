"""Document 002, tables 1, 2 and 3, at the size of MNIST: height and width 28, depth 1."""

from __future__ import annotations

from ganplay.documents import PrintedTable, Row, printed

LEAKY = "leaky ReLU"  # the slope is not printed
UP = "transposed convolution"
REMARK = "The generator's final activation is tanh in the document's base model (section 4.2); sigmoid is a switch."
AS_MAPS = "our table shows it as the transposed convolution of a 1x1 map, which is the same product"
NORM = "Section 2.2 says batch norm was implemented for most layers; without it the generator collapses."
ONE_UNIT = Row(
    "linear", maps=1, norm="none", activation="sigmoid", ours={"activation": "none"},
    note="The loss applies the sigmoid: every discriminator here puts out logits.",
)  # fmt: skip


@printed.register("kth-simple")
def simple() -> tuple[PrintedTable, ...]:
    """Table 1."""
    hidden = Row("linear", maps=128, norm="none", activation="ReLU")
    image = Row("linear", maps=28 * 28, norm="none", activation="tanh")
    return (
        PrintedTable("002", "table 1", "kth-simple", "generator", (hidden, image), (REMARK,)),
        PrintedTable("002", "table 1", "kth-simple", "discriminator", (hidden, ONE_UNIT)),
    )


@printed.register("kth-intermediate")
def intermediate() -> tuple[PrintedTable, ...]:
    """Table 2."""
    first = Row(
        "linear", maps=28 * 28 * 1 * 8, norm="batch", activation="ReLU",
        note=f"These 6,272 units are 128 maps of 7x7; {AS_MAPS}.",
        ours={"operation": UP, "maps": 128},
    )  # fmt: skip
    up = (
        first,
        Row(UP, 5, 2, None, 64, "batch", "ReLU"),
        Row(UP, 5, 2, None, 1, "none", "tanh", output=(1, 28, 28)),
    )
    down = (
        Row("convolution", 5, 2, None, 64, "none", LEAKY),
        Row("convolution", 5, 2, None, 128, "batch", LEAKY),
        Row("linear", None, None, None, 128, "batch", LEAKY),
        ONE_UNIT,
    )
    return (
        PrintedTable("002", "table 2", "kth-intermediate", "generator", up, (REMARK,)),
        PrintedTable("002", "table 2", "kth-intermediate", "discriminator", down),
    )


@printed.register("kth-dcgan")
def dcgan() -> tuple[PrintedTable, ...]:
    """Table 3."""
    first = Row(
        "linear", maps=28 * 28 * 1024 // 64, norm="none", activation="ReLU",
        note=f"28 / 8 is no whole number: footnote 1 allows 784 maps of 4x4, as many units; {AS_MAPS}. {NORM}",
        ours={"operation": UP, "maps": 784, "norm": "batch"},
    )  # fmt: skip
    level = Row(
        UP, 5, 2, None, 512, "none", "ReLU", ours={"stride": 1, "norm": "batch"},
        note="Four doublings of an eighth of the side would make twice the side; footnote 1 lets strides change, and "
        f"this one is 1. {NORM}",
    )  # fmt: skip
    up = (
        first,
        level,
        Row(UP, 5, 2, None, 256, "none", "ReLU", note=NORM, ours={"norm": "batch"}),
        Row(UP, 5, 2, None, 128, "none", "ReLU", note=NORM, ours={"norm": "batch"}),
        Row(UP, 5, 2, None, 1, "none", "tanh", output=(1, 28, 28)),
    )
    down = (
        Row("convolution", 5, 2, None, 64, "none", LEAKY),
        Row("convolution", 5, 2, None, 128, "none", LEAKY, note=NORM, ours={"norm": "batch"}),
        Row("convolution", 5, 2, None, 256, "none", LEAKY, note=NORM, ours={"norm": "batch"}),
        Row("convolution", 5, 2, None, 512, "none", LEAKY, note=NORM, ours={"norm": "batch"}),
        ONE_UNIT,
    )
    return (
        PrintedTable("002", "table 3", "kth-dcgan", "generator", up, (REMARK,)),
        PrintedTable("002", "table 3", "kth-dcgan", "discriminator", down),
    )
