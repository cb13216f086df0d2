"""Numbers become the right colours."""

import re

import cv2
import numpy as np
import pytest

from camcore.errors import CamcoreError
from camcore.render.colour import (
    COLORMAPS,
    DIVERGING,
    colour,
    colour_bar,
    css_gradient,
    diverging,
    table,
)

ALL = (*COLORMAPS, DIVERGING)


def lightness(rgb: np.ndarray) -> np.ndarray:
    """L* of CIE Lab, 0..100, of uint8 RGB (n, 3)."""
    return cv2.cvtColor((rgb[None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)[0, :, 0]


def test_the_names():
    assert COLORMAPS == ("viridis", "cividis", "magma", "jet")


# First and last colours as published (matplotlib), red before blue.
@pytest.mark.parametrize(
    ("colormap", "low", "high"),
    [
        ("viridis", (68, 1, 84), (253, 231, 37)),
        ("cividis", (0, 34, 78), (254, 232, 56)),
        ("magma", (0, 0, 4), (252, 253, 191)),
        ("jet", (0, 0, 128), (128, 0, 0)),
    ],
)
def test_ends(colormap, low, high):
    ends = colour(np.array([[0.0, 1.0]]), colormap)[0]
    assert np.abs(ends.astype(int) - (low, high)).max() <= 2


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_every_value_takes_its_entry(colormap):
    """Entry i of the table belongs to i/255, and values go to the nearest entry."""
    colours = table(colormap)
    steps = np.arange(256, dtype=np.float32)
    np.testing.assert_array_equal(colour(steps[None] / 255, colormap)[0], colours)
    np.testing.assert_array_equal(colour((steps[None] + 0.4) / 255, colormap)[0], colours)
    np.testing.assert_array_equal(colour((steps[None] - 0.4) / 255, colormap)[0], colours)


@pytest.mark.parametrize("colormap", ALL)
@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (4, 4), (3, 37), (101, 64)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_any_shape_any_float(colormap, shape, dtype):
    values = np.linspace(0, 1, shape[0] * shape[1]).reshape(shape).astype(dtype)
    index = np.rint(values.astype(np.float32) * (127 if colormap == DIVERGING else 255)).astype(int)
    expected = table(colormap)[index + (128 if colormap == DIVERGING else 0)]
    result = colour(values, colormap)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(colour(values.T, colormap), expected.transpose(1, 0, 2))


@pytest.mark.parametrize("colormap", ALL)
@pytest.mark.parametrize("width", [1, 7, 64])
def test_values_beyond_and_nan(colormap, width):
    low = -1.0 if colormap == DIVERGING else 0.0
    values = np.array([[-np.inf, low - 5, low, 1, 1.5, np.inf, np.nan, 0]] * width).T
    found = colour(values, colormap)[:, -1].tolist()
    assert found[0] == found[1] == found[2]
    assert found[3] == found[4] == found[5]
    assert found[6] == found[7]
    assert found[2] != found[3]


def test_diverging_is_neutral_in_the_middle_and_even_to_both_sides():
    steps = np.linspace(-1, 1, 255)
    rgb = diverging(steps[None])[0]
    assert rgb[127].tolist() == [247, 247, 247]
    assert rgb[0].tolist() == [0x05, 0x30, 0x61]
    assert rgb[-1].tolist() == [0x67, 0x00, 0x1F]
    light = lightness(rgb)
    assert light.argmax() == 127
    assert (np.diff(light[:128]) > 0).all()
    assert (np.diff(light[127:]) < 0).all()
    assert np.abs(light - light[::-1]).max() < 7
    assert (rgb[:100, 2] > rgb[:100, 0]).all()  # blue below
    assert (rgb[155:, 0] > rgb[155:, 2]).all()  # red above


@pytest.mark.parametrize("colormap", ["viridis", "cividis", "magma"])
def test_sequential_maps_grow_lighter(colormap):
    assert (np.diff(lightness(table(colormap))) > -0.5).all()


def test_diverging_is_one_of_the_colour_maps():
    values = np.random.default_rng(0).uniform(-1, 1, (20, 30))
    np.testing.assert_array_equal(diverging(values), colour(values, DIVERGING))


@pytest.mark.parametrize("colormap", ALL)
def test_tables_cannot_be_spoilt(colormap):
    assert table(colormap).shape == (256, 3)
    with pytest.raises(ValueError, match="read-only"):
        table(colormap)[0] = 0


def test_values_are_left_alone():
    values = np.array([[-3.0, np.nan, 3.0]], np.float32)
    before = values.copy()
    colour(values, DIVERGING)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("colormap", ALL)
def test_colour_bar(colormap):
    bar = colour_bar(colormap, length=100, thickness=9)
    assert bar.shape == (9, 100, 3)
    assert (bar == bar[:1]).all()
    low = -1.0 if colormap == DIVERGING else 0.0
    np.testing.assert_array_equal(bar[0], colour(np.linspace(low, 1, 100)[None], colormap)[0])
    upright = colour_bar(colormap, length=100, thickness=9, vertical=True)
    assert upright.shape == (100, 9, 3)
    np.testing.assert_array_equal(upright[::-1, 0], bar[0])


def test_css_gradient():
    text = css_gradient("viridis", stops=3)
    assert re.fullmatch(r"linear-gradient\(to right, (#[0-9a-f]{6}, ){2}#[0-9a-f]{6}\)", text)
    expected = ["#" + bytes(stop).hex() for stop in colour(np.array([[0, 0.5, 1]]))[0]]
    assert re.findall("#[0-9a-f]{6}", text) == expected
    assert css_gradient(DIVERGING, "to top").startswith("linear-gradient(to top, #053061, ")
    assert css_gradient(DIVERGING).count("#") == 17


@pytest.mark.parametrize(
    ("name", "near"),
    [("Viridis", "viridis"), ("virdis", "viridis"), ("divergent", "diverging"), ("xyz", None)],
)
def test_unknown_colour_map(name, near):
    for call in (table, css_gradient, colour_bar, lambda given: colour(np.zeros((2, 2)), given)):
        with pytest.raises(CamcoreError, match="viridis, cividis, magma, jet, diverging") as caught:
            call(name)
        assert repr(name) in str(caught.value)
        if near:
            assert f"Choose '{near}', perhaps." in str(caught.value)


@pytest.mark.parametrize("shape", [(), (5,), (0, 4), (2, 3, 4)])
def test_arrays_that_are_no_map(shape):
    with pytest.raises(CamcoreError, match="cannot be coloured"):
        colour(np.zeros(shape))
