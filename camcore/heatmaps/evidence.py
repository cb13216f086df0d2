"""Evidence for and against a class, place by place, that adds up to its logit: the signed form of exact CAM.

Behind a global average and a linear head, logit = mean over the places of Σ_k W_kc A_kij, + b_c. So each place of
the map is what it contributes, and the sum can be shown and checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camcore.framing import CellGrid, Frame
from camcore.methods.gradient import cam
from camcore.network import Network
from camcore.pictures.picture import Picture


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for one class of one picture (above 0) and against it (below 0), and what that makes.

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
        """How far the sum is from the logit."""
        return self.logit - self.sum

    @property
    def supporting(self) -> float:
        """What all places that speak for the class add to the logit; 0 or more."""
        return float(np.maximum(self.map, 0).mean(dtype=np.float64))

    @property
    def opposing(self) -> float:
        """What all places that speak against the class add to the logit; 0 or less."""
        return float(np.minimum(self.map, 0).mean(dtype=np.float64))

    def on_picture(self, scale: float = 1.0, smooth: bool = True, max_side: int | None = None) -> NDArray[np.float32]:
        """``map / scale`` on the whole original picture: float32 (H, W), NaN outside what the network saw."""
        values = self.map / scale if scale > 0 else self.map
        return self.frame.to_picture(values, self.cells, smooth, max_side)


def evidence(
    net: Network, pic: Picture, classes: Sequence[int] | None = None, framing: str | None = None
) -> tuple[Evidence, ...]:
    """The evidence for each class, in the order asked; None: both of two classes, else the one the network says.

    Raises MethodError where the network does not end in a global average and a linear head, ModelError for a
    class that it does not have, CamcoreError for an unknown framing.
    """
    layer = net.check_linear_head(net.default_layer)
    x, frame = net.prepare(pic, framing)
    if classes is None:
        wanted = [0, 1] if net.classes == 2 and net.score_kind != "value" else [net.top_class(net.logits(x)[0])]
    else:
        wanted = [net.check_class(index) for index in classes]
    seen = net.tap(x, [layer], wanted)
    bias, logits, A = net.linear_head_offset(layer), seen.logits[0], seen.activations[layer][0]
    maps = [cam(A, gradients[layer][0]) for gradients in seen.gradients]
    return tuple(
        Evidence(
            class_index=index,
            label=net.labels[index],
            map=m,
            bias=float(bias[index]),
            logit=float(logits[index]),
            probability=float(net.probabilities(logits)[index]),
            layer=layer,
            frame=frame,
            cells=net.layer(layer).cells(net.input_size),
        )
        for index, m in zip(wanted, maps, strict=True)
    )


def common_scale(shown: Sequence[Evidence]) -> float:
    """The largest absolute value of all the maps: divided by it, they lie in −1..1 on one scale; 1 for empty maps."""
    return float(max((np.abs(one.map).max(initial=0) for one in shown), default=0)) or 1.0
