"""Finished maps: values in 0..1 of a method's raw map, a warning in plain words, and its place on the picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, flag, max_side
from camcore.methods import METHODS, MethodInfo

if TYPE_CHECKING:
    from camcore.framing import CellGrid, Frame
    from camcore.methods.info import OptionValues

Array = NDArray[np.floating]

# More than half of the cells above this share of the maximum: the map hardly tells one place from another.
_SATURATED = 0.8


@dataclass(frozen=True, eq=False)
class CamMap:
    """One map: one method at one layer for one class of one picture.

    ``raw``: float32 (h, w) on the layer's own grid, un-normalised. ``values``: float32 (h, w) in 0..1,
    rectified and divided by its maximum; all zero where nothing is positive, and then ``warning`` says why.
    ``layer``: its path, None for a method on the input's own grid. ``evidence`` and ``offset``: for methods whose
    evidence is known to add up, what lies at places and the rest; evidence + offset = logit, but for ``residual``.
    (``cam``: evidence = mean(raw); ``hirescam`` where all behind the layer is affine: Σ raw; ``fullgrad``: Σ x·∂y/∂x
    and b·∂y/∂z at all places.) ``seconds``: the time of the pass it came from and of its own formula. ``passes``:
    forward and backward passes it needs by itself. ``cells``: where the grid lies on the network's input.
    ``refine``: the refinements applied. ``logit``: the score that was explained, of ``score_kind``; see
    ``Network.score_kind``.
    """

    method: str
    layer: str | None
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
    options: OptionValues = field(default_factory=dict)
    evidence: float | None = None
    passes: float = 0.0
    refine: tuple[str, ...] = ()
    score_kind: str = "logit"

    @property
    def residual(self) -> float | None:
        """logit − (evidence + offset): zero, to rounding, where the evidence is complete; None where none is known."""
        if self.evidence is None or self.offset is None:
            return None
        return self.logit - self.evidence - self.offset

    @property
    def lowers(self) -> bool:
        """True for the class of a regression that stands for what lowers its value: ``logit`` is minus it."""
        return self.score_kind == "value" and self.class_index == 1

    @property
    def levels(self) -> Array:
        """``raw`` as it is put on a scale: from its own minimum up for methods whose values are min–max."""
        return self.raw - self.raw.min() if METHODS[self.method].min_max and self.raw.size else self.raw

    @property
    def framing(self) -> str:
        """The framing by which the picture became the network's input."""
        return self.frame.framing

    @checked(smooth=flag, max_side=max_side)
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


def normalised(raw: Array, min_max: bool = False) -> NDArray[np.float32]:
    """relu(raw) / max(relu(raw)), (h, w) in 0..1; all zero where nothing is positive.

    ``min_max``: (raw − min) / (max − min) instead, all zero where raw is constant.
    """
    positive = raw.astype(np.float64) - (raw.min(initial=np.inf) if min_max and raw.size else 0.0)
    positive = np.maximum(positive, 0)
    top = positive.max(initial=0.0)
    return (positive / top).astype(np.float32) if top > 0 else np.zeros(raw.shape, np.float32)


ActivationState = Literal["lively", "dead", "constant", "negative"]


def activation_state(A: Array) -> ActivationState:
    """The oddity of a layer's activations (h, w, K): all zero, the same at every place, or never positive."""
    if not A.any():
        return "dead"
    if A.shape[0] * A.shape[1] > 1 and (A[0] == A[0, 0]).all() and (A[0, 0] == A).all():
        return "constant"
    return "negative" if A.max() <= 0 else "lively"


_STATES = {
    "dead": "Every activation of this layer is zero on this picture (dead units). Try another layer.",
    "constant": "The layer's activations are the same at every place, so no place stands out. Try another layer.",
    "negative": (
        "No activation of this layer is positive, so methods that weigh activations turn the map upside down. Choose "
        "the layer after its ReLU."
    ),
}


def warning_for(
    info: MethodInfo,
    raw: Array,
    values: Array,
    broken: int,
    state: ActivationState = "lively",
    gradient_vanished: bool = False,
    caution: str = "",
) -> str | None:
    """The warning that a reader needs before believing this map; None where nothing is amiss.

    ``values``: ``raw`` normalised. ``broken``: how many cells were not finite. ``state``: of the layer's
    activations. ``gradient_vanished``: the method uses a gradient, and it is zero everywhere. ``caution``: the layer's.
    """
    if caution and gradient_vanished and not broken and not values.any():
        return f"The map is empty. {caution}"
    notes = [caution] if caution else []
    if broken:
        notes.append(
            f"{broken} cells were not finite numbers and are shown as zero: the network overflows at this layer."
        )
    if not values.any():
        notes.append(_why_empty(info, raw, state, gradient_vanished))
    elif state != "lively":
        notes.append(_STATES[state])
    elif raw.size > 1 and float(np.mean(values >= _SATURATED)) > 0.5:
        notes.append(
            "Saturated: more than half of the cells are near the maximum, so the map hardly tells one place "
            "from another."
        )
    elif (
        info.signed
        and info.class_specific
        and np.maximum(-raw, 0).sum(dtype=np.float64) > np.maximum(raw, 0).sum(dtype=np.float64)
    ):
        notes.append("More of this map speaks against the class than for it; only what speaks for it is shown.")
    return " ".join(notes) or None


def _why_empty(info: MethodInfo, raw: Array, state: ActivationState, gradient_vanished: bool) -> str:
    empty = "The map is empty: "
    if state in ("dead", "constant") or (state == "negative" and not gradient_vanished):
        text = _STATES[state]
        return empty + text[0].lower() + text[1:]
    if gradient_vanished:
        return empty + (
            "the gradient is zero everywhere at this layer, because the units behind it are dead or saturated. "
            "Try another layer, or Score-CAM, which needs no gradient."
        )
    if info.min_max:
        return empty + "the score is the same whatever part of the picture is left, so no place stands out."
    return empty + (
        "nothing at this layer speaks for this class; every contribution is zero or negative. "
        "Look at another class or layer; HiResCAM shows what speaks against it."
    )
