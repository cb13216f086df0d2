"""Masks of the object: read from a file, and matched to the pictures of a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, text
from camcore.errors import CamcoreError, PictureError
from camcore.heatmaps.arguments import a_path, a_picture
from camcore.pictures.picture import Picture, open_picture
from camcore.training.folders import Skipped

IMAGES, MASKS = "images", "masks"

# A mask of such small values holds numbers, not brightness: background, object, and a border that counts for neither.
_OBJECT, _BORDER = 1, 2
_BRIGHT = 128

_RULES = (
    "White is the object and black the rest; or 1 is the object, 0 the rest and 2 a border that counts for neither."
)


@dataclass(frozen=True, eq=False)
class ObjectMask:
    """The object on a picture's pixels: ``inside`` and ``ignored``, bool (H, W)."""

    inside: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


@dataclass(frozen=True)
class MaskedFolder:
    """Pictures and their masks, ``pairs`` of paths in the order of their names; ``skipped``: what has no partner."""

    root: Path
    pairs: tuple[tuple[Path, Path], ...]
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.pairs)


@checked(pic=a_picture, name=text)
def read_mask(source: str | os.PathLike[str] | bytes, pic: Picture, *, name: str = "") -> ObjectMask:
    """The mask of a picture, from a path or a file's bytes.

    Values of at most 2 are numbers: 1 the object, 2 a border that counts for neither. Else the object is where the
    brightest channel reaches 128. Raises PictureError for what is no picture, CamcoreError where its size is not the
    picture's or there is no object in it.
    """
    mask = open_picture(source, name=name)
    shown = f"The mask {mask.name!r}" if mask.name else "The mask"
    if (mask.height, mask.width) != (pic.height, pic.width):
        raise CamcoreError(
            f"{shown} is {mask.height}×{mask.width} (height × width), the picture {pic.height}×{pic.width}. A mask "
            "says of every pixel whether it belongs to the object. Give one of the picture's own size."
        )
    values = mask.rgb.max(axis=2)
    numbers = int(values.max()) <= _BORDER
    inside = values == _OBJECT if numbers else values >= _BRIGHT
    if not inside.any():
        raise CamcoreError(f"{shown} has no object in it: not one of its pixels is set. {_RULES} Give a mask with one.")
    return ObjectMask(inside, values == _BORDER if numbers else np.zeros_like(inside))


@checked(path=a_path)
def read_masked_folder(path: str | os.PathLike[str]) -> MaskedFolder:
    """The pictures in ``images`` with the masks of the same name in ``masks``, whatever their endings.

    Nothing is opened here. Raises CamcoreError where there are no such folders, or no pair.
    """
    root = Path(path).expanduser().absolute()
    images, masks = (_by_stem(root, part) for part in (IMAGES, MASKS))
    pairs = tuple((images[stem], masks[stem]) for stem in sorted(images.keys() & masks.keys()))
    if not pairs:
        raise CamcoreError(
            f"No picture in '{root / IMAGES}' has a mask in '{root / MASKS}': {len(images)} pictures, {len(masks)} "
            "masks, no two of one name. Name each mask as its picture: images/cat1.jpg, masks/cat1.png."
        )
    alone = [Skipped(images[stem], "It has no mask.") for stem in sorted(images.keys() - masks.keys())]
    alone += [Skipped(masks[stem], "It has no picture.") for stem in sorted(masks.keys() - images.keys())]
    return MaskedFolder(root, pairs, tuple(alone))


def open_pair(pair: tuple[Path, Path]) -> tuple[Picture, ObjectMask] | Skipped:
    """A picture and its mask, or the reason why they cannot be used."""
    try:
        pic = open_picture(pair[0])
    except PictureError as error:
        return Skipped(pair[0], str(error))
    try:
        return pic, read_mask(pair[1], pic)
    except CamcoreError as error:
        return Skipped(pair[1], str(error))


def _by_stem(root: Path, part: str) -> dict[str, Path]:
    folder = root / part
    try:
        files = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    except OSError as error:
        raise CamcoreError(
            f"The folder '{folder}' cannot be read: {error.strerror or error}. Pictures lie in '{IMAGES}' and their "
            f"masks in '{MASKS}', side by side in one folder. Correct the path, or make these two folders."
        ) from error
    return {entry.stem: entry for entry in files}
