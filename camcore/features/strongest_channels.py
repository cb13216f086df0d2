"""The strongest channels of many layers, from as few passes as memory allows: the whole network on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, whole
from camcore.graph.layers import LayerInfo
from camcore.heatmaps.arguments import a_framing, a_network, a_picture, layers_given
from camcore.heatmaps.cam_map import as_float32
from camcore.network import Network
from camcore.pictures.picture import Picture

PASS_BYTES = 256 << 20
"""Activations taken in one pass, in float32; VGG16's convolutions and poolings, 60 MB, are one pass."""


@dataclass(frozen=True, eq=False)
class StrongestChannels:
    """The n strongest channels of a layer for one picture, strongest first: those with the largest mean |A|.

    ``numbers``: (n,). ``activations``: float32 (h, w, n). ``strength``: their mean |A|, float64 (n,).
    ``dead``: how many of all the layer's channels are zero everywhere.
    """

    layer: LayerInfo
    numbers: NDArray[np.intp]
    activations: NDArray[np.float32]
    strength: NDArray[np.float64]
    dead: int


@checked(network=a_network, pic=a_picture, layers=layers_given, count=whole(1, example=12), framing=a_framing)
def strongest_channels(
    network: Network, pic: Picture, layers: Sequence[str], count: int = 12, framing: str | None = None
) -> Iterator[tuple[StrongestChannels, ...]]:
    """The ``count`` strongest channels of each of ``layers`` (paths), in order; a tuple for each forward pass.

    Closing the generator stops the work behind the pass in hand; ``len(passes(...))`` says beforehand how many there
    are. Raises LayerError for a layer without a grid.
    """
    infos = [network.layer_with_grid(path) for path in layers]
    x, _ = network.prepare(pic, framing)
    for group in passes(infos):
        activations = network.tap(x, [info.path for info in group]).activations
        yield tuple(_strongest(info, activations[info.path][0], count) for info in group)


def passes(layers: Sequence[LayerInfo]) -> list[list[LayerInfo]]:
    """The layers in groups whose activations take no more than PASS_BYTES each, or that are one layer."""
    groups: list[list[LayerInfo]] = []
    held = 0
    for info in layers:
        size = 4 * prod(side or 1 for side in info.shape)
        if not groups or held + size > PASS_BYTES:
            groups.append([])
            held = 0
        groups[-1].append(info)
        held += size
    return groups


def _strongest(info: LayerInfo, activations: NDArray[np.float32], count: int) -> StrongestChannels:
    A, _ = as_float32(activations)
    strength = np.abs(A).mean(axis=(0, 1), dtype=np.float64)
    numbers = np.argsort(-strength, kind="stable")[:count]
    return StrongestChannels(info, numbers, A[..., numbers], strength[numbers], int((strength == 0).sum()))
