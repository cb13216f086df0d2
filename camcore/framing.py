"""From a picture to the network's input, and from a map back to the picture's pixels.

Geometry is exact, in floating point, with half-pixel centres: pixel i of a row covers [i, i + 1) and its
centre lies at i + 0.5. Functions that take or give points count in pixel indices (the centre of the
first pixel is 0.0); areas are given by their edges (the whole of a 480-pixel side is 0.0 to 480.0).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from camcore.checks import shown
from camcore.errors import CamcoreError, nearest
from camcore.pictures.picture import Picture

FRAMINGS = ("crop", "centre", "stretch", "letterbox")

# The usual evaluation of ImageNet networks: short side to 256, then the central 224.
_CROP = 224 / 256

# ImageNet's mean colour (RGB), the one that Keras subtracts: after that preprocessing it is exactly zero.
NEUTRAL = (123.68, 116.779, 103.939)

Size = tuple[int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
Array32 = NDArray[np.float32]
Array64 = NDArray[np.float64]
Index = TypeVar("Index", float, Array64)


@dataclass(frozen=True)
class CellGrid:
    """The places of a layer's cells on the network's input.

    ``first_centre``: (y, x) of the first cell's centre, in input pixel indices. ``stride``: (y, x) distance
    between neighbouring cells' centres, in input pixels; negative where the layer sees the picture mirrored.
    ``seen``: (top, left, bottom, right) edges, in input pixel indices, of what a crop inside the network leaves
    of the input; None: all of it.
    """

    first_centre: Point
    stride: Point
    seen: Box | None = None

    @classmethod
    def uniform(cls, grid: Size, input_size: Point, mirrored: tuple[bool, bool] = (False, False)) -> "CellGrid":
        """The grid (h, w) stretched over the input (H, W), as cv2 and TensorFlow resize; its axes mirrored or not."""
        stride = (input_size[0] / grid[0], input_size[1] / grid[1])
        first = [
            side - 0.5 - step / 2 if turned else step / 2 - 0.5
            for side, step, turned in zip(input_size, stride, mirrored, strict=True)
        ]
        signed = [-step if turned else step for step, turned in zip(stride, mirrored, strict=True)]
        return cls((first[0], first[1]), (signed[0], signed[1]))

    def upright(self, grid: Size) -> "CellGrid":
        """The same cells (h, w), rows from the top of the input to the bottom and columns from left to right."""
        ends = [
            first + step * (side - 1) if step < 0 else first
            for first, step, side in zip(self.first_centre, self.stride, grid, strict=True)
        ]
        return replace(self, first_centre=(ends[0], ends[1]), stride=(abs(self.stride[0]), abs(self.stride[1])))


@dataclass(frozen=True)
class Frame:
    """The affine map between a picture and the network's input: ``seen`` is drawn onto ``placed``.

    ``picture_size``, ``input_size``: (height, width) in pixels. ``seen``: (top, left, bottom, right) edges of the
    area the network saw, in picture pixels. ``placed``: the area it fills on the input, in whole pixels.
    """

    framing: str
    picture_size: Size
    input_size: Size
    seen: Box
    placed: tuple[int, int, int, int]

    def to_input(self, point: Point) -> Point:
        """A point (y, x) of the picture on the network's input; both in pixel indices."""
        y = _carry(point[0], self.seen[::2], self.placed[::2])
        return y, _carry(point[1], self.seen[1::2], self.placed[1::2])

    def to_picture_point(self, point: Point) -> Point:
        """A point (y, x) of the network's input on the picture; both in pixel indices."""
        y = _carry(point[0], self.placed[::2], self.seen[::2])
        return y, _carry(point[1], self.placed[1::2], self.seen[1::2])

    def to_picture(
        self,
        values: ArrayLike,
        cells: CellGrid | None = None,
        smooth: bool = True,
        max_side: int | None = None,
    ) -> Array32:
        """Draw a map (h, w) on the picture: float32 (H, W), NaN where the network did not look.

        ``cells``: where the map's cells lie on the input (None: spread uniformly). ``smooth`` interpolates
        bilinearly between cell centres, else each pixel takes its nearest cell; beyond the outermost
        centres the border cell's value holds. ``max_side`` computes the same at ``reduced_size``, for display.
        """
        grid = np.asarray(values, np.float32)
        if grid.ndim != 2 or not grid.size:
            raise CamcoreError(
                f"A map of shape {grid.shape} cannot be drawn on a picture. "
                "It needs a height and a width of at least 1. Give one map (h, w) at a time."
            )
        cells = cells or CellGrid.uniform(grid.shape, self.input_size)
        size = reduced_size(self.picture_size, max_side)
        rows, y = self._seen_cells(0, size[0], cells, grid.shape[0])
        columns, x = self._seen_cells(1, size[1], cells, grid.shape[1])
        out = np.full(size, np.nan, np.float32)
        (_interpolate if smooth else _nearest)(grid, y, x, out[rows, columns])
        return out

    def _seen_cells(self, axis: int, length: int, cells: CellGrid, count: int) -> tuple[slice, Array64]:
        """The pixels seen of ``length`` along an axis, and the places of their centres on the cells."""
        centres = np.arange(0.5, length) * (self.picture_size[axis] / length)
        low, high = self.seen[axis::2]
        first, last = np.searchsorted(centres, low), np.searchsorted(centres, high, "right")
        on_input = _carry(centres[first:last] - 0.5, self.seen[axis::2], self.placed[axis::2])
        if cells.seen is not None:
            low, high = cells.seen[axis::2]
            begin, end = np.searchsorted(on_input, low), np.searchsorted(on_input, high, "right")
            first, last, on_input = first + begin, first + end, on_input[begin:end]
        on_cells = (on_input - cells.first_centre[axis]) / cells.stride[axis]
        return slice(int(first), int(last)), np.clip(on_cells, 0, count - 1)


def frame_for(picture_size: Size, input_size: Size, framing: str = "crop") -> Frame:
    """The Frame of a picture (H, W) on a network's input (h, w).

    ``crop``: the largest centred area of the input's shape, less the usual margin (short side to 256/224 of
    the input, then the centre); its size is exact, its corner lies on a whole pixel. ``centre``: that area without
    a margin, in whole pixels, as keras_hub and Keras's ``crop_to_aspect_ratio`` cut it. ``stretch``: the whole
    picture, squeezed. ``letterbox``: the whole picture in its own shape, to the nearest pixel, on a neutral
    colour. Raises CamcoreError for another framing.
    """
    check_framing(framing)
    (height, width), (h, w) = picture_size, input_size
    if min(height, width, h, w) < 1:
        raise CamcoreError(
            f"A picture of {height}×{width} cannot be framed for an input of {h}×{w}. "
            "Every side needs at least one pixel. Check the sizes, (height, width)."
        )
    seen: Box = (0.0, 0.0, float(height), float(width))
    placed = (0, 0, h, w)
    if framing == "crop":
        pixel = min(height / h, width / w) * _CROP
        tall, wide = h * pixel, w * pixel
        # From a whole pixel on, to the nearest: pixels that already have the right size are then copied,
        # as in the classic resize and crop. Half a pixel beside, they would be blurred, which was seen to
        # cost MobileNetV2 nearly two points of accuracy.
        top, left = (float(ceil((side - part) / 2 - 0.5)) for side, part in ((height, tall), (width, wide)))
        seen = (top, left, top + tall, left + wide)
    elif framing == "centre":
        high, broad = max(1, min(height, width * h // w)), max(1, min(width, height * w // h))
        y, x = (height - high) // 2, (width - broad) // 2
        seen = (float(y), float(x), float(y + high), float(x + broad))
    elif framing == "letterbox":
        scale = min(h / height, w / width)
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (h - tall) // 2, (w - wide) // 2
        placed = (top, left, top + tall, left + wide)
    return Frame(framing, (height, width), (h, w), seen, placed)


def check_framing(framing: str) -> None:
    """Raise CamcoreError for what is not one of FRAMINGS."""
    if not isinstance(framing, str) or framing not in FRAMINGS:
        near = nearest(framing, FRAMINGS, 0.4)
        raise CamcoreError(
            f"There is no framing {shown(framing)}. A picture is framed by one of {', '.join(FRAMINGS)}. "
            f"Choose {f'{near!r}, perhaps' if near else 'one of these'}."
        )


def frame_picture(pic: Picture, input_size: Size, framing: str = "crop") -> tuple[Array32, Frame]:
    """The network's input, float32 (h, w, 3) RGB in 0..255, and the Frame that leads back.

    One antialiased bicubic resize of the exact float area. Raises CamcoreError for an unknown framing.
    """
    frame = frame_for((pic.height, pic.width), input_size, framing)
    top, left, bottom, right = frame.seen
    y0, x0, y1, x1 = frame.placed
    resized = Image.fromarray(pic.rgb).resize(
        (x1 - x0, y1 - y0), Image.Resampling.BICUBIC, box=(left, top, right, bottom)
    )
    pixels = np.empty((*frame.input_size, 3), np.float32)
    pixels[:] = NEUTRAL
    pixels[y0:y1, x0:x1] = np.asarray(resized)
    return pixels, frame


def reduced_size(size: Size, max_side: int | None) -> Size:
    """(height, width) shrunk so that the long side is at most ``max_side``; never enlarged."""
    longest = max(size)
    if max_side is None or longest <= max_side:
        return size
    return max(1, round(size[0] * max_side / longest)), max(1, round(size[1] * max_side / longest))


def _carry(index: Index, source: Sequence[float], target: Sequence[float]) -> Index:
    """Pixel indices along one axis, carried from the interval ``source`` (edges) to the interval ``target``."""
    scale = (target[1] - target[0]) / (source[1] - source[0])
    return (index + 0.5 - source[0]) * scale + (target[0] - 0.5)


def _nearest(grid: Array32, y: Array64, x: Array64, out: Array32) -> None:
    columns = np.floor(x + 0.5).astype(np.intp)
    rows = np.floor(y + 0.5).astype(np.intp)
    np.take(grid[:, columns], rows, axis=0, out=out, mode="clip")  # "raise" would buffer out


def _interpolate(grid: Array32, y: Array64, x: Array64, out: Array32) -> None:
    """Bilinear, one axis after the other: rows between the same two cells share one linear ramp."""
    left = np.floor(x).astype(np.intp)
    right = np.minimum(left + 1, grid.shape[1] - 1)
    wide = grid[:, left]
    wide += (x - left).astype(np.float32) * (grid[:, right] - wide)
    above = np.floor(y).astype(np.intp)
    share = (y - above).astype(np.float32)[:, None]
    starts = np.flatnonzero(np.diff(above, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(y)], strict=False):
        row = above[start]
        block = out[start:stop]
        np.multiply(share[start:stop], wide[min(row + 1, len(wide) - 1)] - wide[row], out=block)
        block += wide[row]
