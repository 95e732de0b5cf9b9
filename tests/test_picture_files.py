"""Pictures as files: nothing of them is lost on the way, whatever their colours."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ganplay import pictures
from ganplay.benchmarks import Options, sampling


def images(channels: int, levels: int) -> torch.Tensor:
    """Ten images in [-1, 1] that together have the grey levels 0 to `levels` - 1."""
    values = torch.arange(10 * channels * 64) % levels
    return (values / 127.5 - 1).view(10, channels, 8, 8)


@pytest.mark.parametrize(("channels", "levels", "mode"), [(1, 256, "L"), (1, 2, "L"), (3, 200, "RGB")])
def test_a_png_file_holds_every_pixel_and_one_channel_of_grey_ones(channels, levels, mode):
    drawn = pictures.grid(images(channels, levels), 4)
    with Image.open(io.BytesIO(pictures.png(drawn))) as read:
        assert read.mode == mode
        assert np.array_equal(np.asarray(read.convert("RGB")), np.asarray(drawn))


def test_a_picture_with_one_coloured_pixel_keeps_its_colours():
    tinted = Image.new("RGB", (4, 4), (7, 7, 7))
    assert pictures.grey(tinted).mode == "L"
    tinted.putpixel((3, 3), (7, 7, 9))
    assert pictures.grey(tinted) is tinted


def test_every_image_of_a_grid_lies_at_its_place_between_gaps():
    given = images(1, 250)
    drawn = np.asarray(pictures.grid(given, 4))
    assert drawn.shape == (3 * 10 + 2, 4 * 10 + 2, 3)
    expected = np.full(drawn.shape, pictures.INK, np.uint8)
    for index, image in enumerate(((given + 1) * 127.5).round().numpy()):
        top, left = 2 + index // 4 * 10, 2 + index % 4 * 10
        expected[top : top + 8, left : left + 8] = image[0][..., None]
    assert np.array_equal(drawn, expected)


def test_the_benchmark_of_sampling_divides_by_the_bare_forward_pass():
    table = sampling.measure(Options(0.0, 1, lambda sentence: None, recipes=("cs229-baseline",)))
    names = [row[0] for row in table.rows]
    assert names[-1] == "cs229-baseline, untrained" and "quick-digits" in names
    for row, raw in zip(table.rows, table.raw, strict=True):
        assert row[4] == pytest.approx(row[3] / row[2])
        assert 1e3 * np.median(raw["forward"]) == pytest.approx(row[2])


def test_points_outside_a_scatter_lie_on_its_edge() -> None:
    points = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, -9.0]])
    seen = (np.array(pictures.scatter(points, reach=1.0)) == pictures.FAKE).all(axis=-1)
    side = pictures.SCATTER_SIDE
    assert seen[side // 2, side // 2]
    assert seen[side // 2, side - pictures.EDGE]
    assert seen[side - pictures.EDGE, side // 2]
    assert not seen[: side // 2 - 2].any()
