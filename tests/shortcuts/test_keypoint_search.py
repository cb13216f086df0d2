"""Keypoints of what is pasted into pictures come again in them, wherever it lies; those of clouds do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from camcore.framing import frame_for
from camcore.shortcuts.keypoint_search import LEAST, Recurring, find_recurring, keypoints_of, reach
from camcore.shortcuts.transplants import Framed

HEIGHT, WIDTH = 112, 168
MARK = (20, 60)
Places = list[tuple[int, int]]


def pictures(count: int, seed: int, mark: np.ndarray | None = None, have: int = 0) -> tuple[list[Framed], Places]:
    """Random clouds with grain, the first few with a mark at random places; and the places."""
    rng = np.random.default_rng(seed)
    made, places = [], []
    for number in range(count):
        clouds = cv2.resize(rng.uniform(0, 255, (9, 13, 3)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        pixels = np.clip(clouds + rng.normal(0, 12, clouds.shape), 0, 255).astype(np.uint8)
        top, left = int(rng.integers(HEIGHT - MARK[0])), int(rng.integers(WIDTH - MARK[1]))
        if mark is not None and number < have:
            pixels[top : top + MARK[0], left : left + MARK[1]] = mark
        made.append(Framed(pixels, frame_for((HEIGHT, WIDTH), (HEIGHT, WIDTH), "stretch")))
        places.append((top, left))
    return made, places


def pattern() -> np.ndarray:
    cells = np.random.default_rng(9).integers(0, 256, (5, 15, 3)).astype(np.uint8)
    return np.kron(cells, np.ones((4, 4, 1), np.uint8))


def searched(own: list[Framed], others: list[Framed]) -> list[Recurring]:
    rng = np.random.default_rng(0)
    return find_recurring(keypoints_of(own, others, rng), rng)


def test_a_mark_in_few_pictures_is_found_in_them_at_its_places():
    own, places = pictures(30, 1, pattern(), have=8)
    first = searched(own, pictures(20, 2)[0])[0]
    assert len(first.members) >= LEAST
    assert max(first.members) < 8
    for member, (y, x) in zip(first.members, first.points, strict=True):
        top, left = places[member]
        assert top <= y * HEIGHT <= top + MARK[0]
        assert left <= x * WIDTH <= left + MARK[1]


def test_it_reaches_as_far_as_the_mark():
    own, places = pictures(30, 1, pattern(), have=8)
    keypoints = keypoints_of(own, pictures(20, 2)[0], np.random.default_rng(0))
    points = {place: ((top + 10) / HEIGHT, (left + 10) / WIDTH) for place, (top, left) in enumerate(places[:8])}
    box = reach(keypoints, points)
    assert box is not None
    # from 10 pixels above and left of the point to 10 below and 50 right of it; keypoints lie a little inside
    assert box[0] == pytest.approx((-10 / HEIGHT, -10 / WIDTH), abs=6 / HEIGHT)
    assert box[1] == pytest.approx((10 / HEIGHT, 50 / WIDTH), abs=6 / HEIGHT)


@pytest.mark.parametrize("given", ["nothing planted", "planted in all others", "few pictures", "few with it"])
def test_what_is_no_copy_is_not_proposed(given):
    own = pictures(LEAST - 1 if given == "few pictures" else 30, 1, pattern(), 5 if given == "few with it" else 8)[0]
    if given == "nothing planted":
        own = pictures(30, 1)[0]
    others = pictures(20, 2, pattern(), have=20 if given == "planted in all others" else 0)[0]
    found = searched(own, others)
    assert not [one for one in found if max(one.members) < 8]


def test_of_pictures_without_keypoints_nothing_is_known():
    flat = [Framed(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), one.frame) for one in pictures(10, 1)[0]]
    assert searched(flat, flat) == []
    keypoints = keypoints_of(flat, flat, np.random.default_rng(0))
    assert reach(keypoints, dict.fromkeys(range(10), (0.5, 0.5))) is None
    assert searched(flat, []) == []
