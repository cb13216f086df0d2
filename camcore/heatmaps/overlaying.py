"""``overlay``: a map drawn on its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.heatmaps.maps import CamMap
from camcore.network import check_picture
from camcore.pictures import Picture
from camcore.render.overlay import blend


def overlay(
    pic: Picture, m: CamMap, alpha: float = 0.5, colormap: str = "viridis", smooth: bool = True
) -> NDArray[np.uint8]:
    """The picture with the map on it, uint8 (H, W, 3); the area the network did not see is dimmed.

    ``alpha``: the map's opacity, 0..1. ``colormap``: one of ``camcore.render.colour.COLORMAPS``. ``smooth``:
    interpolated, else the layer's own cells. Raises CamcoreError for an opacity or colour map that is none, or what
    is no CamMap, PictureError for what is no Picture.
    """
    check_picture(pic)
    if not hasattr(m, "on_picture"):
        raise CamcoreError(
            f"{type(m).__name__} is not a CamMap. Only a map that camcore made knows where it lies on the picture. "
            "Give one that camcore.explain returned; for an array of the picture's size there is "
            "camcore.render.overlay.blend."
        )
    return blend(pic.rgb, m.on_picture(smooth=smooth), alpha, colormap)
