"""Pictures made ready for training: a few random crops of each, cut once, and what is changed anew each time.

Decoding and cutting happen once; the crops lie uncompressed in a file that is read through the page cache. An
epoch takes one crop of every picture, then turns, shifts and recolours it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from camcore.files import read_json_object, unwritable, write_whole
from camcore.framing import frame_picture
from camcore.pictures.picture import Picture
from camcore.training.folders import LabelledFolder, Skipped, opened
from camcore.training.recipe import Recipe, room_to_crop

if TYPE_CHECKING:
    import tensorflow as tf

_ASPECT = 4 / 3  # crops are squeezed or stretched by at most this


@dataclass(frozen=True, eq=False)
class Views:
    """pixels: uint8 (views, n, S, S, 3), on disk. data: the n pictures that could be opened; skipped: the others."""

    pixels: NDArray[np.uint8]
    data: LabelledFolder


def make_views(data: LabelledFolder, recipe: Recipe, folder: Path) -> Generator[tuple[int, int], None, Views]:
    """Cut ``recipe.views`` squares out of every picture into ``folder``; yields (pictures done, in all).

    The first is the picture's centre, the others show a random part, ``recipe.least_area`` of it at least. What an
    earlier call made of the same pictures is taken again. Raises CamcoreError where the disk is full.
    """
    pixels_path, record_path = folder / "views.npy", folder / "views.json"
    side = recipe.stored_size
    key = _key(data, recipe)
    record = read_json_object(record_path) or {}
    if record.get("key") != key:
        shape = (recipe.views, len(data), side, side, 3)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _reserve(pixels_path, shape)
        except OSError as error:
            with suppress(OSError):
                pixels_path.unlink(missing_ok=True)
            raise unwritable(folder, error) from error
        pixels = np.load(pixels_path, mmap_mode="r+")
        kept: list[int] = []
        skipped: dict[str, str] = {}
        for index, picture in opened(data):
            if isinstance(picture, Skipped):
                skipped[str(picture.file)] = picture.reason
            else:
                pixels[:, len(kept)] = _cut(picture, recipe, index)
                kept.append(index)
            yield index + 1, len(data)
        pixels.flush()
        record = {"key": key, "kept": kept, "skipped": skipped}
        write_whole(record_path, json.dumps(record).encode())
    left_out = tuple(Skipped(Path(file), reason) for file, reason in record["skipped"].items())
    usable = replace(data.take(record["kept"]), skipped=data.skipped + left_out)
    return Views(np.load(pixels_path, mmap_mode="r")[:, : len(usable)], usable)


def centre_views(data: LabelledFolder, size: int) -> tuple[NDArray[np.uint8], LabelledFolder]:
    """The pictures as the network sees them when asked, uint8 (n, size, size, 3), and those that could be opened."""
    kept, frames, skipped = [], [], []
    for index, picture in opened(data):
        if isinstance(picture, Skipped):
            skipped.append(picture)
        else:
            kept.append(index)
            frames.append(frame_picture(picture, (size, size))[0].round().astype(np.uint8))
    return np.array(frames).reshape(-1, size, size, 3), replace(data.take(kept), skipped=data.skipped + tuple(skipped))


def augmentation(recipe: Recipe, side: int, epoch: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """A random change of every batch: uint8 (b, S, S, 3) → float32 (b, side, side, 3) in 0..255.

    Keras layers, seeded by the recipe and the epoch: mirrored or not, turned a little, shifted by cropping, other
    brightness, contrast and saturation.
    """
    import keras

    layers = keras.layers
    seed = recipe.seed * 100_003 + epoch
    span = (0, 255)
    room = room_to_crop(side)
    chain = [
        layers.Resizing(room, room, interpolation="area"),
        layers.RandomFlip("horizontal", seed=seed),
        layers.RandomRotation(recipe.rotation, fill_mode="reflect", seed=seed + 1),
        layers.RandomCrop(side, side, seed=seed + 2),
        layers.RandomBrightness(recipe.brightness, value_range=span, seed=seed + 3),
        layers.RandomContrast(recipe.contrast, value_range=span, seed=seed + 4),
        layers.RandomSaturation((0.5 - recipe.saturation, 0.5 + recipe.saturation), value_range=span, seed=seed + 5),
    ]
    if room == recipe.stored_size:
        chain = chain[1:]

    def change(batch: tf.Tensor) -> tf.Tensor:
        for layer in chain:
            batch = layer(batch, training=True)
        return batch

    return change


def _key(data: LabelledFolder, recipe: Recipe) -> str:
    """A hash of all that the stored crops depend on."""
    settings = (recipe.stored_size, recipe.views, recipe.least_area, recipe.seed)
    files = [(str(file), file.stat().st_size) for file in data.files]
    return hashlib.sha256(repr((settings, files)).encode()).hexdigest()


def _reserve(path: Path, shape: tuple[int, ...]) -> None:
    """Make the file with all its blocks: a full disk is noticed here, and not by a signal while it is filled."""
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape).flush()
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _cut(picture: Picture, recipe: Recipe, index: int) -> NDArray[np.uint8]:
    """The crops of one picture, uint8 (views, S, S, 3), drawn by the seed and the picture's place in its folder."""
    rng = np.random.default_rng((recipe.seed, index))
    side = recipe.stored_size
    size = (picture.width, picture.height)
    boxes = [_centre(size)] + [random_part(size, recipe.least_area, rng) for _ in range(recipe.views - 1)]
    return np.stack([cut_out(picture, (side, side), box) for box in boxes])


def cut_out(picture: Picture, size: tuple[int, int], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """A part (left, top, right, bottom) of a picture at the size (h, w), uint8 (h, w, 3)."""
    image = Image.fromarray(picture.rgb)
    return np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC, box=box, reducing_gap=3.0))


def _centre(size: tuple[int, int]) -> tuple[float, float, float, float]:
    short = min(size)
    left, top = (size[0] - short) / 2, (size[1] - short) / 2
    return left, top, left + short, top + short


def random_part(size: tuple[int, int], least: float, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A random part (left, top, right, bottom) of (width, height): its area, its shape, then its place.

    ``least``: the smallest share that it may show. As Szegedy et al. 2015 draw it.
    """
    width, height = size
    area = rng.uniform(least, 1.0) * width * height
    aspect = np.exp(rng.uniform(-np.log(_ASPECT), np.log(_ASPECT)))
    wide, tall = min(width, np.sqrt(area * aspect)), min(height, np.sqrt(area / aspect))
    left, top = rng.uniform(0, width - wide), rng.uniform(0, height - tall)
    return left, top, left + wide, top + tall
