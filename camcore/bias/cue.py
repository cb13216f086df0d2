"""A planted cue: a striped mark in a corner of pictures, a shortcut that a network can learn instead of the thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from camcore.bias.energy import Box, box_mask, check_box
from camcore.errors import CamcoreError
from camcore.pictures.picture import Picture
from camcore.training.folders import LabelledFolder, Skipped, opened

Mask = NDArray[np.bool_]

CORNER: Box = (0.0, 0.0, 0.25, 0.25)
COLOURS = ((255, 220, 0), (0, 40, 255))

# Stripes across a mark: narrow enough that a convolutional network sees their pattern, wide enough to be seen at all.
_STRIPES = 7


def plant_cue(
    rgb: NDArray[np.uint8],
    box: Box = CORNER,
    colours: tuple[tuple[int, int, int], tuple[int, int, int]] = COLOURS,
) -> NDArray[np.uint8]:
    """A copy of the picture, uint8 (H, W, 3), with a mark of diagonal stripes in the box.

    box: top, left, bottom, right as shares of the sides; exactly the pixels of ``box_mask`` change. Raises
    CamcoreError where the box is none.
    """
    check_box(box)
    inside = box_mask(box, rgb.shape[:2])
    if not inside.any():
        raise CamcoreError(
            f"The box {box} holds no pixel of a picture of {rgb.shape[0]}×{rgb.shape[1]}. A mark needs some. Make "
            "it larger."
        )
    y, x = np.nonzero(inside)
    width = max(1.0, min(np.ptp(y) + 1, np.ptp(x) + 1) / _STRIPES)
    odd = ((y - y.min() + x - x.min()) // width).astype(int) % 2
    out = np.array(rgb)
    out[y, x] = np.array(colours, np.uint8)[odd]
    return out


def square(pic: Picture) -> NDArray[np.uint8]:
    """The largest centred square of a picture, so that its corners stay in view whatever the framing."""
    side = min(pic.height, pic.width)
    top, left = (pic.height - side) // 2, (pic.width - side) // 2
    return pic.rgb[top : top + side, left : left + side]


def write_planted(data: LabelledFolder, marked: Mask, folder: Path, box: Box = CORNER) -> LabelledFolder:
    """Write every picture as a square PNG below ``folder``, those of ``marked`` (n,) with the cue; return them.

    Pictures that cannot be opened are left out and counted. Raises CamcoreError where the disk refuses.
    """
    files: list[Path] = []
    labels: list[int] = []
    skipped = list(data.skipped)
    try:
        for name in data.classes:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for index, pic in opened(data):
            if isinstance(pic, Skipped):
                skipped.append(pic)
                continue
            rgb = square(pic)
            label = int(data.labels[index])
            file = folder / data.classes[label] / f"{index:05d}-{data.files[index].stem}.png"
            Image.fromarray(plant_cue(rgb, box) if marked[index] else rgb).save(file, compress_level=1)
            files.append(file)
            labels.append(label)
    except OSError as error:
        raise CamcoreError(
            f"The study's pictures cannot be written to '{folder}': {error.strerror or error}. Free some space, or "
            "choose another folder for temporary files (TMPDIR)."
        ) from error
    return LabelledFolder(folder, data.classes, tuple(files), np.array(labels, np.int64), tuple(skipped))


def of_class(data: LabelledFolder, index: int) -> Mask:
    """All pictures of one class: the cue goes with the class, and a network can learn it instead."""
    return np.asarray(data.labels == index)


def half_of_each(data: LabelledFolder, seed: int) -> Mask:
    """Half the pictures of every class: the cue is there, but says nothing."""
    rng = np.random.default_rng(seed)
    marked = np.zeros(len(data), bool)
    for index in range(len(data.classes)):
        members = rng.permutation(np.flatnonzero(data.labels == index))
        marked[members[: len(members) // 2]] = True
    return marked
