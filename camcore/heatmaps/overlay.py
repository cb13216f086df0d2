"""``overlay``: a map drawn on its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, flag, picture_pixels, plane, refused
from camcore.errors import CamcoreError
from camcore.framing import frame_for
from camcore.heatmaps.arguments import a_picture
from camcore.heatmaps.cam_map import CamMap
from camcore.pictures.picture import Picture
from camcore.render.colour import DIVERGING, a_colormap
from camcore.render.overlay import blend, opacity

# Interpolation in float32 may end a rounding beyond the ends.
_SLACK = 1e-4


def _a_picture(name: str, value: object) -> NDArray[np.uint8]:
    """The pixels of a Picture, or of a uint8 array (H, W, 3)."""
    if isinstance(value, np.ndarray):
        return picture_pixels(name, value)
    return a_picture(name, value).rgb


def _a_map(name: str, value: object) -> CamMap | NDArray[np.float32]:
    """A CamMap, or an array (h, w)."""
    if isinstance(value, CamMap):
        return value
    if not isinstance(value, np.ndarray):
        what_to_do = "Give one that camcore.explain returned, or the array (h, w) of compute_heatmap."
        raise refused(name, value, "a CamMap or a numpy array", what_to_do)
    return plane(name, value)


@checked(pic=_a_picture, m=_a_map, alpha=opacity, colormap=a_colormap, smooth=flag, by_value=flag)
def overlay(
    pic: Picture | NDArray[np.uint8],
    m: CamMap | NDArray[np.floating],
    alpha: float = 0.5,
    colormap: str = "viridis",
    smooth: bool = True,
    by_value: bool = False,
) -> NDArray[np.uint8]:
    """The picture with the map on it, uint8 (H, W, 3); the area the network did not see is dimmed.

    ``pic``: a Picture, or pixels, uint8 (H, W, 3). ``m``: a CamMap, which knows where it lies on its picture; or an
    array (h, w) in 0..1, such as ``compute_heatmap`` gives: it is stretched over the whole picture, as the picture was
    over the network's input. ``alpha``: the map's opacity, 0..1. ``colormap``: one of
    ``camcore.render.colour.COLORMAPS``, or ``diverging`` for arrays in −1..1. ``smooth``: interpolated, else the
    layer's own cells. ``by_value``: the opacity is ``alpha`` times the value, as the app draws: the picture shines
    through where there is little; else it is the same everywhere.

    Raises CamcoreError for an opacity or colour map that is none, an array that is no map or leaves its range, a
    CamMap of a picture of another size, and PictureError for what is no picture.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> (m,) = camcore.explain(net, pic)
    >>> drawn = camcore.overlay(pic, m, alpha=0.4, colormap="magma")
    >>> drawn.shape, drawn.dtype
    ((48, 64, 3), dtype('uint8'))
    """
    rgb = pic.rgb if isinstance(pic, Picture) else pic
    size = rgb.shape[0], rgb.shape[1]
    if isinstance(m, CamMap):
        if m.frame.picture_size != size:
            raise CamcoreError(
                f"The map is of a picture of {_size(m.frame.picture_size)} pixels (height × width), this one has "
                f"{_size(size)}. A map lies on its own picture only. Give the picture that it was made of."
            )
        return blend(rgb, m.on_picture(smooth=smooth), alpha, colormap, by_value)
    values = np.asarray(m, np.float32)
    low = -1.0 if colormap == DIVERGING else 0.0
    if np.nanmin(values, initial=np.inf) < low - _SLACK or np.nanmax(values, initial=-np.inf) > 1 + _SLACK:
        raise CamcoreError(
            f"The map has values from {np.nanmin(values):g} to {np.nanmax(values):g}; they are drawn from {low:g} to "
            "1. Give what compute_heatmap returns without raw=True, or divide by the largest."
        )
    frame = frame_for(size, size, "stretch")
    return blend(rgb, frame.to_picture(values, None, smooth), alpha, colormap, by_value)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
