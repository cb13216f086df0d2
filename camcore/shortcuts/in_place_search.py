"""The search for copies that stay in their place, in the pixels alone: it asks nothing of what the network looks at.

Pictures are compared with one of them at a time, pixel by pixel at the same place. Natural pictures agree here and
there, each with others; where the same ones agree all over an area, and pictures of other classes do not, something
was put into them. So a border is found in a few pictures of many, whose evidence is spread over all its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.shortcuts.in_place import SAME, SAMPLE, shape_in_place

if TYPE_CHECKING:
    from camcore.shortcuts.in_place import Mask
    from camcore.shortcuts.transplants import Framed, Pixels

SIDE = 56
"""Pixels of a side of the small pictures that are compared."""
LEAST = 6
"""Pictures that have such a copy."""
AGREED = 0.8
"""The share of its pixels that agree in a picture that has it."""
AREA = 0.01
"""The share of the small pictures that it covers at least."""

_TIMES = 3.0  # as large a share of the class as of other pictures agrees at each of its pixels
_ROUNDS = 3
_BEGIN = 0.5  # of the pixels that may be of it, in which a picture agrees that may have it


@dataclass(frozen=True, eq=False)
class InPlace:
    """The pixels (h, w) of the input that are the same in some pictures, and what they are: uint8 (h, w, 3)."""

    shape: Mask
    pixels: Pixels

    def agreement(self, picture: Framed) -> float:
        """The share of its pixels that are the same in a picture."""
        away = np.abs(picture.pixels[self.shape].astype(np.int16) - self.pixels[self.shape])
        return float((away.max(axis=1) <= SAME).mean())


def find_in_place(pictures: Sequence[Framed], others: Sequence[Framed]) -> list[InPlace]:
    """The copies that stay in their place in at least LEAST of ``pictures``, and are not in ``others``."""
    if len(pictures) < LEAST or len(others) < 2:
        return []
    small, beside = _small(pictures), _small(others)
    taken = np.zeros(len(pictures), bool)
    found = []
    for seed in range(len(pictures)):
        if taken[seed]:
            continue
        members = _members_with(small, beside, seed)
        if members is None:
            continue
        own = [pictures[place] for place in np.flatnonzero(members).tolist()]
        shape = shape_in_place(own, others)
        if shape is None:
            continue
        pixels = np.median(np.stack([one.pixels for one in own[:SAMPLE]]), axis=0).astype(np.uint8)
        found.append(InPlace(shape, pixels))
        taken |= members
    return found


def _small(pictures: Sequence[Framed]) -> NDArray[np.int16]:
    return np.stack([cv2.resize(one.pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in pictures]).astype(
        np.int16
    )


def _members_with(small: NDArray[np.int16], beside: NDArray[np.int16], seed: int) -> Mask | None:
    """The pictures (n,) that agree with one of them all over an area; None where there are too few."""
    agree, strangers = (np.abs(some - small[seed]).max(axis=3) <= SAME for some in (small, beside))
    usual = strangers.mean(axis=0)
    share = agree.mean(axis=0)
    area = (agree.sum(axis=0) >= LEAST) & (share >= _TIMES * usual)
    limit = _BEGIN
    for _ in range(_ROUNDS):
        if area.mean() < AREA:
            return None
        members = agree[:, area].mean(axis=1) >= limit
        if members.sum() < LEAST:
            return None
        area = (agree[members].mean(axis=0) >= AGREED) & (usual <= 1 / _TIMES)
        limit = AGREED
    if area.mean() < AREA:
        return None
    members = agree[:, area].mean(axis=1) >= AGREED
    return members if members.sum() >= LEAST else None
