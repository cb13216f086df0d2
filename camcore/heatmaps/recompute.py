"""The same map once more: of a changed input, or of a network with other weights."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.errors import MethodError
from camcore.heatmaps.cam_map import CamMap, normalised
from camcore.heatmaps.compute import RawMap, answer
from camcore.heatmaps.request import Request, check_request, total_passes
from camcore.heatmaps.session import Look
from camcore.methods import METHODS
from camcore.network import Network

Array = NDArray[Any]


def remake_request(network: Network, m: CamMap) -> Request:
    """What was asked for this map. Raises MethodError for one that was fused from several."""
    if m.layer is None and not METHODS[m.method].layer_free:
        raise MethodError(
            "A map that was fused from several layers cannot be made again of another input or network. Judge the "
            "maps it was made of."
        )
    return check_request(network, m.method, m.layer, m.class_index, {m.method: m.options}, m.refine)


def remake_passes(network: Network, m: CamMap) -> float:
    """What making this map again costs, in forward passes of one picture."""
    return total_passes(network, remake_request(network, m)) if METHODS[m.method].source != "nothing" else 0.0


def remade(network: Network, m: CamMap, x: Array) -> Generator[float, None, NDArray[np.float32]]:
    """``values`` (h, w) of the map's method, layer, class and options for input ``x`` (1, H, W, C) of a network.

    A generator that yields, after every chunk of the work, how many passes it took, and returns the values.
    """
    request = remake_request(network, m)
    (task,) = request.tasks
    look, told = Look(network, x), 0.0
    maps: dict[int, RawMap] = {}
    for progress in answer(look, task, request.classes):
        maps = progress.maps
        yield look.passes - told
        told = look.passes
    return normalised(maps[m.class_index].raw, task.info.min_max)
