"""A map laid over the picture it explains."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import an_array, checked, numbers, share, shown
from camcore.errors import CamcoreError
from camcore.render.colour import colour

# What the network did not look at keeps this share of its brightness.
UNSEEN = 0.35


def opacity(name: str, value: Any) -> float:
    """A number from 0 to 1. Raises CamcoreError for anything else."""
    try:
        given: float = share(name, value)
    except CamcoreError:
        raise CamcoreError(
            f"The opacity {shown(value)} is out of range. It goes from 0 (only the picture) to 1 (only the map). "
            "Choose a number between, 0.5 for instance."
        ) from None
    return given


@checked(rgb=an_array, values=numbers, alpha=opacity)
def blend(
    rgb: NDArray[np.uint8], values: ArrayLike, alpha: float = 0.5, colormap: str = "viridis"
) -> NDArray[np.uint8]:
    """Lay the coloured map over the picture: uint8 (H, W, 3).

    rgb: uint8 (H, W, 3). values: (H, W) in [0, 1], or in [-1, 1] for the diverging colour map. Where they
    are numbers the result is (1 - alpha) * rgb + alpha * colour(values), rounded: the same alpha
    everywhere, so that equal values always have equal weight. Where they are NaN the network did not
    look, and the picture is dimmed to UNSEEN. Raises CamcoreError for alpha outside [0, 1], an unknown
    colour map, or arrays that do not fit each other.
    """
    numbers = np.asarray(values, np.float32)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.shape[:2] != numbers.shape:
        raise CamcoreError(
            f"A map of shape {numbers.shape} does not lie on a picture of shape {rgb.shape} ({rgb.dtype}). "
            "The picture is uint8 (H, W, 3) and the map has the same H and W. "
            "Bring the map to the picture first, with on_picture()."
        )
    out = cv2.addWeighted(rgb, 1 - alpha, colour(numbers, colormap), alpha, 0)
    unseen = np.isnan(numbers)
    if unseen.any():
        out = cv2.copyTo(cv2.convertScaleAbs(rgb, alpha=UNSEEN), unseen.view(np.uint8), out)
    return np.asarray(out, np.uint8)


@checked(rgb=an_array, values=numbers, dark=share)
def spotlight(rgb: NDArray[np.uint8], values: ArrayLike, dark: float = UNSEEN) -> NDArray[np.uint8]:
    """Light the picture by a map: uint8 (H, W, 3), the full colours at 1, ``dark`` of their brightness at 0 and NaN.

    rgb: uint8 (H, W, 3). values: (H, W) in [0, 1]. Raises CamcoreError for arrays that do not fit each other, and for
    ``dark`` outside [0, 1].
    """
    light = np.nan_to_num(np.clip(np.asarray(values, np.float32), 0, 1))
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.shape[:2] != light.shape:
        raise CamcoreError(
            f"A map of shape {light.shape} cannot light a picture of shape {rgb.shape} ({rgb.dtype}). The picture is "
            "uint8 (H, W, 3) and the map has the same H and W. Bring the map to the picture first, with on_picture()."
        )
    return np.rint(rgb * (dark + (1 - dark) * light)[..., np.newaxis]).astype(np.uint8)
