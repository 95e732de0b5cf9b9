"""Document 004, tables I and II: the hypermodel. Section III.A, which `munich-failure` follows, prints no table."""

from __future__ import annotations

from ganplay.documents import PrintedTable, Row, printed

CONVOLUTION, UP = "convolution", "transposed convolution"
LEAKY = "leaky ReLU"  # its slope is a range in the tables
DECONV = "The text has strided convolutions in the discriminator; the word is the generator's."
LABEL = Row("embedding")  # the text's linear layers for gains need a code of the label; its length is not printed
RANGES = (
    "Ranges are left out of the rows: kernels 3 to 5, slopes 0 to 0.3, 10 to 512 maps behind the dense layer, noise of "
    "50 to 300 values. Ours are in them.",
    "No normalisation is printed; the text gives the generator batch norm, plain or conditional.",
)
PREDICTION = (
    "The caption calls the final prediction layer variable. The last row is table I's, copied: it would make a "
    "picture, not a judgement."
)


@printed.register("munich-hyper")
def hyper() -> tuple[PrintedTable, ...]:
    """Tables I and II."""
    first = Row(
        "linear", ours={"operation": UP},
        note="Our table shows it as the transposed convolution of a 1x1 map, which is the same product.",
    )  # fmt: skip
    up = (
        LABEL,
        first,
        Row(UP, None, 2, None, 512, None, LEAKY),
        Row(UP, None, 2, None, 256, None, LEAKY),
        Row(UP, None, 2, None, 128, None, LEAKY),
        Row(CONVOLUTION, 3, 1, None, 3, None, "tanh"),
    )
    last = Row(
        CONVOLUTION, 3, 1, None, 3, None, "tanh",
        ours={"operation": "linear", "kernel": 0, "stride": 0, "maps": 1, "activation": "none"},
        note="Copied from table I; ours sums the last map over its places and makes one number of it.",
    )  # fmt: skip
    down = (
        Row(CONVOLUTION, None, 2, None, 128, None, LEAKY),
        Row(UP, None, 2, None, 256, None, LEAKY, ours={"operation": CONVOLUTION}, note=DECONV),
        Row(UP, None, 2, None, 512, None, LEAKY, ours={"operation": CONVOLUTION}, note=DECONV),
        last,
        Row("projection"),
    )
    return (
        PrintedTable("004", "table I", "munich-hyper", "generator", up, RANGES),
        PrintedTable("004", "table II", "munich-hyper", "discriminator", down, (*RANGES[:1], PREDICTION)),
    )
