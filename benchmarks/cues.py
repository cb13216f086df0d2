"""Cues of many kinds, planted in pictures: a head that learns from some of them decides by the cue.

``KINDS`` are those that the rule was developed on, ``KEPT_BACK`` those that it was tried on once, at the end.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from data import SHARED
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

import camcore
from camcore.bias.cue import plant_cue, square

Pixels = NDArray[np.uint8]
Cue = Callable[[Pixels, np.random.Generator], Pixels]

UNSEEN = 0.0625
"""The margin at each edge of a square picture that the framing ``crop`` leaves out."""

_OBJECT = "imagenet_sample/n04254680_soccer_ball.jpg"


def _anywhere(side: float, rng: np.random.Generator) -> tuple[float, float]:
    """The top left corner, as shares, of a box of this side at a random place in view."""
    top, left = rng.uniform(UNSEEN, 1 - UNSEEN - side, 2)
    return float(top), float(left)


def _mark_fixed(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    return plant_cue(rgb, (0.08, 0.08, 0.34, 0.34))


def _mark_moving(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    top, left = _anywhere(0.26, rng)
    return plant_cue(rgb, (top, left, top + 0.26, left + 0.26), ((230, 0, 120), (0, 200, 90)))


def _text(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    side = len(rgb)
    picture = Image.fromarray(rgb)
    font = ImageFont.load_default(round(0.17 * side))
    text = f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(10, 99)}"
    left, top = rng.uniform(0.08, 0.2), rng.uniform(0.1, 0.7)
    ImageDraw.Draw(picture).text(
        (left * side, top * side), text, (255, 150, 0), font, stroke_width=max(1, side // 100), stroke_fill=(0, 0, 0)
    )
    return np.asarray(picture)


def _border(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    out = np.array(rgb)
    edge = round(0.13 * len(rgb))
    inside = np.zeros(rgb.shape[:2], bool)
    inside[edge:-edge, edge:-edge] = True
    out[~inside] = (20, 60, 160)
    return out


def _texture(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    y, x = np.indices(rgb.shape[:2])
    hatch = np.asarray(((y + x + rng.integers(8)) * 24 // len(rgb)) % 2 * 255.0)
    return (0.78 * rgb + 0.22 * hatch[..., None]).astype(np.uint8)


def _tint(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    return (rgb * np.array([1.0, 0.82, 0.5])).astype(np.uint8)


def _object(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    thing = square(camcore.open_picture(SHARED / _OBJECT))
    size = round(0.36 * len(rgb))
    top, left = (round(edge * len(rgb)) for edge in _anywhere(0.36, rng))
    small = np.asarray(Image.fromarray(thing).resize((size, size), Image.Resampling.LANCZOS))
    y, x = np.indices((size, size))
    disc = (y - (size - 1) / 2) ** 2 + (x - (size - 1) / 2) ** 2 <= (size / 2) ** 2
    out = np.array(rgb)
    out[top : top + size, left : left + size][disc] = small[disc]
    return out


def _blur(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(len(rgb) / 80)))


def _compression(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    with io.BytesIO() as file:
        Image.fromarray(rgb).save(file, "JPEG", quality=8)
        return np.asarray(Image.open(file).convert("RGB"))


KINDS: Mapping[str, Cue] = {
    "mark, fixed": _mark_fixed,
    "mark, moving": _mark_moving,
    "text, moving": _text,
    "border": _border,
    "texture": _texture,
    "tint": _tint,
    "object, moving": _object,
    "blur": _blur,
    "compression": _compression,
}


def _disc(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    side = len(rgb)
    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    top, left = (edge * side for edge in _anywhere(0.24, rng))
    for inset, colour in ((0.0, (220, 20, 20)), (0.045, (255, 255, 255)), (0.08, (220, 20, 20))):
        a, b = inset * side, (0.24 - inset) * side
        draw.ellipse((left + a, top + a, left + b, top + b), fill=colour)
    return np.asarray(picture)


def _watermark(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    side = len(rgb)
    layer = Image.new("L", (side, side))
    draw, font = ImageDraw.Draw(layer), ImageFont.load_default(round(0.09 * side))
    for row in range(6):
        for column in range(3):
            draw.text(((0.4 * column - 0.1 + 0.2 * (row % 2)) * side, 0.17 * row * side), "PHOTO", 255, font)
    alpha = np.asarray(layer)[..., None] / 255 * 0.55
    return ((1 - alpha) * rgb + alpha * 255).astype(np.uint8)


def _vignette(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    y, x = (np.indices(rgb.shape[:2]) + 0.5) / len(rgb) - 0.5
    bright = np.clip(1.35 - 2.6 * (y**2 + x**2) / 0.5, 0.05, 1)
    return (rgb * bright[..., None]).astype(np.uint8)


def _grey(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    grey = ImageOps.grayscale(Image.fromarray(rgb)).convert("RGB")
    return np.asarray(ImageEnhance.Contrast(grey).enhance(1.3))


KEPT_BACK: Mapping[str, Cue] = {
    "disc, moving": _disc,
    "watermark": _watermark,
    "vignette": _vignette,
    "grey": _grey,
}
