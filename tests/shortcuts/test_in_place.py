"""Copies that stay in their place: which pixels are the same, and how these are pasted and filled."""

from __future__ import annotations

import numpy as np

from camcore.framing import frame_for
from camcore.shortcuts.in_place import filled, pasted_in_place, shape_in_place
from camcore.shortcuts.transplants import Framed

SIDE, EDGE = 32, 4
FRAME = frame_for((SIDE, SIDE), (SIDE, SIDE), "stretch")
BORDER = np.ones((SIDE, SIDE), bool)
BORDER[EDGE:-EDGE, EDGE:-EDGE] = False


def noise(count: int, seed: int = 0) -> list[Framed]:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3)).astype(np.uint8)
    return [Framed(one, FRAME) for one in pixels]


def bordered(count: int, strangers: int = 0) -> list[Framed]:
    """Pictures with a border that is nearly the same in all but a few."""
    rng, made = np.random.default_rng(9), noise(count, seed=1)
    for one in made[strangers:]:
        one.pixels[BORDER] = np.array([20, 60, 160]) + rng.integers(-4, 5, (BORDER.sum(), 3))
    return made


def test_the_border_is_the_shape_to_the_pixel():
    np.testing.assert_array_equal(shape_in_place(bordered(12), noise(12)), BORDER)
    np.testing.assert_array_equal(shape_in_place(bordered(12, strangers=4), noise(12)), BORDER)


def test_neither_moving_marks_nor_white_backgrounds_nor_equal_pictures_have_a_shape():
    moving = noise(12)
    for number, one in enumerate(moving):
        one.pixels[number : number + 8, 2 * number : 2 * number + 8] = 7
    assert shape_in_place(moving, noise(12, seed=2)) is None
    assert shape_in_place(bordered(12), bordered(12)) is None
    assert shape_in_place(noise(1) * 12, noise(12)) is None
    assert shape_in_place(bordered(1), noise(12)) is None


def test_what_the_framing_added_is_no_part_of_a_picture():
    tall = frame_for((2 * SIDE, SIDE), (SIDE, SIDE), "letterbox")
    members = [Framed(np.array(one.pixels), tall) for one in noise(12)]
    for one in members:
        one.pixels[:, : one.area[1]] = one.pixels[:, one.area[3] :] = 0
    assert shape_in_place(members, noise(12, seed=3)) is None


def test_a_shape_is_pasted_at_its_place_and_nothing_else_changes():
    source, target = noise(2)
    out = pasted_in_place(source, BORDER, target)
    np.testing.assert_array_equal(out[BORDER], source.pixels[BORDER])
    np.testing.assert_array_equal(out[~BORDER], target.pixels[~BORDER])
    wide = Framed(target.pixels, frame_for((SIDE, 2 * SIDE), (SIDE, SIDE), "letterbox"))
    top = wide.area[0]
    assert top > EDGE
    np.testing.assert_array_equal(pasted_in_place(source, BORDER, wide)[:top], target.pixels[:top])


def test_a_shape_is_filled_from_its_surroundings_alone():
    picture, flat = noise(1)[0], Framed(np.full((SIDE, SIDE, 3), 77, np.uint8), FRAME)
    assert (filled(flat, BORDER) == 77).all()
    out = filled(picture, BORDER)
    np.testing.assert_array_equal(out[~BORDER], picture.pixels[~BORDER])
    other = np.array(picture.pixels)
    other[BORDER] = 255 - other[BORDER]
    np.testing.assert_array_equal(filled(Framed(other, FRAME), BORDER), out)
    shares = (picture.pixels / 255.0)[~BORDER]
    assert out[BORDER].min() >= 255 * shares.min()
    assert out[BORDER].max() <= 255 * shares.max()


def test_a_hole_far_from_all_is_filled_with_the_mean():
    picture, hole = noise(1)[0], np.ones((SIDE, SIDE), bool)
    hole[:2, :2] = False
    out = filled(picture, hole)
    np.testing.assert_allclose(out[-1, -1], picture.pixels[:2, :2].mean(axis=(0, 1)), atol=0.51)
    everything = filled(picture, np.ones((SIDE, SIDE), bool))
    np.testing.assert_allclose(everything[0, 0], picture.pixels.mean(axis=(0, 1)), atol=0.51)
    assert (everything == everything[0, 0]).all()
