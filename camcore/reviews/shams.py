"""Sham maps: as large and as strong as a picture's own map, and somewhere else.

Whoever calls them right as often as real ones did not look, or the real ones are placed no better.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

TRIES = 24
"""Shams that are drawn for one that is shown."""
_BLUR = 0.7  # cells: so that the plateaus of a pattern have an order


def sham(own: Map, others: NDArray[np.float32], rng: np.random.Generator) -> Map:
    """A sham for a picture with its ``own`` map (h, w): exactly the same values, at other places.

    Where they lie follows the own map moved, one of the ``others`` (n, h, w), or smooth noise. Of TRIES shams the one
    that lies least on the own map and on the mean of the others, which is where objects are wont to be.
    """
    mean = others.mean(axis=0) if len(others) else own
    avoided = np.maximum(own, mean / max(float(mean.max()), 1e-9))
    drawn = [_arranged(_pattern(own, others, rng), own, rng) for _ in range(TRIES)]
    return min(drawn, key=lambda one: float((one * avoided).sum()))


def _pattern(own: Map, others: NDArray[np.float32], rng: np.random.Generator) -> Map:
    kind = rng.integers(3)
    if kind == 0 and len(others):
        return np.asarray(others[rng.integers(len(others))], np.float32)
    if kind == 1:
        turned = own[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
        return np.roll(turned, (rng.integers(own.shape[0]), rng.integers(own.shape[1])), (0, 1))
    noise = rng.standard_normal(own.shape).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), max(own.shape) / 6, borderType=cv2.BORDER_REPLICATE), np.float32)


def _arranged(pattern: Map, own: Map, rng: np.random.Generator) -> Map:
    """The values of ``own`` in the order of a pattern, so that area and strength are the same."""
    smooth = cv2.GaussianBlur(np.ascontiguousarray(pattern, np.float32), (0, 0), _BLUR)
    places = np.lexsort((rng.random(own.size), smooth.ravel()))
    arranged = np.empty_like(own)
    arranged.ravel()[places] = np.sort(own, axis=None)
    return arranged
