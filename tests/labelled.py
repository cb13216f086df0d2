"""Folders of small pictures, one for each class, whose classes can be told apart by a network of a few filters."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

STRIPES = {"across": 0, "down": 1}


def make_folder(root: Path, counts: Mapping[str, int], size: tuple[int, int] = (40, 48), seed: int = 0) -> Path:
    """``root/<class>/NNN.png``: noise with stripes along the axis that STRIPES gives the class, else of its number."""
    rng = np.random.default_rng(seed)
    for number, (name, count) in enumerate(counts.items()):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        axis = STRIPES.get(name, number)
        for index in range(count):
            pixels = rng.integers(0, 90, (*size, 3))
            lines = (np.arange(size[axis % 2]) + rng.integers(8)) % 8 < 4
            pixels += 120 * (lines[:, None, None] if axis % 2 == 0 else lines[None, :, None])
            if axis > 1:
                pixels[..., axis % 3] //= 3
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index:03d}.png")
    return root
