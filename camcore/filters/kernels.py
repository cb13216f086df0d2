"""The kernels of the first convolution as pictures: they weigh the pixels of the picture itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import LayerError
from camcore.filters.pixel_map import pixel_map

if TYPE_CHECKING:
    from camcore.network import Network


@dataclass(frozen=True, eq=False)
class FirstKernels:
    """The kernels of the layer ``layer`` as weights of red, green and blue: ``weights``, float32 (K, h, w, 3).

    ``scale``: the largest absolute weight of all. In ``rgb``, uint8 (K, h, w, 3), it is the brightest or darkest, one
    scale for all kernels; 0 is the grey 128.
    """

    layer: str
    weights: NDArray[np.float32]
    scale: float

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The kernels as pictures."""
        shares = self.weights / (self.scale or 1.0)
        return np.rint(128.0 + 127.0 * shares).astype(np.uint8)


def first_kernels(network: Network) -> FirstKernels:
    """The kernels of the first convolution, as it weighs a picture's own colours in 0..1 after the preprocessing.

    A layer of the network that scales its input before that convolution is not counted in. Raises LayerError where
    the network does not begin with a convolution of the picture, ModelError where its preprocessing is not affine.
    """
    first = _first(network)
    if first is None:
        raise LayerError(
            f"{network.name} has no convolution of the input's own {network.channels} channels, so there are no "
            "kernels to draw as pictures. Look at what excites a layer instead."
        )
    layer, kernels = first
    weights = np.einsum("hwck,rc->khwr", kernels, 255.0 * pixel_map(network).matrix).astype(np.float32)
    return FirstKernels(layer, weights, float(np.abs(weights).max(initial=0.0)))


def _first(network: Network) -> tuple[str, NDArray[np.float32]] | None:
    """The path of the first convolution that the input's own colours go into, and its kernels (h, w, C, K)."""
    for call in network.traced.compiler.trace.calls:
        kernel = getattr(call.layer, "kernel", None)
        if call.kind == "Conv2D" and kernel is not None and kernel.shape[2] == network.channels:
            return call.path, np.asarray(kernel, np.float32)
    return None
