"""A map computed anew: of a changed input, or of a network with other weights."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import MethodError
from camcore.heatmaps.cam_map import CamMap, normalised
from camcore.heatmaps.compute import RawMap, raw_maps
from camcore.heatmaps.request import Request, check_request, total_passes
from camcore.heatmaps.session import InputSession
from camcore.methods import METHODS

if TYPE_CHECKING:
    from camcore.network import Network


def recompute_request(network: Network, m: CamMap) -> Request:
    """The request of this map. Raises MethodError for one that was fused from several."""
    if m.layer is None and not METHODS[m.method].layer_free:
        raise MethodError(
            "A map that was fused from several layers cannot be made again of another input or network. Judge the "
            "maps it was made of."
        )
    return check_request(network, m.method, m.layer, m.class_index, {m.method: m.options}, m.refine)


def recompute_passes(network: Network, m: CamMap) -> float:
    """The cost of computing this map anew, in forward passes of one picture."""
    return total_passes(network, recompute_request(network, m)) if METHODS[m.method].input.reads_network else 0.0


def recompute_values(network: Network, m: CamMap, x: NDArray[np.number]) -> Generator[float, None, NDArray[np.float32]]:
    """``values`` (h, w) of the map's method, layer, class and options for input ``x`` (1, H, W, C) of a network.

    A generator that yields, after every chunk of the work, how many passes it took, and returns the values.
    """
    request = recompute_request(network, m)
    (task,) = request.tasks
    session, reported = InputSession(network, x), 0.0
    maps: dict[int, RawMap] = {}
    for part in raw_maps(session, task, request.classes):
        maps = part.maps
        yield session.passes - reported
        reported = session.passes
    return normalised(maps[m.class_index].raw, task.info.min_max)
