"""The rules of operations that move the axes of a tensor about: where its rows and columns are afterwards."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from camcore.graph.placed import are_rows, rearranged
from camcore.graph.places import axes_of, placed
from camcore.graph.reach import POOLED, Reach, Rule, constant, unknown
from camcore.lazy import tf

_Sides = tuple[int | None, ...]


def reshape(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Rows and columns that keep their places, become one axis of tokens, or come back from it."""
    reach = inputs[0]
    if reach is None:  # only the wanted shape depends on the picture
        return None
    if not reach.axes:
        return reach
    if output.shape.rank is None or operation.inputs[0].shape.rank is None:
        return unknown(inputs)
    before, after = tuple(operation.inputs[0].shape), tuple(output.shape)
    h, w = reach.grid
    ascending = list(reach.dims) == sorted(reach.dims)
    if reach.spatial:
        repeated = _repeated(reach, before, after)
        if repeated is not None:
            return repeated
        positions = _kept_places(before, after, reach.dims)
        if positions is not None:
            return replace(reach, dims=positions)
        together = ascending and reach.dims[1] == reach.dims[0] + 1
        if together and len(after) == 2 and reach.dims[1] < len(before) - 1 and are_rows(output, before[-1]):
            return replace(reach, dims=(0,))  # every position a row: (n·h·w, K)
        found = rearranged(operation, inputs, output)
        if not found.lost and len(after) > 2:
            return found
        if together and h and w:
            merged = (*before[: reach.dims[0]], h * w, *before[reach.dims[1] + 1 :])
            positions = _kept_places(merged, after, reach.dims[:1])
            if positions is not None:  # tokens: (n, h·w, K)
                return _tokens(reach, positions, after)
        if len(after) <= 2 or reach.cells == 1:
            return POOLED if reach.cells > 1 else replace(POOLED, whole_picture=reach.whole_picture)
        return unknown(inputs)
    (tokens,) = reach.dims
    if tokens == 0:  # from rows (n·h·w, K)
        if len(after) == 4 and after[1:3] == (h, w):
            return replace(reach, dims=(1, 2))
        if len(after) == 3 and h and w and after[1] == h * w:
            return _tokens(reach, (1,), after)
        return reach if len(after) == len(before) == 2 else unknown(inputs)
    positions = _kept_places(before, after, reach.dims)
    if positions is not None:
        return replace(reach, dims=positions)
    if h and w:
        apart = (*before[:tokens], h, w, *before[tokens + 1 :])
        positions = _kept_places(apart, after, (tokens, tokens + 1))
        if positions is not None:
            return replace(reach, dims=positions)
        if len(after) == 2 and tokens < len(before) - 1 and are_rows(output, before[-1]):
            return replace(reach, dims=(0,))
    return POOLED if len(after) == 2 else unknown(inputs)


def _tokens(reach: Reach, dims: tuple[int, ...], sides: _Sides) -> Reach:
    """The cells along one axis, with what is known of the other axes."""
    together = replace(reach, dims=dims)
    axes = axes_of(together, sides)
    return together if axes is None else placed(together, axes)


def _kept_places(before: _Sides, after: _Sides, dims: tuple[int, ...]) -> tuple[int, ...] | None:
    """The places of the axes ``dims`` after a reshape that leaves them whole; None where it does not.

    An axis is whole where the same number of values lies behind it as before, and it has the same side.
    """
    positions = []
    for dim in dims:
        behind = before[dim + 1 :]
        if before[dim] is None or None in behind:
            # An open channel axis, as a dense layer on a grid leaves it: only where nothing else has changed.
            if len(before) == len(after) and before[:-1] == after[:-1] and dim < len(before) - 1:
                positions.append(dim)
                continue
            if dim < len(after) and before[1 : dim + 1] == after[1 : dim + 1] and dim > 0:
                positions.append(dim)
                continue
            return None
        wanted = prod(side or 1 for side in behind)
        fitting = [
            position
            for position, side in enumerate(after)
            if side == before[dim] and None not in after[position + 1 :]
            and prod(one or 1 for one in after[position + 1 :]) == wanted
        ]  # fmt: skip
        if not fitting or fitting[0] == 0:
            return None
        positions.append(fitting[0])
    return tuple(positions)


def _repeated(reach: Reach, before: _Sides, after: _Sides) -> Reach | None:
    """Nearest-neighbour upsampling, which Keras writes as (…, h, f, …) → (…, h·f, …): the axis and its copies."""
    if len(after) != len(before) - 1:
        return None
    for position, dim in enumerate(reach.dims):
        size, copies = before[dim], before[dim + 1] if dim + 1 < len(before) else None
        if not size or not copies or dim + 1 in reach.dims or dim + 2 == len(before):
            continue
        if after == (*before[:dim], size * copies, *before[dim + 2 :]):
            axes = list(reach.axes)
            axes[position] = axes[position].finer(axes[position].stride / copies, 1)
            return replace(reach, axes=tuple(axes), dims=tuple(other - (other > dim) for other in reach.dims))
    return None


def _transpose(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach = inputs[0]
    order = constant(operation.inputs[1])
    if reach is None or order is None:
        return unknown(inputs)
    positions = [int(axis) for axis in order]
    return replace(reach, dims=tuple(positions.index(dim) for dim in reach.dims))


def _expand_dims(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, axis = inputs[0], constant(operation.inputs[1])
    if reach is None or axis is None or output.shape.rank is None:
        return unknown(inputs)
    return _with_new_axis(reach, int(np.ravel(axis)[0]) % output.shape.rank)


def _with_new_axis(reach: Reach, new: int) -> Reach:
    return replace(reach, dims=tuple(dim + (dim >= new) for dim in reach.dims))


def _squeeze(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, shape = inputs[0], operation.inputs[0].shape
    if reach is None or not reach.axes or shape.rank is None:
        return reach if reach is not None and not reach.dims else unknown(inputs)
    given = operation.get_attr("squeeze_dims")
    gone = {axis % shape.rank for axis in given} or {axis for axis, side in enumerate(shape) if side == 1}
    if gone & set(reach.dims):
        return replace(POOLED, whole_picture=reach.whole_picture) if reach.cells == 1 else unknown(inputs)
    return replace(reach, dims=tuple(dim - sum(axis < dim for axis in gone) for dim in reach.dims))


def _unpack(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, rank = inputs[0], operation.inputs[0].shape.rank
    if reach is None or rank is None:
        return unknown(inputs)
    axis = operation.get_attr("axis") % rank
    if axis in reach.dims:
        return unknown(inputs)
    return replace(reach, dims=tuple(dim - (dim > axis) for dim in reach.dims))


def _tile(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, before, after = inputs[0], operation.inputs[0].shape, output.shape
    if reach is None or after.rank is None or any(before[dim] != after[dim] for dim in reach.dims):
        return unknown(inputs)
    return reach


def _broadcast(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach = inputs[0]
    if reach is None or not reach.dims:
        return reach
    shape, grown = operation.inputs[0].shape, output.shape
    if shape.rank is None or grown.rank is None:
        return unknown(inputs)
    dims = tuple(dim + grown.rank - shape.rank for dim in reach.dims)
    same = all(grown[after] == shape[before] for before, after in zip(reach.dims, dims, strict=True))
    return replace(reach, dims=dims) if same else unknown(inputs)


REARRANGING_RULES: dict[str, Rule] = {
    "Reshape": reshape,
    "Transpose": _transpose,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "Unpack": _unpack,
    "Tile": _tile,
    "BroadcastTo": _broadcast,
}
