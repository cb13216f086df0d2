"""Pictures become files, data URLs, and exports with a caption."""

import base64
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from camcore.checks import an_array, checked, many, of_type, text, whole
from camcore.errors import CamcoreError

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_JPEG_MAX_SIDE = 65500
_CAPTION_MIN_WIDTH = 240
PAPER, INK = (255, 255, 255), (32, 32, 32)

# Fonts with accents, Greek and signs such as ×, where the system has them; Pillow's own has ASCII only.
_SYSTEM_FONTS = ("DejaVuSans.ttf", "Arial.ttf")
_ASCII = {"×": "x", "·": "-", "–": "-", "—": "-", "→": "->", "−": "-", "≤": "<=", "≥": ">=", "±": "+/-"}


@checked(rgb=an_array)
def to_png(rgb: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (H, W, 3) RGB as PNG, lossless. Raises CamcoreError for another array."""
    return _encode(".png", rgb, [cv2.IMWRITE_PNG_COMPRESSION, 3])


@checked(rgb=an_array, quality=whole(example=90))
def to_jpeg(rgb: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode uint8 (H, W, 3) RGB as JPEG with full colour resolution, quality 1 to 100.

    Raises CamcoreError for another array or quality, or a side over 65500 pixels.
    """
    if not 1 <= quality <= 100:
        raise CamcoreError(
            f"The JPEG quality {quality} is out of range. It goes from 1 (smallest) to 100 (best). Try 90."
        )
    _check(rgb)
    if max(rgb.shape) > _JPEG_MAX_SIDE:
        raise CamcoreError(
            f"A picture of shape {rgb.shape} cannot be a JPEG. The format ends at {_JPEG_MAX_SIDE} pixels "
            "a side. Save it as PNG."
        )
    # Heatmaps are all colour: halving its resolution, as JPEG does by default, would blur them.
    full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _encode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality, *full])


@checked(data=of_type(bytes, "Give a file's bytes, such as to_png makes."), mime=text)
def to_data_url(data: bytes, mime: str = "image/png") -> str:
    """The bytes as a data: URL, for HTML that stands on its own."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


@checked(rgb=an_array, lines=many(text, what_to_do="Give a list of lines of text."))
def with_caption(rgb: NDArray[np.uint8], lines: Sequence[str]) -> NDArray[np.uint8]:
    """The picture with a strip of plain text beneath: uint8 (H + strip, W, 3).

    The text's size follows the picture's width; long lines wrap. A picture narrower than 240 pixels is
    centred on a strip of that width. Without lines the picture is returned as it is. Raises CamcoreError
    for another array than uint8 (H, W, 3).
    """
    _check(rgb)
    if not lines:
        return rgb
    height, picture_width = rgb.shape[:2]
    width = max(picture_width, _CAPTION_MIN_WIDTH)
    size = min(max(round(width / 40), 12), 64)
    font, everything = caption_font(size)
    margin, line_height = size // 2, round(size * 1.35)
    plain = (line if everything else to_ascii(line) for text in lines for line in text.splitlines() or [""])
    wrapped = [part for line in plain for part in wrap_text(line, font, width - 2 * margin)]
    strip = Image.new("RGB", (width, 2 * margin + line_height * len(wrapped)), PAPER)
    draw = ImageDraw.Draw(strip)
    for row, line in enumerate(wrapped):
        draw.text((margin, margin + row * line_height), line, INK, font)
    canvas = np.full((height + strip.height, width, 3), PAPER, np.uint8)
    left = (width - picture_width) // 2
    canvas[:height, left : left + picture_width] = rgb
    canvas[height:] = np.asarray(strip)
    return canvas


@lru_cache(maxsize=16)
def caption_font(size: int) -> tuple[Font, bool]:
    """A font of that size in pixels, and whether it has more than ASCII."""
    for name in _SYSTEM_FONTS:
        try:
            return ImageFont.truetype(name, size), True
        except OSError:
            continue
    return ImageFont.load_default(size), False


def to_ascii(text: str) -> str:
    """The text in ASCII, the nearest plain letter or sign in place of each other one."""
    known = "".join(_ASCII.get(character, character) for character in text)
    letters = "".join(c for c in unicodedata.normalize("NFKD", known) if not unicodedata.combining(c))
    return letters.encode("ascii", "replace").decode("ascii")


def wrap_text(line: str, font: Font, width: float) -> list[str]:
    """Break a line between words, and a word that is too long for a line between its letters."""
    done, current = [], ""
    for word in line.split():
        joined = f"{current} {word}".lstrip()
        if font.getlength(joined) <= width:
            current = joined
            continue
        if current:
            done.append(current)
        while font.getlength(word) > width and len(word) > 1:
            fits = 1
            while font.getlength(word[: fits + 1]) <= width:
                fits += 1
            done.append(word[:fits])
            word = word[fits:]
        current = word
    return [*done, current]


def _check(rgb: NDArray[np.uint8]) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise CamcoreError(
            f"An array of shape {rgb.shape} and dtype {rgb.dtype} cannot be saved as a picture. "
            "Pictures are uint8 (H, W, 3), red, green, blue. Colour a map with colour() first."
        )


def _encode(kind: str, rgb: NDArray[np.uint8], options: list[int]) -> bytes:
    _check(rgb)
    done, buffer = cv2.imencode(kind, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise CamcoreError(
            f"A picture of shape {rgb.shape} could not be written as {kind}. The encoder refused it. Make it smaller."
        )
    return bytes(buffer)
