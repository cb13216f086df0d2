"""Pieces of pictures pasted into others and painted over, on the network's input: uint8 (h, w, 3).

On the input a piece keeps the size at which the network saw it, whatever the two pictures' own sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.framing import frame_picture

if TYPE_CHECKING:
    from camcore.audits.patches import PatchBox
    from camcore.framing import Frame, Point
    from camcore.network import Network
    from camcore.pictures.picture import Picture

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Framed:
    """A picture as the network's input, and the frame that leads back to its own pixels."""

    pixels: Pixels
    frame: Frame

    @property
    def area(self) -> PatchBox:
        """The part of the input that the picture fills: (top, left, bottom, right)."""
        return self.frame.placed


def framed(network: Network, pic: Picture, framing: str) -> Framed:
    """A picture as the network's input."""
    pixels, frame = frame_picture(pic, network.input_size, framing)
    return Framed(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), frame)


def to_input(box: PatchBox, frame: Frame) -> PatchBox:
    """A box of the picture in whole pixels of the input, as far as the network saw it; at least one pixel."""
    return _carried(box, frame.to_input, frame.placed)


def to_picture(box: PatchBox, frame: Frame) -> PatchBox:
    """A box of the input in whole pixels of the picture."""
    return _carried(box, frame.to_picture_point, (0, 0, *frame.picture_size))


def _carried(box: PatchBox, carry: Callable[[Point], Point], within: PatchBox) -> PatchBox:
    corners = carry((box[0] - 0.5, box[1] - 0.5)), carry((box[2] - 0.5, box[3] - 0.5))
    low = [int(np.clip(round(corners[0][axis] + 0.5), within[axis], within[axis + 2] - 1)) for axis in (0, 1)]
    high = [int(np.clip(round(corners[1][axis] + 0.5), low[axis] + 1, within[axis + 2])) for axis in (0, 1)]
    return low[0], low[1], high[0], high[1]


def place_for(size: tuple[int, int], area: PatchBox, rng: np.random.Generator) -> PatchBox:
    """A box of this (height, width) at a random place of an area, all places alike; smaller where it does not fit."""
    height, width = (min(side, area[axis + 2] - area[axis]) for axis, side in enumerate(size))
    top = int(rng.integers(area[0], area[2] - height + 1))
    left = int(rng.integers(area[1], area[3] - width + 1))
    return top, left, top + height, left + width


def size_of(box: PatchBox) -> tuple[int, int]:
    """(height, width) of a box."""
    return box[2] - box[0], box[3] - box[1]


def cropped(pixels: Pixels, box: PatchBox) -> Pixels:
    """The part of some pixels in a box."""
    return pixels[box[0] : box[2], box[1] : box[3]]


def pasted(source: Framed, box: PatchBox, target: Framed, rng: np.random.Generator) -> Pixels:
    """The target with a box of the source at a random place."""
    return pasted_at(place_for(size_of(box), target.area, rng), source, box, target)


def pasted_at(place: PatchBox, source: Framed, box: PatchBox, target: Framed) -> Pixels:
    """The target with a box of the source at a place of the box's size, or of a part of it."""
    top, left, bottom, right = place
    out = np.array(target.pixels)
    out[top:bottom, left:right] = cropped(source.pixels, box)[: bottom - top, : right - left]
    return out


def painted_over(picture: Framed, box: PatchBox) -> Pixels:
    """The picture with a box filled from its surroundings: a smooth ramp between the pixels along its four sides.

    Each pixel is the mean of these four, weighted by the inverse of its distance from them; sides where the picture
    ends have none.
    """
    top, left, bottom, right = box
    area, out = picture.area, np.array(picture.pixels)
    height, width = size_of(box)
    y, x = np.arange(1.0, height + 1)[:, None, None], np.arange(1.0, width + 1)[None, :, None]
    total, weight = np.zeros((height, width, 3)), np.zeros((height, width, 1))
    pixels = picture.pixels.astype(np.float64)
    for there, edge, distance in (
        (top > area[0], pixels[max(top - 1, 0), left:right][None], y),
        (bottom < area[2], pixels[min(bottom, len(out) - 1), left:right][None], height + 1 - y),
        (left > area[1], pixels[top:bottom, max(left - 1, 0)][:, None], x),
        (right < area[3], pixels[top:bottom, min(right, out.shape[1] - 1)][:, None], width + 1 - x),
    ):
        if there:
            total += edge / distance
            weight += 1 / distance
    if weight.any():
        out[top:bottom, left:right] = np.rint(total / weight)
    else:  # the box is all of the picture
        out[top:bottom, left:right] = np.rint(pixels[top:bottom, left:right].mean(axis=(0, 1)))
    return out
