"""What a visitor takes away from Inspect: the picture with its map at full size, and the map's own numbers."""

import io
from typing import Any

import numpy as np

import camcore
from camcore.render.encode import to_png, with_caption
from ui.rasters import Look


def png(picture: Any, cam_map: Any, look: Look, lines: list[str]) -> bytes:
    """The overlay at the photograph's full size, with the caption beneath."""
    drawn = camcore.overlay(picture, cam_map, alpha=look.opacity / 100, colormap=look.colormap, smooth=look.smooth)
    return to_png(with_caption(drawn, lines))


def csv(cam_map: Any, lines: list[str]) -> bytes:
    """The raw map on the layer's own grid, one line per row; ``numpy.loadtxt(file, delimiter=",")`` reads it."""
    text = io.StringIO()
    np.savetxt(text, cam_map.raw, fmt="%.7g", delimiter=",", header="\n".join(lines))
    return text.getvalue().encode("utf-8")
