"""Numbers of more than 8 bits as 0..255, by the range that they are in."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Numbers = NDArray[Any]
"""An array of numbers of any kind."""

# The full scales of cameras and scanners: 8, 10, 12, 14 and 16 bits. Many write 12 bits into a 16-bit file.
_PEAKS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)


def full_range(values: Numbers) -> tuple[float, float]:
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


def eight_bit(values: Numbers, low: float, high: float) -> NDArray[np.uint8]:
    """(values − low) / (high − low) · 255, rounded, uint8 of the same shape; NaN becomes 0."""
    if values.dtype == np.uint16:  # by a table: a large scan has few different values
        steps = (np.arange(65536) - low) / ((high - low) or 1.0) * 255
        return np.asarray(np.rint(np.clip(steps, 0, 255)).astype(np.uint8)[values])
    numbers = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.asarray(np.rint(np.clip((numbers - low) / ((high - low) or 1.0), 0, 1) * 255).astype(np.uint8))


def deep_channels(image: Image.Image) -> int:
    """Bits per channel where the file has more than 8 and Pillow's decoder knows, else 8."""
    codec = str(getattr(image, "tile", ""))
    return next((bits for bits in (16, 12) if f";{bits}" in codec), 8)


def eight_bit_image(image: Image.Image, data: bytes, bits: int, notes: list[str]) -> Image.Image:
    """Bring 12-, 16- and 32-bit numbers to 8 bit by the range that they are really in."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return _eight_bit_colour(image, data, bits, notes) if bits > 8 else image
    values = np.asarray(image)
    if image.mode in ("I", "F"):
        bits = 32
    low, high = (0.0, 4095.0) if bits == 12 else full_range(values)
    span = "" if high == 2**bits - 1 else f", {low:g} to {high:g},"
    notes.append(f"{bits}-bit gray{span} scaled to 8 bit")
    scaled = Image.fromarray(eight_bit(values, low, high))
    key = image.info.get("transparency")
    if isinstance(key, int):
        scaled.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    return scaled


def _eight_bit_colour(image: Image.Image, data: bytes, bits: int, notes: list[str]) -> Image.Image:
    """Colour of more than 8 bits, of which Pillow's decoder keeps the upper byte: nothing, where 12 bits lie in 16."""
    if image.format == "PNG" and image.mode in ("RGB", "RGBA") and "transparency" not in image.info:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if values is not None and values.dtype == np.uint16 and values.ndim == 3:
            values = values[..., 2::-1]  # blue, green, red, alpha
            low, high = full_range(values)
            if high < 65535:
                notes.append(f"{bits} bits per channel, {low:g} to {high:g}, scaled to 8 bit")
                scaled = Image.fromarray(np.ascontiguousarray(eight_bit(values, low, high)))
                if image.mode == "RGBA":
                    scaled.putalpha(image.getchannel("A"))
                return scaled
    notes.append(f"{bits} bits per channel reduced to 8")
    return image
