"""What comes again pixel by pixel is told from what is only alike."""

from __future__ import annotations

import cv2
import numpy as np

from camcore.framing import frame_for
from camcore.shortcuts.copies import Copy, box_of, find_copy, match, template_at, view
from camcore.shortcuts.transplants import Framed

SIDE = 112
MARK = 24


def views(count: int, seed: int, mark: np.ndarray | None = None) -> tuple[list[np.ndarray], list[tuple[int, int]]]:
    """Views of random clouds with grain, with a mark at a random place, or without; and the places."""
    rng = np.random.default_rng(seed)
    made, places = [], []
    for _ in range(count):
        clouds = cv2.resize(rng.uniform(0, 255, (9, 9, 3)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        pixels = np.clip(clouds + rng.normal(0, 12, clouds.shape), 0, 255).astype(np.uint8)
        top, left = rng.integers(0, SIDE - MARK, 2).tolist()
        if mark is not None:
            pixels[top : top + MARK, left : left + MARK] = mark
        made.append(view(Framed(pixels, frame_for((SIDE, SIDE), (SIDE, SIDE), "stretch"))))
        places.append((top, left))
    return made, places


def centres(places: list[tuple[int, int]]) -> list[list[tuple[float, float]]]:
    return [[((top + MARK / 2) / SIDE, (left + MARK / 2) / SIDE)] for top, left in places]


def test_a_mark_is_found_wherever_it_lies():
    mark = np.random.default_rng(9).integers(0, 256, (MARK, MARK, 3)).astype(np.uint8)
    own, places = views(20, 1, mark)
    others, _ = views(20, 2)
    found = find_copy(own, centres(places), others, np.random.default_rng(0))
    assert found is not None
    assert found.within > 0.9
    assert found.within - found.beside > 0.4
    again, where = views(6, 3, mark)
    for one, (top, left) in zip(again, where, strict=True):
        score, corner = match(found.template, one)
        assert score > found.threshold
        inset = (MARK - len(found.template)) // 2
        np.testing.assert_allclose(corner, (top + inset, left + inset), atol=1)
    strangers, _ = views(6, 4)
    assert all(match(found.template, one)[0] < found.threshold for one in strangers)


def test_different_clouds_and_few_pictures_are_no_copy():
    own, places = views(20, 1)
    others, _ = views(20, 2)
    rng = np.random.default_rng(0)
    assert find_copy(own, centres(places), others, rng) is None
    assert find_copy(own[:3], centres(places)[:3], others, rng) is None


def test_what_others_have_too_is_no_copy():
    mark = np.random.default_rng(9).integers(0, 256, (MARK, MARK, 3)).astype(np.uint8)
    own, places = views(20, 1, mark)
    others, _ = views(20, 2, mark)
    assert find_copy(own, centres(places), others, np.random.default_rng(0)) is None


def test_a_template_that_shows_nothing_is_none():
    flat = np.zeros((SIDE, SIDE, 3), np.float32)
    assert template_at(flat, (0.5, 0.5), 16) is None


def test_the_box_of_a_match_is_twice_the_template_around_its_middle():
    picture = Framed(np.zeros((224, 224, 3), np.uint8), frame_for((224, 224), (224, 224), "stretch"))
    seen = np.zeros((SIDE, SIDE, 3), np.float32)
    copy = Copy(np.zeros((16, 16, 3), np.float32), 0.9, 0.2, 0.3)
    assert box_of(copy, (40, 30), seen, picture) == (64, 44, 128, 108)
    assert box_of(copy, (0, 96), seen, picture) == (0, 176, 48, 224)


def test_the_box_of_a_match_holds_all_that_comes_again_with_it():
    picture = Framed(np.zeros((224, 448, 3), np.uint8), frame_for((224, 448), (224, 448), "stretch"))
    seen = np.zeros((SIDE, 2 * SIDE, 3), np.float32)
    copy = Copy(np.zeros((16, 16, 3), np.float32), 0.9, 0.2, 0.3, ((-0.125, -0.0625), (0.25, 0.125)))
    assert box_of(copy, (40, 30), seen, picture) == (48, 28, 140, 120)  # with a rim of 2 pixels of the view
