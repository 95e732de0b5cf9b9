"""Convolutions as matrix products compute what torch's own do, and so do their derivatives of both orders."""

import pytest
import torch
from torch import nn

from ganplay.models.blocks import convolution
from ganplay.models.blocks.convolution import Conv2d, ConvTranspose2d
from ganplay.models.blocks.taps import Taps

CONVOLUTIONS = [  # channels, maps, kernel, stride, padding, height, width
    (3, 5, 4, 2, 1, 8, 8), (3, 5, 5, 2, 2, 7, 7), (4, 2, 3, 1, 1, 4, 4), (2, 3, 4, 2, 0, 9, 6), (3, 4, 1, 1, 0, 5, 5),
    (3, 2, 2, 3, 1, 8, 8), (2, 2, 7, 1, 3, 5, 6),
]  # fmt: skip
TRANSPOSED = [  # channels, maps, kernel, stride, padding, output padding, height, width
    (5, 3, 4, 2, 1, 0, 4, 4), (5, 3, 5, 2, 2, 1, 4, 4), (4, 2, 3, 1, 1, 0, 5, 4), (3, 2, 2, 2, 0, 0, 3, 3),
    (3, 2, 5, 2, 1, 1, 4, 3), (3, 4, 4, 4, 0, 2, 3, 3), (2, 3, 5, 3, 4, 2, 4, 5),
    (3, 2, 2, 3, 0, 1, 4, 3),
]  # fmt: skip


@pytest.fixture
def always(monkeypatch):
    """Products wherever they are possible, however small."""
    monkeypatch.setattr(convolution, "worth", lambda *given: True)


@pytest.fixture(params=["taps", "whole"])
def way(request, always, monkeypatch):
    """Both ways to compute products, in fp64: a product for each tap, and one for all, as in bf16."""
    if request.param == "whole":
        monkeypatch.setattr(convolution, "WHOLE", {torch.float64})
    return request.param


def pairs(case, bias):
    """The package's layer and torch's with the same weights, and an input, in fp64."""
    if len(case) == 7:
        channels, maps, kernel, stride, padding, *sides = case
        made = [kind(channels, maps, kernel, stride, padding, bias=bias) for kind in (Conv2d, nn.Conv2d)]
    else:
        channels, maps, kernel, stride, padding, extra, *sides = case
        made = [
            kind(channels, maps, kernel, stride, padding, extra, bias=bias)
            for kind in (ConvTranspose2d, nn.ConvTranspose2d)
        ]
    made[1].load_state_dict(made[0].state_dict())
    x = torch.randn(3, channels, *sides, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return *(layer.double() for layer in made), x.requires_grad_()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", [*CONVOLUTIONS, *TRANSPOSED], ids=str)
def test_products_equal_torchs_convolution_and_its_gradients(way, case, bias):
    ours, stock, x = pairs(case, bias)
    name = {"taps": ("Gather", "Scatter"), "whole": ("Unfold", "Fold")}[way][case in TRANSPOSED]
    assert f"{name}Backward" in gradient_nodes(ours(x))
    found = []
    for layer in (ours, stock):
        made = layer(x)
        gradients = torch.autograd.grad(made.sin().sum(), [x, *layer.parameters()])
        found.append([made, *gradients])
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("case", [CONVOLUTIONS[0], CONVOLUTIONS[3], TRANSPOSED[1], TRANSPOSED[4]], ids=str)
def test_products_can_be_differentiated_twice(way, case):
    ours, _, x = pairs(case, True)
    weights = tuple(ours.parameters())
    assert torch.autograd.gradgradcheck(
        lambda x, *weights: torch.func.functional_call(ours, dict(zip(("weight", "bias"), weights, strict=True)), (x,)),
        (x, *weights),
    )


def test_wide_layers_on_small_maps_are_products_and_others_are_not():
    wide, narrow = ConvTranspose2d(512, 128, 4, 2, 1), ConvTranspose2d(16, 8, 4, 2, 1)
    assert "Scatter" in gradient_nodes(wide(torch.zeros(1, 512, 4, 4)))
    assert "Scatter" not in gradient_nodes(wide(torch.zeros(1, 512, 16, 16)))
    assert "Scatter" not in gradient_nodes(narrow(torch.zeros(1, 16, 4, 4)))
    wide, narrow = Conv2d(256, 512, 4, 2, 1), Conv2d(32, 32, 4, 2, 1)
    assert "Gather" in gradient_nodes(wide(torch.zeros(1, 256, 4, 4, requires_grad=True)))
    assert "Gather" not in gradient_nodes(wide(torch.zeros(1, 256, 32, 32, requires_grad=True)))
    assert "Gather" not in gradient_nodes(narrow(torch.zeros(1, 32, 4, 4, requires_grad=True)))


def test_under_autocast_products_are_as_near_to_fp32_as_torchs_bf16(always):
    torch.manual_seed(0)
    ours, stock = ConvTranspose2d(64, 32, 4, 2, 1), nn.ConvTranspose2d(64, 32, 4, 2, 1)
    stock.load_state_dict(ours.state_dict())
    x = torch.randn(4, 64, 4, 4)
    exact = stock(x)
    with torch.autocast("cpu", torch.bfloat16):
        mine, theirs = ours(x), stock(x)
    assert mine.dtype == theirs.dtype == torch.bfloat16
    distance = [(made.float() - exact).norm() / exact.norm() for made in (mine, theirs)]
    assert 0 < distance[0] < 2 * distance[1] < 0.02


def test_taps_multiply_no_zeros_of_the_border():
    taps = Taps(5, 1, 2, (4, 4), (4, 4))  # along a side: taps meet 2, 3, 4, 3 and 2 of the 4 places
    met = [[len(range(*part.indices(4))) for part in (high, left)] for _, _, (_, high, left), _ in taps.pairs()]
    assert len(met) == 25 and sum(rows * columns for rows, columns in met) == 14**2
    assert [row for row, *_ in Taps(7, 1, 3, (2, 1), (2, 1)).pairs()] == [2, 3, 4]  # the others meet nothing


def test_what_products_cannot_do_is_left_to_torch(always):
    grouped, x = Conv2d(4, 4, 3, groups=2), torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(grouped(x), torch.conv2d(x, grouped.weight, grouped.bias, groups=2))
    wrapped = Conv2d(4, 4, 3, padding=1, padding_mode="circular")
    torch.testing.assert_close(wrapped(x), nn.Conv2d.forward(wrapped, x))
    oblong = Conv2d(4, 4, (3, 1))
    torch.testing.assert_close(oblong(x), torch.conv2d(x, oblong.weight, oblong.bias))


def gradient_nodes(made):
    """The names of all steps that made a tensor, in one text."""
    names, waiting = set(), [made.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None:
            names.add(type(node).__name__)
            waiting += [before for before, _ in node.next_functions]
    return " ".join(sorted(names))
