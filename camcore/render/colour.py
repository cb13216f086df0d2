"""Numbers become colours, through tables of 256 entries."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, flag, numbers, one_of, text, whole
from camcore.errors import CamcoreError

DIVERGING = "diverging"

_CV2_MAPS = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "magma": cv2.COLORMAP_MAGMA,
    "jet": cv2.COLORMAP_JET,
}
COLORMAPS = tuple(_CV2_MAPS)

# RdBu of ColorBrewer 2.0 (Cynthia Brewer, Mark Harrower, Penn State; Apache 2.0), blue to red: lightness
# falls evenly to both sides of a neutral middle, and the two hues stay apart for colour-blind eyes.
_RDBU = ("053061", "2166ac", "4393c3", "92c5de", "d1e5f0", "f7f7f7",
         "fddbc7", "f4a582", "d6604d", "b2182b", "67001f")  # fmt: skip


a_colormap = one_of(*COLORMAPS, DIVERGING, kind="colour map")


@checked(colormap=a_colormap)
@cache
def table(colormap: str) -> NDArray[np.uint8]:
    """The colours of one of COLORMAPS or DIVERGING, lowest first: uint8 (256, 3), read-only.

    DIVERGING has its neutral middle at 128 and again at 0, where NaN is sent. Raises CamcoreError for an
    unknown name.
    """
    if colormap == DIVERGING:
        anchors = np.array([list(bytes.fromhex(colour)) for colour in _RDBU])
        steps = np.linspace(0, len(anchors) - 1, 255)
        rgb = np.empty((256, 3), np.uint8)
        for channel in range(3):
            rgb[1:, channel] = np.rint(np.interp(steps, np.arange(len(anchors)), anchors[:, channel]))
        rgb[0] = rgb[128]
    else:
        bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], _CV2_MAPS[colormap])
        rgb = np.ascontiguousarray(bgr[:, 0, ::-1])
    rgb.setflags(write=False)
    return rgb


@checked(values=numbers, colormap=a_colormap)
def colour(values: ArrayLike, colormap: str = "viridis") -> NDArray[np.uint8]:
    """Colour a map (H, W): uint8 (H, W, 3) RGB.

    values in [0, 1], for DIVERGING in [-1, 1]; what lies beyond takes the end's colour, NaN the colour
    of 0. Raises CamcoreError for an unknown colour map or another number of dimensions.
    """
    colours = table(colormap)
    numbers = np.asarray(values, np.float32)
    if numbers.ndim != 2 or not numbers.size:
        raise CamcoreError(
            f"Values of shape {numbers.shape} cannot be coloured as a picture. A map has a height and a "
            "width. Give one map (H, W) at a time."
        )
    low, scale, zero = (-1, 127, 128) if colormap == DIVERGING else (0, 255, 0)
    numbers = np.clip(numbers, low, 1)
    # In one pass cv2 scales, rounds to the nearest whole number and turns NaN into 0.
    index = cv2.addWeighted(numbers, scale, numbers, 0, zero, dtype=cv2.CV_8U)
    return np.asarray(cv2.applyColorMap(index, colours[:, None]), np.uint8)


def diverging(values: ArrayLike) -> NDArray[np.uint8]:
    """Colour a signed map (H, W) in [-1, 1]: blue below 0, near white at 0 and NaN, red above."""
    return colour(values, DIVERGING)


@checked(colormap=a_colormap, length=whole(1, 1 << 16, 256), thickness=whole(1, 1 << 16, 16), vertical=flag)
def colour_bar(
    colormap: str = "viridis", length: int = 256, thickness: int = 16, vertical: bool = False
) -> NDArray[np.uint8]:
    """A bar of all the colours, uint8 RGB: low to high from left to right, or from the bottom up."""
    low = -1.0 if colormap == DIVERGING else 0.0
    ramp = np.linspace(low, 1.0, length, dtype=np.float32)
    bar = np.repeat(colour(ramp[None], colormap), thickness, axis=0)
    return np.ascontiguousarray(np.rot90(bar)) if vertical else bar


@checked(colormap=a_colormap, direction=text, stops=whole(2, 256, 17))
def css_gradient(colormap: str = "viridis", direction: str = "to right", stops: int = 17) -> str:
    """The same bar as a CSS background: linear-gradient(to right, #440154, …)."""
    row = colour_bar(colormap, stops, 1)[0]
    return f"linear-gradient({direction}, {', '.join('#' + bytes(stop).hex() for stop in row)})"
