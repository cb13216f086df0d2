"""Why class a and not class b: what tells two classes of one picture apart, place by place and channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, flag, max_side, number
from camcore.errors import ModelError
from camcore.framing import CellGrid, Frame
from camcore.heatmaps.arguments import a_framing, a_memory, a_network, a_picture
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.compute import Task, final
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.request import check_compared
from camcore.heatmaps.run import Facts
from camcore.heatmaps.session import Look
from camcore.methods import METHODS
from camcore.network import Network, check_picture
from camcore.pictures.picture import Picture
from camcore.predictions import Prediction

Array = NDArray[Any]

# As many channels as somebody can look through.
_CHANNELS = 32


@dataclass(frozen=True, eq=False)
class Contrast:
    """What speaks for one class and for another.

    ``first``, ``second``: what the network says of both. ``finer``: Finer-CAM of the first against the second.
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
    layer: Any = None,
    framing: str | None = None,
    memory: Memory | None = None,
) -> Contrast:
    """The evidence for class ``a`` against class ``b``, indices or names, at a layer (None: the default one).

    Raises ModelError for a class that the network does not have, or twice the same one; LayerError for a layer
    without a heatmap; MethodError for a regression, which has no classes to compare; CamcoreError for an unknown
    framing.
    """
    first, second = network.check_class(a), network.check_class(b)
    if first == second:
        raise ModelError(
            f"Class {first} ({network.labels[first]}) cannot be set against itself. Choose two different classes."
        )
    check_picture(pic)
    info = METHODS["finercam"]
    check_compared(network, info, {"against": (second,)}, [first])
    path = network.layer_with_grid(layer).path
    x, frame = network.prepare(pic, framing)
    look = Look(network, network.check_input(x), memory, (pic.sha256, frame.framing))
    look.tap([path], [first, second])
    A = look.activations(path)
    by_channel = (look.gradient(path, first)[0] - look.gradient(path, second)[0]) * A
    parts = by_channel.sum(axis=(0, 1), dtype=np.float64)
    order = np.argsort(-np.abs(parts), kind="stable")[:_CHANNELS]
    offsets = [look.offset(path, index) for index in (first, second)]
    offset = offsets[0] - offsets[1] if offsets[0] is not None and offsets[1] is not None else None

    task = Task(info, info.checked({"against": (second,)}), path)
    finer = Facts(look, frame).map(task, first, final(look, task, [first])[first])
    said = [
        Prediction(index, network.labels[index], float(p), float(look.logits[index]), network.score_kind)
        for index, p in zip((first, second), look.probabilities[[first, second]], strict=True)
    ]
    return Contrast(
        first=said[0],
        second=said[1],
        layer=path,
        finer=finer,
        difference=by_channel.sum(axis=2).astype(np.float32),
        margin=said[0].logit - said[1].logit,
        offset=offset,
        channels=tuple((int(k), float(parts[k])) for k in order),
        frame=frame,
        cells=network.layer(path).cells(network.input_size),
    )
