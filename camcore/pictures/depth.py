"""Numbers of more than 8 bits as 0..255, by the range that they are in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The full scales of cameras and scanners: 8, 10, 12, 14 and 16 bits. Many write 12 bits into a 16-bit file.
_PEAKS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)


def full_range(values: NDArray[Any]) -> tuple[float, float]:
    """The range (low, high) that numbers are in.

    Where none is negative that is 0 to the least full scale that holds them, 1 (decimal numbers only), 255, 1023,
    4095, 16383 or 65535; else their own minimum and maximum. What is not finite does not count; (0, 1) of nothing.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if low >= 0:
        for peak in _PEAKS if values.dtype.kind in "iu" else (1.0, *_PEAKS):
            if high <= peak:
                return 0.0, peak
    return low, high


def eight_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """(values − low) / (high − low) · 255, rounded, uint8 of the same shape; NaN becomes 0."""
    if values.dtype == np.uint16:  # by a table: a large scan has few different values
        steps = (np.arange(65536) - low) / ((high - low) or 1.0) * 255
        return np.asarray(np.rint(np.clip(steps, 0, 255)).astype(np.uint8)[values])
    numbers = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.asarray(np.rint(np.clip((numbers - low) / ((high - low) or 1.0), 0, 1) * 255).astype(np.uint8))
