"""What a method's raw map becomes: values in 0..1, a warning in plain words, and its place on the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.framing import CellGrid, Frame
from camcore.methods import MethodInfo

Array = NDArray[Any]

# More than half of the cells above this share of the maximum: the map hardly tells one place from another.
_SATURATED = 0.8


@dataclass(frozen=True, eq=False)
class CamMap:
    """One map: one method at one layer for one class of one picture.

    ``raw``: float32 (h, w) on the layer's own grid, un-normalised. ``values``: float32 (h, w) in 0..1,
    rectified and divided by its maximum; all zero where nothing is positive, and then ``warning`` says why.
    ``offset``: for maps that add up to the logit, the rest (mean(raw) + offset = logit for ``cam``).
    ``seconds``: the time of the pass it came from and of its own formula. ``cells``: where the grid lies on the
    network's input.
    """

    method: str
    layer: str
    class_index: int
    label: str
    probability: float
    logit: float
    raw: Array
    values: Array
    warning: str | None
    seconds: float
    offset: float | None
    network: str
    frame: Frame
    cells: CellGrid
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def framing(self) -> str:
        """How the picture became the network's input."""
        return self.frame.framing

    def on_picture(self, smooth: bool = True, max_side: int | None = None) -> NDArray[np.float32]:
        """``values`` on the whole original picture: float32 (H, W), NaN outside what the network saw.

        ``smooth``: bilinear between the cells' centres, else the nearest cell. ``max_side``: at most this long,
        for display.
        """
        return self.frame.to_picture(self.values, self.cells, smooth, max_side)


def as_float32(raw: Array) -> tuple[NDArray[np.float32], int]:
    """The raw map in float32, and how many of its cells were not finite; these become 0."""
    broken = int(np.count_nonzero(~np.isfinite(raw)))
    clean = np.nan_to_num(raw, nan=0.0, posinf=0.0, neginf=0.0) if broken else raw
    limit = np.finfo(np.float32).max
    return np.clip(clean, -limit, limit).astype(np.float32), broken


def normalised(raw: Array) -> NDArray[np.float32]:
    """relu(raw) / max(relu(raw)), (h, w) in 0..1; all zero where nothing is positive."""
    positive = np.maximum(raw, 0).astype(np.float64)
    top = positive.max(initial=0.0)
    return (positive / top).astype(np.float32) if top > 0 else np.zeros(raw.shape, np.float32)


def warning_for(info: MethodInfo, raw: Array, broken: int, A: Array, G: Array | None) -> str | None:
    """What a reader must know before believing this map; None where nothing is amiss.

    ``A`` (h, w, K): the layer's activations. ``G``: the gradients, None for methods without them.
    """
    notes = []
    if broken:
        notes.append(
            f"{broken} cells were not finite numbers and are shown as zero: the network overflows at this layer."
        )
    if raw.max(initial=0.0) <= 0:
        notes.append(_why_empty(raw, A, G))
    elif raw.size > 1 and float(np.mean(raw >= _SATURATED * raw.max())) > 0.5:
        notes.append(
            "Saturated: more than half of the cells are near the maximum, so the map hardly tells one place "
            "from another."
        )
    elif info.signed and np.maximum(-raw, 0).sum(dtype=np.float64) > np.maximum(raw, 0).sum(dtype=np.float64):
        notes.append("More of this map speaks against the class than for it; only what speaks for it is shown.")
    return " ".join(notes) or None


def _why_empty(raw: Array, A: Array, G: Array | None) -> str:
    empty = "The map is empty: "
    if not A.any():
        return empty + "every activation of this layer is zero for this picture (dead units). Try another layer."
    if G is not None and not G.any():
        return empty + (
            "the gradient is zero everywhere at this layer, because the units behind it are dead or saturated. "
            "Try another layer, or Score-CAM, which needs no gradient."
        )
    if np.ptp(A, axis=(0, 1)).max() == 0:
        return empty + "the layer's activations are the same at every place, so no place stands out."
    return empty + (
        "nothing at this layer speaks for this class; every contribution is zero or negative. "
        "Look at another class or layer; HiResCAM shows what speaks against it."
    )
