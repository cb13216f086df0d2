"""The preprocessing of a network, measured as an affine map of each pixel from red, green and blue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import ModelError

if TYPE_CHECKING:
    from camcore.network import Network

Array = NDArray[np.floating]

# Share of the input's range by which the preprocessing may differ from an affine map: rounding in single precision.
_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class PixelMap:
    """input = rgb @ matrix + offset, for RGB in 0..255. ``matrix``: float64 (3, C); ``offset``: float64 (C,)."""

    matrix: Array
    offset: Array


def pixel_map(network: Network) -> PixelMap:
    """The network's preprocessing as an affine map of each pixel's colour, measured and then checked on noise.

    Raises ModelError where it is no such map: it then has no derivative that is known here.
    """
    corners = np.zeros((4, *network.input_size, 3), np.float32)
    for colour in range(3):
        corners[1 + colour, ..., colour] = 255.0
    noise = np.random.default_rng(0).uniform(0.0, 255.0, (2, *network.input_size, 3)).astype(np.float32)
    with np.errstate(all="ignore"):
        black, *pure = _as_input(network, corners).mean(axis=(1, 2))
        matrix = (np.stack(pure) - black) / 255.0
        seen = _as_input(network, noise)
        off = float(np.abs(seen - (noise.astype(np.float64) @ matrix + black)).max())
        span = float(np.abs(matrix).sum(axis=0).max()) * 255.0
    if not off <= _TOLERANCE * span:  # also where something is not a number
        raise ModelError(
            f"The preprocessing of {network.name} is not an affine map of each pixel's colour: on noise it differs "
            f"from one by {off:.3g} of a range of {span:.3g}. What excites a filter is searched for in red, green "
            "and blue, and the way back from the network's input to them has to be known. Give wrap() a "
            "preprocessing that scales and shifts colours only."
        )
    return PixelMap(matrix, black)


def _as_input(network: Network, rgb: NDArray[np.float32]) -> Array:
    """Pictures (n, h, w, 3) as the network's input (n, h, w, C), float64."""
    return network.channels_last(network.preprocess(rgb)).astype(np.float64)
