"""Formulas in plain numpy that several tests compare with."""

from __future__ import annotations

from typing import Any

import numpy as np


def close(result: Any, wanted: Any, tolerance: float = 1e-6) -> None:
    """Assert that both are equal within ``tolerance`` of the largest value, which is not zero."""
    wanted = np.asarray(wanted)
    assert np.shape(result) == wanted.shape
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(result, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def softmax(z: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def enlarge(side: int, to: int) -> np.ndarray:
    """The matrix (to, side) of linear interpolation with half-pixel centres, the border held."""
    matrix = np.zeros((to, side))
    for i in range(to):
        at = min(max((i + 0.5) * side / to - 0.5, 0), side - 1)
        low = min(int(at), side - 1)
        high = min(low + 1, side - 1)
        matrix[i, low] += 1 - (at - low)
        matrix[i, high] += at - low
    return matrix
