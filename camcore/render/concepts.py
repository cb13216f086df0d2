"""Several maps on one picture, each in a colour of its own."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import an_array, checked, number, numbers
from camcore.errors import CamcoreError
from camcore.render.overlay import UNSEEN

# Bright and far apart, so that they can be told apart over a gray photograph, on white and on near-black.
COLOURS = (
    "#e6553a", "#3b8eea", "#35b779", "#f2c230", "#a05fd6", "#19c3c9", "#f285b5", "#9a7b4f",
    "#b5d33d", "#5661c9", "#d98b2b", "#7f8c8d",
)  # fmt: skip


@checked(rgb=an_array, maps=numbers, opacity=number())
def mix(rgb: NDArray[np.uint8], maps: ArrayLike, opacity: float = 0.8) -> NDArray[np.uint8]:
    """Lay maps in COLOURS over the picture in gray: uint8 (H, W, 3).

    rgb: uint8 (H, W, 3). maps: (H, W, k) in [0, 1], NaN where the network did not look; there the picture is dimmed.
    A place is covered by ``opacity`` times its largest value, in the mean of the colours weighed by the squared
    values, so that the strongest map gives the tone. Raises CamcoreError for more maps than colours, arrays that do
    not fit each other, or an opacity outside [0, 1].
    """
    values = np.asarray(maps, np.float32)
    if values.ndim != 3 or rgb.shape != (*values.shape[:2], 3) or rgb.dtype != np.uint8:
        raise CamcoreError(
            f"Maps of shape {values.shape} do not lie on a picture of shape {rgb.shape} ({rgb.dtype}). The picture is "
            "uint8 (H, W, 3), the maps have the same H and W. Bring them to the picture first, with on_picture()."
        )
    if not 1 <= values.shape[2] <= len(COLOURS) or not 0 <= opacity <= 1:
        raise CamcoreError(
            f"{values.shape[2]} maps with an opacity of {opacity} cannot be drawn together. There are 1 to "
            f"{len(COLOURS)} colours, and an opacity from 0 to 1."
        )
    unseen = np.isnan(values).any(axis=2)
    values = np.clip(np.nan_to_num(values), 0, 1)
    colours = np.array([list(bytes.fromhex(c[1:])) for c in COLOURS[: values.shape[2]]], np.float32)
    weights = values * values
    tone = weights @ colours / np.maximum(weights.sum(axis=2, keepdims=True), 1e-12)
    cover = opacity * values.max(axis=2, keepdims=True)
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., np.newaxis].astype(np.float32)
    out = (1 - cover) * gray + cover * tone
    out[unseen] *= UNSEEN
    return np.rint(out).astype(np.uint8)
