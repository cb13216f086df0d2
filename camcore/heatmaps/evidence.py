"""Evidence for and against a class, place by place, that adds up to its logit: the signed form of exact CAM.

Behind a global average and a linear head, logit = mean over the places of Σ_k W_kc A_kij, + b_c. So each place of
the map is what it contributes, and the sum can be shown and checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.methods.gradient import cam

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame
    from camcore.network import Network
    from camcore.pictures.picture import Picture


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence for one class of one picture (above 0) and against it (below 0), with its sum.

    map: (h, w) on the layer's own grid, in logits, in the network's precision. bias: the head's, which is there
    without any picture. residual: logit − (mean(map) + bias), zero to rounding.
    """

    class_index: int
    label: str
    map: NDArray[np.floating]
    bias: float
    logit: float
    probability: float
    layer: str
    frame: Frame
    cells: CellGrid

    @property
    def sum(self) -> float:
        """mean(map) + bias."""
        return float(self.map.mean(dtype=np.float64)) + self.bias

    @property
    def residual(self) -> float:
        """The logit less the sum."""
        return self.logit - self.sum

    @property
    def supporting(self) -> float:
        """The part of the logit that speaks for the class; 0 or more."""
        return float(np.maximum(self.map, 0).mean(dtype=np.float64))

    @property
    def opposing(self) -> float:
        """The part of the logit that speaks against the class; 0 or less."""
        return float(np.minimum(self.map, 0).mean(dtype=np.float64))

    def on_picture(self, scale: float = 1.0, smooth: bool = True, max_side: int | None = None) -> NDArray[np.float32]:
        """``map / scale`` on the whole original picture: float32 (H, W), NaN outside what the network saw."""
        values = self.map / scale if scale > 0 else self.map
        return self.frame.to_picture(values, self.cells, smooth, max_side)


def evidence(
    network: Network, pic: Picture, classes: Sequence[int] | None = None, framing: str | None = None
) -> tuple[Evidence, ...]:
    """The evidence for each class, in the order asked; None: both of two classes, else the one the network says.

    Raises MethodError where the network does not end in a global average and a linear head, ModelError for a
    class that it does not have, CamcoreError for an unknown framing.
    """
    layer = network.check_linear_head(network.default_layer)
    x, frame = network.prepare(pic, framing)
    if classes is not None:
        wanted = [network.check_class(index) for index in classes]
    elif network.classes == 2 and network.score_kind != "value":
        wanted = [0, 1]
    else:
        wanted = [network.top_class(network.logits(x)[0])]
    tapped = network.tap(x, [layer], wanted)
    bias, logits, A = network.linear_head_offset(layer), tapped.logits[0], tapped.activations[layer][0]
    maps = [cam(A, gradients[layer][0]) for gradients in tapped.gradients]
    return tuple(
        Evidence(
            class_index=index,
            label=network.labels[index],
            map=m,
            bias=float(bias[index]),
            logit=float(logits[index]),
            probability=float(network.probabilities(logits)[index]),
            layer=layer,
            frame=frame,
            cells=network.layer(layer).cells(network.input_size),
        )
        for index, m in zip(wanted, maps, strict=True)
    )


def common_scale(evidences: Sequence[Evidence]) -> float:
    """The largest absolute value of all the maps: divided by it, they lie in −1..1 on one scale; 1 for empty maps."""
    return float(max((np.abs(one.map).max(initial=0) for one in evidences), default=0)) or 1.0
