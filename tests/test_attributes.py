"""Attributes of pictures against drawings whose boldness, slant, size and colour are known."""

import colorsys
import math

import pytest
import torch
from PIL import Image

from ganplay import pictures
from ganplay.latent.attributes import (
    attributes,
    boldness,
    brightness,
    greenness,
    saturation,
    size,
    slant,
    warmth,
)


def ink(values):
    """A grey image (1, 1, H, W) of ink in [0, 1]."""
    return torch.as_tensor(values, dtype=torch.float32)[None, None] * 2 - 1


def bar(width, length=24, side=40):
    page = torch.zeros(side, side)
    page[(side - length) // 2 : (side + length) // 2, 10 : 10 + width] = 1
    return page


def blob(shear=0.0, scale=1.0, side=65):
    """A tall Gaussian of ink, enlarged and then sheared to the right by so many pixels a pixel of height."""
    places = torch.arange(side) - side // 2
    up, right = -places[:, None] / scale, places[None, :] / scale
    return torch.exp(-((right - shear * up) ** 2) / 18 - up**2 / 50)


def colour(*rgb):
    """A picture of one colour, in [0, 1]."""
    return torch.tensor(rgb, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 8, 8) * 2 - 1


# Grey images


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_boldness_is_the_width_of_a_stroke(width):
    # a bar's ends belong to its outline, so that its share of them is taken off
    assert boldness(ink(bar(width))).item() == pytest.approx(width * 24 / (24 + width), rel=0.03)


def test_boldness_does_not_grow_with_a_second_stroke_but_the_mean_ink_does():
    one = bar(3)
    two = one + bar(3).roll(12, 1)
    assert boldness(ink(two)).item() == pytest.approx(boldness(ink(one)).item(), rel=1e-5)
    assert two.mean() == pytest.approx(2 * one.mean())


def test_haze_behind_a_stroke_does_not_count_as_boldness():
    clean = bar(3)
    assert boldness(ink(clean.clamp(min=0.24))).item() == pytest.approx(boldness(ink(clean)).item(), abs=1e-5)
    assert boldness(ink(clean.clamp(min=0.4))).item() > 1.2 * boldness(ink(clean)).item()


@pytest.mark.parametrize("shear", [-0.5, -0.2, 0.0, 0.3, 0.8])
def test_slant_is_the_shear_of_the_drawing(shear):
    assert slant(ink(blob(shear))).item() == pytest.approx(shear, abs=0.01)


def test_a_stroke_from_the_lower_left_to_the_upper_right_leans_to_the_right():
    assert slant(ink(torch.eye(16).flip(1))).item() == pytest.approx(1, abs=1e-4)
    assert slant(ink(torch.eye(16))).item() == pytest.approx(-1, abs=1e-4)


def test_size_grows_as_the_drawing_is_enlarged():
    assert size(ink(blob(0.3, scale=1.5))).item() == pytest.approx(1.5 * size(ink(blob(0.3))).item(), rel=0.01)


def test_size_is_the_deviation_of_the_ink_from_its_centre():
    assert size(ink(blob())).item() == pytest.approx(math.sqrt(9 + 25), rel=0.01)


@pytest.mark.parametrize("measure", [boldness, slant, size])
def test_ink_attributes_do_not_depend_on_the_place(measure):
    page = bar(4, side=40).roll(3, 1)
    page[12:16, 13:25] = 0.7
    assert measure(ink(page.roll((-5, 6), (0, 1)))).item() == pytest.approx(measure(ink(page)).item(), abs=1e-3)


@pytest.mark.parametrize("measure", [boldness, slant, size])
def test_an_empty_picture_has_no_ink_attributes(measure):
    assert measure(ink(torch.zeros(28, 28))).item() == pytest.approx(0, abs=1e-6)


# Colour images


def test_brightness_is_the_luma_of_pillow():
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for image, found in zip(pictures.to_bytes(images), brightness(images), strict=True):
        levels = list(Image.fromarray(image).convert("L").tobytes())
        assert found.item() == pytest.approx(sum(levels) / len(levels) / 255, abs=1 / 255)


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_warmth_and_greenness_are_coordinates_of_the_hue(degrees):
    image = colour(*colorsys.hsv_to_rgb(degrees / 360, 1, 1))
    angle = math.degrees(math.atan2(greenness(image).item(), warmth(image).item()))
    assert (30 + angle - degrees + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)


def test_hue_and_saturation_do_not_change_with_brightness_added_to_all_colours():
    dark, light = colour(0.4, 0.2, 0.1), colour(0.7, 0.5, 0.4)
    for measure in (warmth, greenness, saturation):
        assert measure(light).item() == pytest.approx(measure(dark).item(), abs=1e-6)
    assert brightness(light).item() == pytest.approx(brightness(dark).item() + 0.3)


def test_complementary_colours_cancel_in_the_hue_but_not_in_the_saturation():
    half = torch.cat([colour(1, 0, 0), colour(0, 1, 1)], 3)
    assert warmth(half).item() == pytest.approx(0, abs=1e-6)
    assert greenness(half).item() == pytest.approx(0, abs=1e-6)
    assert saturation(half).item() == pytest.approx(1)
    assert saturation(colour(0.3, 0.3, 0.3)).item() == 0


def test_every_attribute_gives_one_number_an_image():
    for shape in ((1, 28, 28), (3, 32, 32)):
        for measure in attributes(shape).values():
            assert measure(torch.zeros(5, *shape)).shape == (5,)


def test_points_have_no_attributes():
    with pytest.raises(ValueError, match="points"):
        attributes((2,))
