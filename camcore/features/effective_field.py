"""The effective receptive field of a cell: the pixels of this very picture that its values really depend on.

The theoretical field says which pixels could matter. Most of them hardly do: Luo, Li, Urtasun and Zemel,
"Understanding the Effective Receptive Field in Deep Convolutional Neural Networks" (NeurIPS 2016), measure |∂A/∂x|,
which falls off from the middle like a bell. Here it is measured exactly, through the network's own trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.checks import checked, flag, many, max_side, optional, whole
from camcore.errors import LayerError
from camcore.graph.layers import check_cell
from camcore.heatmaps.arguments import a_framing, a_network, a_picture
from camcore.heatmaps.request import Layer
from camcore.network import Network
from camcore.pictures.picture import Picture

if TYPE_CHECKING:
    from camcore.framing import Frame

Array = NDArray[np.floating]
Box = tuple[int, int, int, int]

MASS = 0.95
"""The share of the mass that the box of a field holds."""

# Input values per pass: each channel takes a copy of the picture of its own.
_CHUNK_VALUES = 8 * 224 * 224 * 3


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """The dependence of one cell of a layer on each pixel of the network's input.

    strength: float32 (H, W), the mean over ``channels`` and colours of |∂A_k(cell)/∂x|, on the input's grid.
    channels: those measured so far; ``total``: how many were asked for.
    """

    layer: str
    cell: tuple[int, int]
    strength: NDArray[np.float32]
    channels: tuple[int, ...]
    total: int
    frame: Frame

    @property
    def mass(self) -> float:
        """The sum of all strengths; 0 where no channel responds: each at zero of a ReLU, or at the top of a ReLU6."""
        return float(self.strength.sum(dtype=np.float64))

    @cached_property
    def box(self) -> Box | None:
        """(top, left, bottom, right), the smallest box of whole input pixels with MASS of the mass; None: no mass."""
        return smallest_box(self.strength, MASS)

    @cached_property
    def centre(self) -> tuple[float, float] | None:
        """(y, x), the mean place of the mass, in input pixel indices; None: no mass."""
        return None if not self.mass else (self._moment(0, 1, 0.0), self._moment(1, 1, 0.0))

    @cached_property
    def deviation(self) -> tuple[float, float] | None:
        """(y, x), the standard deviation of the mass, in input pixels; None: no mass."""
        if self.centre is None:
            return None
        y, x = (self._moment(axis, 2, self.centre[axis]) ** 0.5 for axis in (0, 1))
        return y, x

    def _moment(self, axis: int, order: int, about: float) -> float:
        side = self.strength.sum(axis=1 - axis, dtype=np.float64)
        return float((side * (np.arange(len(side)) - about) ** order).sum() / side.sum())

    @checked(smooth=flag, max_side=max_side)
    def on_picture(self, smooth: bool = True, max_side: int | None = None) -> NDArray[np.float32]:
        """The strength divided by its maximum, on the whole original picture: float32 (H, W), NaN outside."""
        top = float(self.strength.max())
        return self.frame.to_picture(self.strength / top if top else self.strength, None, smooth, max_side)


@checked(network=a_network, pic=a_picture, channels=optional(many(whole())), framing=a_framing)
def effective_field(
    network: Network,
    pic: Picture,
    layer: Layer,
    cell: tuple[int, int],
    channels: Sequence[int] | None = None,
    framing: str | None = None,
) -> Iterator[EffectiveField]:
    """Measure the effective field of ``cell`` (row, column); each step has more channels in its mean, the last all.

    ``channels``: which ones, None for all of the layer. Each costs one forward and one backward pass. Closing the
    generator stops the work. Raises LayerError at the call for a layer, cell or channel that does not exist,
    CamcoreError for an unknown framing. Luo et al., NeurIPS 2016.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> for field in camcore.effective_field(net, pic, "block2", (4, 4), channels=[0, 1]):
    ...     print(field.strength.shape, len(field.channels), "of", field.total, "channels")
    (192, 192) 2 of 2 channels
    >>> top, left, bottom, right = field.box  # of the input's pixels, with 95 % of the strength
    """
    info = network.layer_with_grid(layer)
    check_cell(info, cell)
    wanted = tuple(range(info.channels or 0)) if channels is None else tuple(channels)
    if not wanted:
        raise LayerError(f"No channel of {info.path!r} was asked for. A field is measured of one channel at least.")
    x, frame = network.prepare(pic, framing)
    return _steps(network, x, frame, info.path, cell, wanted)


def _steps(
    network: Network, x: Array, frame: Frame, path: str, cell: tuple[int, int], channels: tuple[int, ...]
) -> Iterator[EffectiveField]:
    chunk = max(1, _CHUNK_VALUES // x.size)
    total = np.zeros(network.input_size)
    for start in range(0, len(channels), chunk):
        part = channels[start : start + chunk]
        _, gradients = network.cell_gradients(x, path, cell, part)
        total += np.abs(gradients).mean(axis=3, dtype=np.float64).sum(axis=0)
        done = channels[: start + len(part)]
        yield EffectiveField(path, cell, (total / len(done)).astype(np.float32), done, len(channels), frame)


def smallest_box(strength: Array, share: float) -> Box | None:
    """(top, left, bottom, right), the box of least area that holds ``share`` of the sum of ``strength`` (H, W) ≥ 0.

    Of several the first from the top left. None where everything is zero.
    """
    sums = np.zeros((strength.shape[0] + 1, strength.shape[1] + 1))
    sums[1:, 1:] = strength.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    whole = sums[-1, -1]
    if not whole:
        return None
    target = share * whole * (1 - 1e-12)
    # A band of rows and one of columns that each leave out half of what may be left out cross in a box that will do.
    half = (1 + share) / 2 * whole
    (top, bottom), (left, right) = _band(sums[:, -1], half), _band(sums[-1], half)
    best, box = (bottom - top) * (right - left), (top, left, bottom, right)
    heights, widths = _lengths(sums[:, -1], target), _lengths(sums[-1], target)
    for top in np.flatnonzero(heights * widths.min() <= best).tolist():
        for left in np.flatnonzero(heights[top] * widths <= best).tolist():
            bottoms = np.arange(top + heights[top], min(len(sums), top + best // widths[left] + 1))
            rights = np.arange(left + widths[left], min(len(sums[0]), left + best // heights[top] + 1))
            inside = sums[np.ix_(bottoms, rights)] - sums[top, rights] - sums[bottoms, left][:, None]
            areas = np.where(inside + sums[top, left] >= target, (bottoms - top)[:, None] * (rights - left), best + 1)
            flat = int(areas.argmin()) if areas.size else -1
            if areas.size and areas.flat[flat] < best:
                row, column = divmod(flat, len(rights))
                best, box = int(areas.flat[flat]), (top, left, int(bottoms[row]), int(rights[column]))
    return box


def _lengths(cumulated: Array, target: float) -> NDArray[np.int64]:
    """From each row (column) on, how many it takes to hold the target; more than there are where too few are left."""
    ends = np.searchsorted(cumulated, cumulated[:-1] + target).astype(np.int64)
    return np.where(ends < len(cumulated), ends - np.arange(len(ends)), len(cumulated))


def _band(cumulated: Array, target: float) -> tuple[int, int]:
    """The first shortest band that holds the target, as edges."""
    lengths = _lengths(cumulated, target)
    start = int(lengths.argmin())
    return start, start + int(lengths[start])
