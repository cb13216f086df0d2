"""The channels of one layer for one picture: their figures, their orders, and which of them are dead or saturated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked
from camcore.errors import CamcoreError, nearest
from camcore.graph.gradients import TOP_CLASS
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.cam_map import as_float32
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.request import Layer
from camcore.heatmaps.session import open_session
from camcore.network import Network
from camcore.pictures.picture import Picture

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame
    from camcore.graph.layers import LayerInfo

Array = NDArray[np.floating]
Figures = NDArray[np.float64]

ORDERS = {
    "contribution": "What it adds to the class's logit, by Grad-CAM's weights; what speaks for the class comes first",
    "mean": "Mean activation, largest first",
    "variance": "Variance over the places, largest first",
    "number": "The layer's own order",
}
"""The orders of channels, with their meaning."""

NEAR_AN_END = 0.01
"""Of the range of a layer's function: nearer to an end than this it has no slope to speak of."""


@dataclass(frozen=True, eq=False)
class Channels:
    """The figures of the K channels of a layer for one picture; arrays (K,) are float64 unless said.

    ``activations``: float32 (h, w, K). ``mean``, ``variance``, ``low``, ``high``: over the h·w places.
    ``weights``: Grad-CAM's w_k, the mean over places of ∂logit/∂A_k (Selvaraju et al., ICCV 2017, eq. 1).
    ``contribution``: w_k · Σ_ij A_ijk, in logits: what the channel adds to the map that Grad-CAM rectifies; behind a
    global average and a linear head exactly its share of logit − bias, elsewhere a first-order estimate.
    ``dead`` (bool): zero at every place. ``saturated`` (bool): at half of its places or more within NEAR_AN_END of
    an end of the layer's function (``LayerInfo.saturation_values``), where its slope vanishes; dead ones are not
    counted again. ``broken``: how many activations were not finite; they count as 0 here.
    """

    network: str
    layer: LayerInfo
    activations: NDArray[np.float32]
    mean: Figures
    variance: Figures
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    weights: Figures
    contribution: Figures
    dead: NDArray[np.bool_]
    saturated: NDArray[np.bool_]
    broken: int
    class_index: int
    label: str
    probability: float
    logit: float
    frame: Frame
    cells: CellGrid

    def __len__(self) -> int:
        return int(self.activations.shape[-1])

    @property
    def signed(self) -> bool:
        """True where any activation is below zero."""
        return bool((self.low < 0).any())

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.activations.nbytes + 64 * len(self)

    def order(self, by: str) -> NDArray[np.intp]:
        """The channel numbers, from 0, in one of ORDERS; equal ones by number. Raises CamcoreError for another."""
        if by not in ORDERS:
            near = nearest(by, ORDERS)
            raise CamcoreError(
                f"There is no order {by!r}. Channels are ordered by {', '.join(ORDERS)}. "
                f"Choose {f'{near!r}, perhaps' if near else 'one of these'}."
            )
        if by == "number":
            return np.arange(len(self))
        return np.argsort(-getattr(self, by), kind="stable")


@checked(network=a_network, pic=a_picture, framing=a_framing, memory=a_memory)
def channels(
    network: Network,
    pic: Picture,
    layer: Layer | None = None,
    class_index: int | str | None = None,
    framing: str | None = None,
    memory: Memory | None = None,
) -> Channels:
    """The channels of a layer (None: the recommended one), from the pass that Grad-CAM makes for the class.

    ``class_index`` None: the class that the network says. ``memory``: as in ``camcore.explain``, with which it
    shares what was computed. Raises LayerError, ModelError (a class the network lacks) or CamcoreError (an unknown
    framing).
    """
    info = network.layer_with_grid(layer)
    wanted = TOP_CLASS if class_index is None else network.check_class(class_index)
    session, frame = open_session(network, pic, framing, memory)
    (index,) = session.tap([info.path], [wanted])
    A, broken = as_float32(session.activations(info.path))
    G = session.gradient(info.path, index)[0]
    weights = np.nan_to_num(G.mean(axis=(0, 1), dtype=np.float64))
    mean = A.mean(axis=(0, 1), dtype=np.float64)
    dead = np.logical_not(A.any(axis=(0, 1)))
    return Channels(
        network=network.name,
        layer=info,
        activations=A,
        mean=mean,
        variance=A.var(axis=(0, 1), dtype=np.float64),
        low=A.min(axis=(0, 1)),
        high=A.max(axis=(0, 1)),
        weights=weights,
        contribution=weights * mean * (A.shape[0] * A.shape[1]),
        dead=dead,
        saturated=(share_at_ends(A, info.saturation_values) >= 0.5) & ~dead,
        broken=broken,
        class_index=index,
        label=network.labels[index],
        probability=float(session.probabilities[index]),
        logit=float(session.logits[index]),
        frame=frame,
        cells=info.cells(network.input_size),
    )


def share_at_ends(A: Array, ends: Sequence[float]) -> Figures:
    """For each channel of A (h, w, K) the share of places within NEAR_AN_END of the ends' range of one of them.

    The range reaches from the lowest of ``ends`` and 0 to the highest of both; 0 itself counts only if it is named.
    Without ends nothing is at one.
    """
    if not ends:
        return np.zeros(A.shape[-1])
    near = NEAR_AN_END * (max(*ends, 0.0) - min(*ends, 0.0))
    at_end = np.zeros(A.shape, bool)
    for end in ends:
        at_end |= np.abs(A - end) <= near
    return np.asarray(at_end.mean(axis=(0, 1), dtype=np.float64))
