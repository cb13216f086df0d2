"""Maps laid over the picture they explain."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import an_array, checked, flag, number, numbers, share, shown
from camcore.errors import CamcoreError
from camcore.render.colour import colour

Rgb = NDArray[np.uint8]

# What the network did not look at keeps this share of its brightness.
UNSEEN = 0.35

# Bright and far apart, so that they can be told apart over a gray photograph, on white and on near-black.
MIX_COLOURS = (
    "#e6553a", "#3b8eea", "#35b779", "#f2c230", "#a05fd6", "#19c3c9", "#f285b5", "#9a7b4f",
    "#b5d33d", "#5661c9", "#d98b2b", "#7f8c8d",
)  # fmt: skip


def opacity(name: str, value: object) -> float:
    """A number from 0 to 1. Raises CamcoreError for anything else."""
    try:
        given: float = share(name, value)
    except CamcoreError:
        raise CamcoreError(
            f"The opacity {shown(value)} is out of range. It goes from 0 (only the picture) to 1 (only the map). "
            "Choose a number between, 0.5 for instance."
        ) from None
    return given


@checked(rgb=an_array, values=numbers, alpha=opacity, by_value=flag)
def blend(rgb: Rgb, values: ArrayLike, alpha: float = 0.5, colormap: str = "viridis", by_value: bool = False) -> Rgb:
    """Lay the coloured map over the picture: uint8 (H, W, 3).

    rgb: uint8 (H, W, 3). values: (H, W) in [0, 1], or in [-1, 1] for the diverging colour map. Where they
    are numbers the result is (1 - w) * rgb + w * colour(values), rounded. w is alpha, the same everywhere; with
    by_value it is alpha * |values|, so that the picture shines through where there is little. Equal values have
    equal weight in either. Where they are NaN the network did not look, and the picture is dimmed to UNSEEN.
    Raises CamcoreError for alpha outside [0, 1], an unknown colour map, or arrays that do not fit each other.
    """
    numbers = np.asarray(values, np.float32)
    _check_fit(rgb, numbers)
    colours = colour(numbers, colormap)
    if by_value:
        weights = alpha * np.minimum(np.abs(np.nan_to_num(numbers)), 1)
        out = cv2.blendLinear(colours, np.ascontiguousarray(rgb), weights, 1 - weights)
    else:
        out = cv2.addWeighted(rgb, 1 - alpha, colours, alpha, 0)
    unseen = np.isnan(numbers)
    if unseen.any():
        out = cv2.copyTo(cv2.convertScaleAbs(rgb, alpha=UNSEEN), unseen.view(np.uint8), out)
    return np.asarray(out, np.uint8)


@checked(rgb=an_array, values=numbers, dark=share)
def spotlight(rgb: Rgb, values: ArrayLike, dark: float = UNSEEN) -> Rgb:
    """Light the picture by a map: uint8 (H, W, 3), the full colours at 1, ``dark`` of their brightness at 0 and NaN.

    rgb: uint8 (H, W, 3). values: (H, W) in [0, 1]. Raises CamcoreError for arrays that do not fit each other, and for
    ``dark`` outside [0, 1].
    """
    light = np.nan_to_num(np.clip(np.asarray(values, np.float32), 0, 1))
    _check_fit(rgb, light)
    return np.rint(rgb * (dark + (1 - dark) * light)[..., np.newaxis]).astype(np.uint8)


@checked(rgb=an_array, maps=numbers, opacity=number())
def mix(rgb: Rgb, maps: ArrayLike, opacity: float = 0.8) -> Rgb:
    """Lay several maps over the picture in gray, each in its own of MIX_COLOURS: uint8 (H, W, 3).

    rgb: uint8 (H, W, 3). maps: (H, W, k) in [0, 1], NaN where the network did not look; there the picture is dimmed.
    A place is covered by ``opacity`` times its largest value, in the mean of the colours weighed by the squared
    values, so that the strongest map gives the tone. Raises CamcoreError for more maps than colours, arrays that do
    not fit each other, or an opacity outside [0, 1].
    """
    values = np.asarray(maps, np.float32)
    _check_fit(rgb, values, 3)
    if not 1 <= values.shape[2] <= len(MIX_COLOURS) or not 0 <= opacity <= 1:
        raise CamcoreError(
            f"{values.shape[2]} maps with an opacity of {opacity} cannot be drawn together. There are 1 to "
            f"{len(MIX_COLOURS)} colours, and an opacity from 0 to 1. Give fewer maps, or another opacity."
        )
    unseen = np.isnan(values).any(axis=2)
    values = np.clip(np.nan_to_num(values), 0, 1)
    colours = np.array([list(bytes.fromhex(c[1:])) for c in MIX_COLOURS[: values.shape[2]]], np.float32)
    weights = values * values
    tone = weights @ colours / np.maximum(weights.sum(axis=2, keepdims=True), 1e-12)
    cover = opacity * values.max(axis=2, keepdims=True)
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., np.newaxis].astype(np.float32)
    out = (1 - cover) * gray + cover * tone
    out[unseen] *= UNSEEN
    return np.rint(out).astype(np.uint8)


def _check_fit(rgb: Rgb, maps: NDArray[np.float32], dimensions: int = 2) -> None:
    """Raise CamcoreError where there is no picture, or the map's (H, W) are not the picture's."""
    if rgb.dtype != np.uint8 or rgb.shape != (*maps.shape[:2], 3) or maps.ndim != dimensions:
        raise CamcoreError(
            f"A map of shape {maps.shape} does not lie on a picture of shape {rgb.shape} ({rgb.dtype}). "
            "The picture is uint8 (H, W, 3) and the map has the same H and W. "
            "Bring the map to the picture first, with on_picture()."
        )
