"""What the discriminator sees: DiffAugment's three changes and instance noise, each against its own definition."""

from __future__ import annotations

import pytest
import torch

from ganplay.augment import AUGMENTATIONS, add_noise, augment, noise_deviation


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=1):
    return torch.randn(shape, generator=stream(seed))


def moved(image, down, right):
    """The image (C, H, W) moved place by place; what comes in is 0."""
    out = torch.zeros_like(image)
    side = image.shape[1]
    for row in range(side):
        for column in range(side):
            if 0 <= row - down < side and 0 <= column - right < side:
                out[:, row, column] = image[:, row - down, column - right]
    return out


def test_translation_is_a_shift_of_up_to_an_eighth_filled_with_0_and_reaches_every_shift():
    x = normal(400, 2, 8, 8)
    made = augment(x, ("translation",), stream())
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = [[shift for shift in shifts if torch.equal(moved(image, *shift), new)]
             for image, new in zip(x, made, strict=True)]  # fmt: skip
    assert all(len(one) == 1 for one in found)
    counts = [sum(one == [shift] for one in found) for shift in shifts]
    assert min(counts) > 400 / 9 * 0.6  # each of the nine equally often; the smallest of 9 is 4 deviations above this
    assert max(counts) < 400 / 9 * 1.5


@pytest.mark.parametrize(("side", "most"), [(28, 4), (32, 4), (64, 8)])
def test_the_furthest_translation_is_an_eighth_of_the_side_rounded(side, most):
    x = torch.zeros(600, 1, side, side)
    x[:, :, side // 2, side // 2] = 1
    place = augment(x, ("translation",), stream()).flatten(1).argmax(1)
    rows, columns = place // side - side // 2, place % side - side // 2
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (-most, most, -most, most)


def hole(image):
    """(top, left, height, width) of the rectangle of zeros, after asserting that all zeros fill one."""
    zero = image == 0
    rows, columns = zero.any(1).nonzero().flatten(), zero.any(0).nonzero().flatten()
    top, left = int(rows.min()), int(columns.min())
    height, width = int(rows.max()) - top + 1, int(columns.max()) - left + 1
    assert zero[top : top + height, left : left + width].all()
    assert zero.sum() == height * width
    return top, left, height, width


def test_cutout_is_a_square_of_half_the_side_that_may_reach_over_the_border():
    x = normal(2_000, 1, 8, 8)
    made = augment(x, ("cutout",), stream())
    counts = {}
    for image, new in zip(x, made, strict=True):
        top, left, height, width = hole(new[0])
        assert torch.equal(new[0][new[0] != 0], image[0][new[0] != 0])
        for start, length, axis in ((top, height, "row"), (left, width, "column")):
            # The square's first place, outside the picture where it was cut: -2 to 6, nine positions
            first = start if start > 0 or length == 4 else length - 4
            assert length == min(first + 4, 8) - max(first, 0)
            counts[axis, first] = counts.get((axis, first), 0) + 1
    assert counts.keys() == {(axis, first) for axis in ("row", "column") for first in range(-2, 7)}
    for count in counts.values():  # 222 expected, a deviation of 14
        assert 160 < count < 290


def test_cutout_of_an_odd_hole_stays_centred_on_a_place():
    x = torch.ones(500, 1, 6, 6)  # a hole of 3: its centre is one of the 6 places
    sizes = [hole(image[0])[2:] for image in augment(x, ("cutout",), stream())]
    assert {size for pair in sizes for size in pair} == {2, 3}
    smaller = sum(height == 2 for height, _ in sizes) / 500
    assert smaller == pytest.approx(2 / 6, abs=0.07)  # only the first and the last centre cut it


def test_color_is_brightness_then_saturation_then_contrast_of_each_sample():
    """Written out for one sample at a time, with the same draws."""
    x = normal(5, 3, 4, 4).double()
    made = augment(x, ("color",), stream(3))
    source = stream(3)
    bright, saturate, contrast = (torch.rand(5, 1, 1, 1, generator=source).flatten().tolist() for _ in range(3))
    for n in range(5):
        image = x[n] + bright[n] - 0.5
        grey = (image[0] + image[1] + image[2]) / 3
        image = torch.stack([grey + 2 * saturate[n] * (channel - grey) for channel in image])
        image = image.mean() + (0.5 + contrast[n]) * (image - image.mean())
        torch.testing.assert_close(made[n], image)


def test_color_of_a_grey_picture_keeps_its_order_of_brightness_and_has_no_saturation():
    x = normal(50, 1, 4, 4)
    made = augment(x, ("color",), stream())
    assert torch.equal(made.flatten(1).argsort(1), x.flatten(1).argsort(1))
    ratio = (made - made.mean((1, 2, 3), keepdim=True)) / (x - x.mean((1, 2, 3), keepdim=True))
    factors = ratio.flatten(1).median(1).values
    torch.testing.assert_close(ratio, factors.view(-1, 1, 1, 1).expand_as(ratio), rtol=1e-2, atol=1e-2)
    assert 0.5 <= factors.min() < 0.6
    assert 1.4 < factors.max() <= 1.5
    shift = (made - x).mean((1, 2, 3))  # contrast leaves the mean alone
    assert -0.5 <= shift.min() < -0.4
    assert 0.4 < shift.max() <= 0.5


def test_color_keeps_the_mean_brightness_of_many_samples():
    x = normal(4_000, 3, 2, 2)
    assert (augment(x, ("color",), stream()) - x).mean().item() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_every_sample_draws_its_own_change_and_the_stream_decides_it(kind):
    x = normal(1, 3, 16, 16).repeat(8, 1, 1, 1)
    made = augment(x, (kind,), stream(7))
    assert made.shape == x.shape
    assert made.dtype == x.dtype
    assert len({tuple(image.flatten().tolist()) for image in made}) >= 6
    assert torch.equal(augment(x, (kind,), stream(7)), made)
    assert not torch.equal(augment(x, (kind,), stream(8)), made)


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_the_generator_learns_through_every_change(kind):
    """The exact gradient, by finite differences with the same draws."""
    x = normal(2, 3, 8, 8).double().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda value: augment(value, (kind,), stream(2)), (x,))
    made = augment(x, (kind,), stream(2))
    (made * normal(2, 3, 8, 8, seed=3)).sum().backward()
    changed = (x.grad != 0).float().mean((1, 2, 3))
    assert (changed > 0.3).all()


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_the_given_samples_are_not_changed(kind):
    x = normal(4, 3, 8, 8)
    kept = x.clone()
    augment(x, (kind,), stream())
    assert torch.equal(x, kept)


def test_changes_are_applied_in_the_order_given():
    x = normal(3, 3, 8, 8)
    source = stream()
    step_by_step = augment(augment(x, ("cutout",), source), ("color",), source)
    assert torch.equal(augment(x, ("cutout", "color"), stream()), step_by_step)
    assert not torch.equal(augment(x, ("color", "cutout"), stream()), step_by_step)


def test_no_change_and_points_leave_samples_and_stream_alone():
    source = stream()
    before = source.get_state()
    images, points = normal(3, 3, 8, 8), normal(3, 2)
    assert augment(images, (), source) is images
    assert augment(points, AUGMENTATIONS, source) is points
    assert add_noise(images, 0.0, source) is images
    assert torch.equal(source.get_state(), before)


@pytest.mark.parametrize("shape", [(200, 3, 8, 8), (20_000, 2)], ids=["images", "points"])
def test_instance_noise_is_normal_independent_and_of_the_given_deviation(shape):
    x = normal(*shape)
    noise = (add_noise(x, 0.3, stream()) - x).flatten(1)
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert noise.std().item() == pytest.approx(0.3, rel=0.02)
    within = (noise.abs() < 0.3).float().mean().item()
    assert within == pytest.approx(0.6827, abs=0.01)
    for other in (noise[:, 1], noise[:, 0].roll(1)):  # the next value, and the next sample
        correlation = torch.corrcoef(torch.stack([noise[:, 0], other]))[0, 1].item()
        assert abs(correlation) < 4 / shape[0] ** 0.5
    assert torch.equal(add_noise(x, 0.3, stream()), add_noise(x, 0.3, stream()))


def test_instance_noise_fades_in_a_straight_line_and_stays_away():
    assert [noise_deviation(0.5, 1_000, images) for images in (0, 250, 500, 900, 1_000, 5_000)] == pytest.approx(
        [0.5, 0.375, 0.25, 0.05, 0.0, 0.0]
    )
    assert [noise_deviation(0.5, 0, images) for images in (0, 10**9)] == [0.5, 0.5]
    assert noise_deviation(0.0, 1_000, 10) == 0
