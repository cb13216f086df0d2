"""The axes of a layer's output, and the way from them to a map (n, h, w, channels) and back.

A map has rows and columns along axes of their own. Tokens (n, T, …) have their cells along one axis, row by row,
perhaps beside tokens without a place; what follows that axis are their channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from camcore.graph.reach import Reach
from camcore.lazy import tf

Array = np.ndarray


@dataclass(frozen=True)
class Layout:
    """``order``: the axes of images, rows, columns and channels; of tokens: of images, tokens, and the others.

    ``grid``: of tokens, else None. ``first``: the first token that is a cell. ``sides``: of the tensor.
    """

    order: tuple[int, ...]
    sides: tuple[int | None, ...]
    grid: tuple[int, int] | None = None
    first: int = 0

    @property
    def partial(self) -> bool:
        """True where there are tokens beside those that are cells."""
        return self.grid is not None and self.sides[self.order[1]] != prod(self.grid)

    @property
    def channels(self) -> int | None:
        """The channels of a cell."""
        sides = [self.sides[axis] for axis in self.order[(3 if self.grid is None else 2) :]]
        return None if None in sides else prod(side or 1 for side in sides)

    @property
    def _in_order(self) -> bool:
        return self.order == tuple(range(len(self.order)))

    def map_of(self, values: Array) -> Array:
        """Values of the tensor (n, …) as (n, h, w, channels)."""
        moved = values if self._in_order else values.transpose(self.order)
        if self.grid is None:
            return moved
        cells = moved[:, self.first : self.first + prod(self.grid)]
        return cells.reshape(len(values), *self.grid, -1)

    def symbolic_map(self, values: tf.Tensor) -> tf.Tensor:
        """As ``map_of``, in a graph."""
        moved = values if self._in_order else tf.transpose(values, self.order)
        if self.grid is None:
            return moved
        cells = moved[:, self.first : self.first + prod(self.grid)]
        return tf.reshape(cells, [-1, *self.grid, self.channels])

    def joined(self, cells: tf.Tensor, beside: tf.Tensor | None = None) -> tf.Tensor:
        """The tensor of a map (m, h, w, channels), in a graph; ``beside``: one image's, where it is ``partial``."""
        if self.grid is None:
            return cells if self._in_order else tf.transpose(cells, own_order(self.order))
        rest = [self.sides[axis] for axis in self.order[2:]]
        tokens = tf.reshape(cells, [-1, prod(self.grid), *rest])
        if self.partial:
            own = tf.transpose(beside, self.order)
            own = tf.repeat(own, tf.shape(cells)[0], axis=0)
            tokens = tf.concat([own[:, : self.first], tokens, own[:, self.first + prod(self.grid) :]], axis=1)
        return tokens if self._in_order else tf.transpose(tokens, own_order(self.order))

    def filled(self, cells: Array, values: Array) -> Array:
        """The tensor's ``values`` (n, …) with a map (n, h, w, channels) in place of its cells."""
        if self.grid is None:
            return cells if self._in_order else cells.transpose(own_order(self.order))
        result = np.array(values.transpose(self.order))
        inside = result[:, self.first : self.first + prod(self.grid)]
        inside[:] = cells.reshape(inside.shape)
        return result.transpose(own_order(self.order))

    def cells_only(self, values: tf.Tensor) -> tf.Tensor:
        """``values`` of the tensor, in a graph, with zeros for tokens that are no cells."""
        if not self.partial:
            return values
        axis = self.order[1]
        kept = np.zeros(int(self.sides[axis] or 0), np.float32)
        kept[self.first : self.first + prod(self.grid or ())] = 1
        shape = [-1 if one == axis else 1 for one in range(len(self.order))]
        return values * tf.cast(tf.reshape(kept, shape), values.dtype)


def layout_of(tensor: tf.Tensor, seen: Reach | None) -> Layout:
    """The layout of a tensor. What has no grid is left in its own order."""
    rank = tensor.shape.rank or 0
    sides = tuple(tensor.shape) if tensor.shape.rank else ()
    if seen is not None and seen.tokens and rank > 2:
        (axis,) = seen.dims
        h, w = (int(side or 1) for side in seen.grid)
        rest = (other for other in range(1, rank) if other != axis)
        return Layout((0, axis, *rest), sides, (h, w), seen.first_token)
    if seen is not None and seen.spatial and rank == 4:
        return Layout(seen.order, sides)
    return Layout(tuple(range(rank)), sides)


def own_order(order: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that lead from ``order`` back to a tensor's own."""
    return tuple(order.index(axis) for axis in range(len(order)))
