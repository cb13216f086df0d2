"""Pieces pasted and painted over, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from camcore.framing import frame_for
from camcore.shortcuts.transplants import Framed, painted_over, pasted, place_for, to_input, to_picture

SIZE = (40, 60)


def picture(framing: str = "stretch", seed: int = 0) -> Framed:
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    return Framed(pixels, frame_for(SIZE, (32, 32), framing))


def test_a_piece_lands_whole_at_a_place_of_the_target_and_nothing_else_changes():
    source, target = picture(seed=1), picture(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        out = pasted(source, (3, 5, 13, 12), target, rng)
        changed = np.argwhere((out != target.pixels).any(axis=2))
        (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0) + 1
        assert (bottom - top, right - left) == (10, 7)
        np.testing.assert_array_equal(out[top:bottom, left:right], source.pixels[3:13, 5:12])


def test_pieces_stay_within_a_letterbox():
    target = picture("letterbox")
    top, left, bottom, right = target.area
    assert (top, bottom) != (0, 32)
    rng = np.random.default_rng(0)
    boxes = np.array([place_for((9, 30), target.area, rng) for _ in range(200)])
    assert boxes[:, 0].min() == top
    assert boxes[:, 2].max() == bottom
    assert ((boxes[:, 1] >= left) & (boxes[:, 3] <= right)).all()
    assert place_for((99, 99), target.area, rng) == target.area


def test_all_places_come():
    rng = np.random.default_rng(0)
    boxes = {place_for((3, 3), (0, 0, 5, 5), rng) for _ in range(300)}
    assert len(boxes) == 9


def test_painting_over_continues_what_is_around():
    ramp = np.repeat(np.arange(0, 160, 5, dtype=np.uint8)[:, None, None], 32, axis=1).repeat(3, axis=2)
    frame = frame_for(SIZE, (32, 32), "stretch")
    flat = Framed(np.full((32, 32, 3), 77, np.uint8), frame)
    assert (painted_over(flat, (4, 4, 20, 20)) == 77).all()
    middle = painted_over(Framed(ramp, frame), (10, 10, 15, 15))
    np.testing.assert_allclose(middle[12, 12].astype(float), ramp[12, 12], atol=1)
    outside = np.ones((32, 32), bool)
    outside[10:15, 10:15] = False
    np.testing.assert_array_equal(middle[outside], ramp[outside])
    corner = painted_over(Framed(ramp, frame), (0, 0, 8, 8))
    assert set(np.unique(corner[:8, :8])) <= set(range(41))


@pytest.mark.parametrize("framing", ["crop", "stretch", "letterbox"])
def test_a_box_goes_to_the_input_and_back(framing):
    frame = frame_for((320, 480), (64, 64), framing)
    box = (100, 150, 200, 300)
    there = to_input(box, frame)
    back = to_picture(there, frame)
    pixel = max((frame.seen[2] - frame.seen[0]) / 64, (frame.seen[3] - frame.seen[1]) / 64) + 1
    np.testing.assert_allclose(back, box, atol=pixel)
    assert all(low < high for low, high in zip(there[:2], there[2:], strict=True))
