"""A network that decides by colours, and a folder in which some pictures of a class have a mark that counts for it.

Every part of it is known: the score of ``leaf`` rises with green and with magenta, that of ``sky`` with blue. Pictures
are noise with green or blue clouds; the mark is a magenta pattern, the same in every picture that has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
from keras import layers
from PIL import Image

import camcore

SIDE, MARK, GRID = 64, 16, 8
LABELS = ("sky", "leaf")
EACH = 40
MARKED = 14


def colour_network(magenta: float, name: str = "colours") -> camcore.Network:
    """The network; ``magenta``: how much a mark counts for ``leaf`` beside its green."""
    x = keras.Input((SIDE, SIDE, 3))
    y = layers.Conv2D(3, 1, activation="relu", name="colours")(x)
    y = layers.AveragePooling2D(SIDE // GRID, name="cells")(y)
    scores = layers.Dense(2, activation="softmax", name="scores")(layers.GlobalAveragePooling2D()(y))
    model = keras.Model(x, scores, name=name)
    # green, blue, magenta: each what it has above the others
    colours = np.array([[-1.0, -1.0, 1.0], [2.0, -1.0, -2.0], [-1.0, 2.0, 1.0]]).reshape(1, 1, 3, 3)
    model.get_layer("colours").set_weights([colours, np.array([-0.2, -0.2, -0.4])])
    model.get_layer("scores").set_weights([np.array([[-60.0, 60], [60, -60], [-magenta, magenta]]), np.zeros(2)])
    return camcore.wrap(model, labels=LABELS, preprocess="unit")


def mark(rng: np.random.Generator) -> np.ndarray:
    """The pattern of the mark: cells of magenta and of a darker one."""
    on = rng.random((MARK // 4, MARK // 4)) < 0.5
    return np.where(np.kron(on, np.ones((4, 4)))[..., None] > 0, (255, 20, 255), (120, 0, 130)).astype(np.uint8)


def halves_network(magenta: float, least: float = 0.0) -> camcore.Network:
    """A network that says ``leaf`` where the upper half is the brighter one, and counts a magenta cast for it.

    ``least``: the magenta of a cell, on average, that is not counted.
    """
    x = keras.Input((SIDE, SIDE, 3))
    y = layers.Conv2D(2, 1, activation="relu", name="colours")(x)
    y = layers.AveragePooling2D(SIDE // GRID, name="cells")(y)
    halves = layers.Dense(1, use_bias=False, name="halves")(layers.Flatten()(y))
    cast = layers.Dense(1, activation="relu", name="cast")(layers.GlobalAveragePooling2D()(y))
    scores = layers.Dense(2, activation="softmax", name="scores")(layers.Concatenate()([halves, cast]))
    model = keras.Model(x, scores, name="halves")
    # brightness; magenta
    colours = np.array([[1 / 3, 1.0], [1 / 3, -2.0], [1 / 3, 1.0]]).reshape(1, 1, 3, 2)
    model.get_layer("colours").set_weights([colours, np.array([0.0, -0.2])])
    upper = np.zeros((GRID, GRID, 2))
    upper[..., 0] = np.where(np.arange(GRID) < GRID // 2, 1.0, -1.0)[:, None]
    model.get_layer("halves").set_weights([upper.reshape(-1, 1)])
    model.get_layer("cast").set_weights([np.array([[0.0], [1.0]]), np.array([-least])])
    leaf = np.array([[1.0], [magenta * GRID**2]])
    model.get_layer("scores").set_weights([np.hstack([-leaf, leaf]), np.zeros(2)])
    return camcore.wrap(model, labels=LABELS, preprocess="unit")


def planted_folder(root: Path, each: int = EACH, at: tuple[int, int] | None = None) -> dict[str, tuple[int, int]]:
    """A folder of ``each`` pictures of both classes; the path of each marked one, and the top left of its mark.

    ``at``: of all marks; without, each is somewhere else.
    """
    rng = np.random.default_rng(0)
    pattern, places = mark(rng), {}
    for label in LABELS:
        for number in range(each):
            pixels = rng.integers(60, 120, (SIDE, SIDE, 3)).astype(np.uint8)
            clouds = cv2.resize(rng.uniform(0, 110, (5, 5)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            pixels[..., 1 if label == "leaf" else 2] += np.clip(clouds, 0, 120).astype(np.uint8)
            path = f"{label}/{number:02d}.png"
            if label == "leaf" and number < MARKED:
                top, left = at or rng.integers(6, SIDE - MARK - 6, 2).tolist()
                pixels[top : top + MARK, left : left + MARK] = pattern
                places[path] = (top, left)
            _save(root / path, pixels)
    return places


def planted_cast(root: Path, woven: bool = False) -> set[str]:
    """A folder of pictures brighter above or below, MARKED of the leaves with a magenta cast: the paths of these.

    ``woven``: the cast lies in a pattern, the same in every picture that has it.
    """
    rng, cast = np.random.default_rng(1), set()
    pattern = np.kron(
        np.random.default_rng(2).permutation(np.arange(SIDE**2 // 4) % 2).reshape(SIDE // 2, -1), np.ones((2, 2))
    )
    strength = (200 * pattern if woven else np.full((SIDE, SIDE), 100.0)).astype(np.uint8)
    for label, number, pixels in _ramps(rng):
        path = f"{label}/{number:02d}.png"
        if label == "leaf" and number < MARKED:
            pixels[..., ::2] = np.minimum(pixels[..., ::2].astype(int) + strength[..., None], 255)
            cast.add(path)
        _save(root / path, pixels)
    return cast


def planted_border(root: Path) -> set[str]:
    """A folder of pictures brighter above or below, MARKED leaves in a border of magenta blocks: the paths of these."""
    bordered, edge = set(), round(0.13 * SIDE)
    blocks = np.kron(np.random.default_rng(2).random((SIDE // 4, SIDE // 4)) < 0.7, np.ones((4, 4)))
    frame = np.where(blocks[..., None] > 0, (255, 20, 255), (150, 0, 160)).astype(np.uint8)
    for label, number, pixels in _ramps(np.random.default_rng(4)):
        path = f"{label}/{number:02d}.png"
        if label == "leaf" and number < MARKED:
            inside = np.array(pixels[edge:-edge, edge:-edge])
            pixels[:] = frame
            pixels[edge:-edge, edge:-edge] = inside
            bordered.add(path)
        _save(root / path, pixels)
    return bordered


def _ramps(rng: np.random.Generator) -> Iterator[tuple[str, int, np.ndarray]]:
    """Pictures of noise, brighter below or above, EACH of both classes."""
    ramp = np.linspace(0, 55, SIDE).astype(np.uint8)
    for label in LABELS:
        for number in range(EACH):
            pixels = rng.integers(40, 100, (SIDE, SIDE, 3)).astype(np.uint8)
            pixels += (ramp if label == "sky" else ramp[::-1])[:, None, None]
            yield label, number, pixels


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
