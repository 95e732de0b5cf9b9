"""Document 001, sections 3.2 and 3.3. It prints no table; what its text and its drawing say stands here as one."""

from __future__ import annotations

from ganplay.documents import PrintedTable, Row, printed

WHERE = "section 3.3 and its drawing"
REMARKS = (
    "The document draws blocks and their sizes; kernels, activations, the last layer and the discriminator are not "
    "described.",
)
UP = "transposed convolution"
FIRST = Row(UP, None, None, None, 128, "none", output=(128, 7, 7))
SECOND = Row(UP, None, 2, None, 128, "none", output=(128, 14, 14))
THIRD = Row(UP, None, 2, None, 128, "none", output=(128, 28, 28))
IMAGE = Row(output=(1, 28, 28))  # the drawing shows the image, not the layer that makes it of 128 maps


@printed.register("cs229-fcgan")
def fcgan() -> tuple[PrintedTable, ...]:
    """Section 3.2: a single hidden layer in each network."""
    sigmoid = Row(
        "linear", maps=1, activation="sigmoid", ours={"activation": "none"},
        note="The loss applies the sigmoid: every discriminator here puts out logits.",
    )  # fmt: skip
    return (
        PrintedTable(
            "001", "section 3.2.1", "cs229-fcgan", "generator",
            (Row("linear", activation="leaky ReLU"), Row("linear", output=None, maps=784)),
            ("The number of hidden units is not given.",),
        ),
        PrintedTable(
            "001", "section 3.2.1", "cs229-fcgan", "discriminator",
            (Row("linear", activation="leaky ReLU"), sigmoid),
            ("The hidden layer is once said to have a sigmoid, and two sentences later a LeakyReLU.",),
        ),
    )  # fmt: skip


@printed.register("cs229-baseline")
def baseline() -> tuple[PrintedTable, ...]:
    """The left drawing without its red arrows."""
    return (PrintedTable("001", WHERE, "cs229-baseline", "generator", (FIRST, SECOND, THIRD, IMAGE), REMARKS),)


@printed.register("cs229-skip")
def skip() -> tuple[PrintedTable, ...]:
    """The left drawing: the maps before a block, upsampled, are added behind it."""
    remarks = ("The 7x7 maps, upsampled, are added at 14x14, and the 14x14 maps at 28x28.", *REMARKS)
    return (PrintedTable("001", WHERE, "cs229-skip", "generator", (FIRST, SECOND, THIRD, IMAGE), remarks),)


@printed.register("cs229-parallel")
def parallel() -> tuple[PrintedTable, ...]:
    """The right drawing: two branches of transposed convolutions, added at 14x14 and 28x28."""
    rows = (FIRST, SECOND, SECOND, THIRD, THIRD, IMAGE)
    remarks = ("The first row of each size is the parallel branch, which starts from the 7x7 maps.", *REMARKS)
    return (PrintedTable("001", WHERE, "cs229-parallel", "generator", rows, remarks),)
