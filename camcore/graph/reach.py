"""The part of the network's input that each cell of a tensor sees: the values that the graph walk computes.

For every tensor the *reach* keeps, per axis, the *stride* (how far apart in input pixels the centres of two
neighbouring cells lie; negative on a mirrored grid), the *size* of the receptive field and the *centre* of the first
cell (the input pixel's centre 0 is 0.0; it follows the padding and may lie outside the picture).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from camcore.lazy import tf

if TYPE_CHECKING:
    from camcore.graph.places import Axes


@dataclass(frozen=True)
class Axis:
    """One spatial axis of a feature map, in input pixels. ``rolled``: by how much it was rolled round the border.

    ``kept``: the edges (low, high) of what a crop inside the network leaves of the input; None: all of it.
    """

    stride: float = 1.0
    size: float = 1.0
    centre: float = 0.0
    rolled: float = 0.0
    kept: tuple[float, float] | None = None

    def window(self, kernel: int, step: int, dilation: int, before: float) -> Axis:
        """After a sliding window of ``kernel`` taps that starts ``before`` cells outside the map."""
        reach = (kernel - 1) * dilation
        return replace(
            self,
            stride=self.stride * step,
            size=self.size + reach * abs(self.stride),
            centre=self.centre + (reach / 2 - before) * self.stride,
        )

    def finer(self, fine: float, neighbours: int) -> Axis:
        """After resizing to cells ``fine`` apart that each draw on so many neighbours.

        A new cell does not lie at the centre of those it draws on; the field holds them on either side.
        """
        coarse, step = abs(self.stride), abs(fine)
        around = max(neighbours * coarse - step, (neighbours - 1) * coarse)
        return replace(self, stride=fine, size=self.size + around, centre=self.centre - self.stride / 2 + fine / 2)

    def moved(self, cells: float, step: int = 1) -> Axis:
        """The grid starts ``cells`` later and takes every ``step``-th cell; a negative step goes backwards."""
        return replace(self, stride=self.stride * step, centre=self.centre + cells * self.stride)

    def union(self, other: Axis) -> Axis:
        """The smallest field that holds both, of two axes that run the same way."""
        low = min(self.centre - self.size / 2, other.centre - other.size / 2)
        high = max(self.centre + self.size / 2, other.centre + other.size / 2)
        stride = max(self.stride, other.stride, key=abs)
        kept = None
        if self.kept and other.kept:
            kept = (min(self.kept[0], other.kept[0]), max(self.kept[1], other.kept[1]))
        return Axis(stride, high - low, (low + high) / 2, self.rolled or other.rolled, kept)

    def cut(self, cells: int) -> Axis:
        """With what is left of the input after all but so many cells, this axis's own, were cut off."""
        ends = self.centre, self.centre + (cells - 1) * self.stride
        half = max(self.size, abs(self.stride)) / 2
        low, high = self.kept or (-np.inf, np.inf)
        return replace(self, kept=(max(low, float(min(ends) - half)), min(high, float(max(ends) + half))))

    def opposes(self, other: Axis) -> bool:
        """True where one of the two is mirrored and the other is not."""
        return self.stride * other.stride < 0


@dataclass(frozen=True)
class Reach:
    """The part of the input that the cells of one tensor see. No ``axes``: it has no grid any more (pooled, flat).

    ``dims``: which axes of the tensor are spatial, rows first; one entry where both were merged. ``whole_picture``:
    a gate or attention lets every cell see more than its field. ``known``: False where something whose field is not
    understood lies before it. ``lost``: it depends on the picture, and whether it has a grid is not known.
    ``located``: False where rows and columns, and where they lie, are only taken to be as they are in the input.
    ``nominal``: nothing but the tensor's rank speaks for its grid. ``places``: where the cells are, of a tensor whose
    rows and columns do not lie along axes of their own (see ``places``); ``dims`` then has one entry where all of them
    lie along one axis, as tokens do, and none where they lie in pieces, as in windows.
    """

    axes: tuple[Axis, ...] = ()  # rows and columns
    grid: tuple[int | None, int | None] = (None, None)
    dims: tuple[int, ...] = ()
    whole_picture: bool = False
    known: bool = True
    lost: bool = False
    located: bool = True
    nominal: bool = False
    places: Axes = ()

    @property
    def tokens(self) -> bool:
        """True where the cells lie along one axis, row by row, beside the images and perhaps other tokens."""
        return bool(self.places) and len(self.dims) == 1

    @property
    def first_token(self) -> int:
        """The first token that is a cell."""
        (part, *_) = self.places[self.dims[0]]
        return part.first

    @property
    def spatial(self) -> bool:
        """True while the tensor has two separate spatial axes."""
        return bool(self.axes) and len(self.dims) == 2

    @property
    def cells(self) -> int:
        """The number of cells; an open side counts as one."""
        return (self.grid[0] or 1) * (self.grid[1] or 1)

    @property
    def order(self) -> tuple[int, int, int, int]:
        """The axes of the images, rows, columns and channels of a spatial tensor of rank 4."""
        rows, columns = self.dims
        return 0, rows, columns, 6 - rows - columns

    def cut_from(self, before: Reach) -> Reach:
        """The same, where it has fewer cells than the map that it was sliced from."""
        return self.with_axes(
            [
                axis.cut(left) if left is not None and were is not None and left < were else axis
                for axis, left, were in zip(self.axes, self.grid, before.grid, strict=True)
            ]
        )

    def with_axes(self, axes: Sequence[Axis]) -> Reach:
        """The same with other axes."""
        return replace(self, axes=tuple(axes))

    def turned(self) -> Reach:
        """The same with columns for rows."""
        return replace(self, axes=self.axes[::-1], grid=self.grid[::-1], dims=self.dims[::-1])


# A rule: (operation, the reach of each input, one output) → the output's reach.
Rule = Callable[["tf.Operation", "list[Reach | None]", "tf.Tensor"], "Reach | None"]

POOLED = Reach(whole_picture=True)
LOST = Reach(whole_picture=True, known=False, lost=True)


def unknown(inputs: list[Reach | None]) -> Reach:
    """Behind something that is not understood."""
    given = [reach for reach in inputs if reach is not None]
    if all(not reach.axes and not reach.lost for reach in given):  # no place is left that could be mistaken
        return replace(POOLED, known=all(reach.known for reach in given))
    return LOST


def constant(tensor: tf.Tensor) -> np.ndarray | None:
    """The value of a symbolic tensor that the graph fixes; None where it depends on anything."""
    return tf.get_static_value(tensor)
