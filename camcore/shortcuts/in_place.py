"""Copies that stay in their place: pixels that are the same in all pictures of a group, as of a border or a fixed mark.

Such a copy may count only as a whole and where it is. A box around a part of it says little then, so it is pasted in
its own shape at its own place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from camcore.shortcuts.transplants import Framed, Pixels

Mask = NDArray[np.bool_]

SAMPLE = 60
"""Pictures of each kind that are compared."""
SAME = 10.0
"""The median difference from the median picture, in levels of 0 to 255, up to which a pixel is the same."""
RATIO = 0.3
"""Its greatest ratio to that of pictures without the copy, whose pixels may all be alike too: a white background."""
LEAST, MOST = 0.005, 0.5
"""The share of the input that such a copy covers. One that covers more is the whole picture."""

_SMOOTH = 0.08  # of the shorter side: standard deviation of what a hole is filled with
_FAR = 1e-3  # weight of what is around below which a pixel of a hole is far from it


def shape_in_place(members: Sequence[Framed], others: Sequence[Framed]) -> Mask | None:
    """The pixels (h, w) that are the same in most ``members`` and not among ``others``; None where there are too few.

    Lines of one or two pixels are left out, and so is what the framing added around a picture.
    """
    if min(len(members), len(others)) < 2:
        return None
    inside = np.logical_and.reduce([_inside(one) for one in members[:SAMPLE]])
    spread = _spread(members[:SAMPLE])
    same = inside & (spread <= SAME) & (spread <= RATIO * _spread(others[:SAMPLE]))
    opened = cv2.morphologyEx(same.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return opened if LEAST <= opened.mean() <= MOST else None


def pasted_in_place(source: Framed, shape: Mask, target: Framed) -> Pixels:
    """The target with the pixels of a shape taken from the source, at the same place, within the target's picture."""
    return np.where((shape & _inside(target))[..., None], source.pixels, target.pixels)


def filled(picture: Framed, shape: Mask) -> Pixels:
    """The picture with a shape filled from its surroundings: their mean, weighted by a Gaussian of the distance."""
    inside = _inside(picture)
    around = (inside & ~shape).astype(np.float32)
    pixels = picture.pixels.astype(np.float32)
    sigma = _SMOOTH * min(shape.shape)
    weight = cv2.GaussianBlur(around, (0, 0), sigma)[..., None]
    mean = cv2.GaussianBlur(pixels * around[..., None], (0, 0), sigma) / np.maximum(weight, _FAR)
    everywhere = pixels[around > 0].mean(axis=0) if around.any() else pixels.mean(axis=(0, 1))
    smooth = np.where(weight >= _FAR, mean, everywhere)
    return np.where((shape & inside)[..., None], np.clip(np.rint(smooth), 0, 255), pixels).astype(np.uint8)


def _inside(picture: Framed) -> Mask:
    """The part of the input that the picture fills."""
    mask = np.zeros(picture.pixels.shape[:2], bool)
    top, left, bottom, right = picture.area
    mask[top:bottom, left:right] = True
    return mask


def _spread(pictures: Sequence[Framed]) -> NDArray[np.float32]:
    """The median difference of pictures from their median one, the largest of the three colours: (h, w)."""
    stacked = np.stack([one.pixels for one in pictures]).astype(np.float32)
    away = np.abs(stacked - np.median(stacked, axis=0)).max(axis=3)
    return np.asarray(np.median(away, axis=0), np.float32)
