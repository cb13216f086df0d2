"""Contrast of two classes of one picture: the evidence for one against the other, by cell and by channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, flag, max_side, number
from camcore.errors import ModelError
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.compute import Task, final_maps
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.request import Layer
from camcore.heatmaps.run import finished
from camcore.heatmaps.session import open_session
from camcore.methods import METHODS
from camcore.network import Network, check_picture
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame

# As many channels as somebody can look through.
_CHANNELS = 32


@dataclass(frozen=True, eq=False)
class Contrast:
    """The evidence that tells two classes apart.

    ``first``, ``second``: the network's answers on both. ``finer``: Finer-CAM of the first against the second.
    ``difference``: float32 (h, w), Σ_k (∂(y_a − y_b)/∂A)_k ⊙ A_k in logits, above 0 for the first class and below
    for the second. ``margin``: y_a − y_b. ``offset``: where all behind the layer is affine, what Σ difference leaves
    of the margin, else None. ``channels``: (channel, its part of Σ difference), strongest first, at most 32.
    """

    first: Prediction
    second: Prediction
    layer: str
    finer: CamMap
    difference: NDArray[np.float32]
    margin: float
    offset: float | None
    channels: tuple[tuple[int, float], ...]
    frame: Frame
    cells: CellGrid

    @checked(scale=number(0), smooth=flag, max_side=max_side)
    def on_picture(self, scale: float = 1.0, smooth: bool = True, max_side: int | None = None) -> NDArray[np.float32]:
        """``difference / scale`` on the whole original picture: float32 (H, W), NaN outside what the network saw."""
        values = self.difference / np.float32(scale) if scale > 0 else self.difference
        return self.frame.to_picture(values, self.cells, smooth, max_side)


@checked(network=a_network, pic=a_picture, framing=a_framing, memory=a_memory)
def contrast(
    network: Network,
    pic: Picture,
    a: int | str,
    b: int | str,
    layer: Layer | None = None,
    framing: str | None = None,
    memory: Memory | None = None,
) -> Contrast:
    """The evidence for class ``a`` against class ``b``, indices or names, at a layer (None: the default one).

    Raises ModelError for a class that the network does not have, or twice the same one; LayerError for a layer
    without a heatmap; MethodError for a regression, which has no classes to compare; CamcoreError for an unknown
    framing. Finer-CAM: Zhang et al., CVPR 2025.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> why = camcore.contrast(net, pic, "cat", "dog")
    >>> why.difference.shape, why.first.label, why.margin > 0
    ((12, 12), 'cat', True)
    >>> bool(abs(why.difference.sum() + why.offset - why.margin) < 1e-4)
    True
    """
    first, second = network.check_class(a), network.check_class(b)
    if first == second:
        raise ModelError(
            f"Class {first} ({network.labels[first]}) cannot be set against itself. Choose two different classes."
        )
    check_picture(pic)
    info = METHODS["finercam"]
    info.input.check_classes(network, info.title, {"against": (second,)}, [first])
    path = network.layer_with_grid(layer).path
    session, frame = open_session(network, pic, framing, memory)
    session.tap([path], [first, second])
    A = session.activations(path)
    by_channel = (session.gradient(path, first)[0] - session.gradient(path, second)[0]) * A
    parts = by_channel.sum(axis=(0, 1), dtype=np.float64)
    order = np.argsort(-np.abs(parts), kind="stable")[:_CHANNELS]
    offsets = [session.offset(path, index) for index in (first, second)]
    offset = offsets[0] - offsets[1] if offsets[0] is not None and offsets[1] is not None else None

    task = Task(info, info.checked({"against": (second,)}), path)
    finer = finished(session, frame, task, first, final_maps(session, task, [first])[first])
    predictions = [session.prediction(index) for index in (first, second)]
    return Contrast(
        first=predictions[0],
        second=predictions[1],
        layer=path,
        finer=finer,
        difference=by_channel.sum(axis=2).astype(np.float32),
        margin=predictions[0].logit - predictions[1].logit,
        offset=offset,
        channels=tuple((int(k), float(parts[k])) for k in order),
        frame=frame,
        cells=network.layer(path).cells(network.input_size),
    )
