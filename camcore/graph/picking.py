"""Picking along the axes of a tensor: the values that a slice, a split or a gather takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from camcore.graph.reach import constant
from camcore.graph.slicing import axis_slices
from camcore.lazy import tf


@dataclass(frozen=True)
class Pick:
    """``length`` values of an axis from ``start`` on, every ``step``-th (0: in no order).

    ``position``: of the axis afterwards; None where one value was taken, and the axis is gone.
    """

    start: int
    length: int
    step: int
    position: int | None


def picks(operation: tf.Operation, output: tf.Tensor) -> list[Pick] | None:
    """The values that one of PICKING takes along each axis of its input; None where the graph does not fix them."""
    source = operation.inputs[1 if operation.type == "Split" else 0]
    if source.shape.rank is None or output.shape.rank is None:
        return None
    return _KINDS[operation.type](operation, source, output)


def _whole(source: tf.Tensor) -> list[Pick]:
    return [Pick(0, int(side or 1), 1, axis) for axis, side in enumerate(source.shape)]


def _strided_slice(operation: tf.Operation, source: tf.Tensor, output: tf.Tensor) -> list[Pick] | None:
    entries = axis_slices(operation, source.shape.rank)
    if entries is None:
        return None
    found = []
    for entry, side in zip(entries, source.shape, strict=True):
        start = entry.start if entry.start is not None else (0 if entry.step > 0 else -1)
        length = 1 if entry.position is None else output.shape[entry.position]
        if start < 0 and side is None:
            return None
        found.append(Pick(start + (side if start < 0 else 0), int(length or 1), entry.step, entry.position))
    return found


def _slice(operation: tf.Operation, source: tf.Tensor, output: tf.Tensor) -> list[Pick] | None:
    begin = constant(operation.inputs[1])
    if begin is None:
        return None
    lengths = [int(side or 1) for side in output.shape]
    return [Pick(int(begin[axis]), length, 1, axis) for axis, length in enumerate(lengths)]


def _split(operation: tf.Operation, source: tf.Tensor, output: tf.Tensor) -> list[Pick] | None:
    along = constant(operation.inputs[0 if operation.type == "Split" else 2])
    if along is None:
        return None
    axis, found = int(along) % source.shape.rank, _whole(source)
    sides = [part.shape[axis] for part in operation.outputs[: output.value_index + 1]]
    if None in sides:
        return None
    found[axis] = Pick(sum(sides[:-1]), sides[-1], 1, axis)
    return found


def _unpack(operation: tf.Operation, source: tf.Tensor, output: tf.Tensor) -> list[Pick] | None:
    return _without(source, operation.get_attr("axis") % source.shape.rank, output.value_index)


def _without(source: tf.Tensor, axis: int, index: int) -> list[Pick]:
    """Single value along an axis, which is gone."""
    return [
        Pick(index, 1, 1, None) if one == axis else Pick(0, int(side or 1), 1, one - (one > axis))
        for one, side in enumerate(source.shape)
    ]


_FOLDED: dict[str, Callable[..., np.ndarray]] = {
    "SelectV2": np.where,
    "Less": np.less,
    "AddV2": np.add,
    "Add": np.add,
    "Identity": np.array,
    "Cast": np.array,
}


def _indices(tensor: tf.Tensor) -> np.ndarray | None:
    """As ``constant``, also of indices that count from the end, as ``keras.ops.take`` reckons them."""
    known, operation = constant(tensor), tensor.op
    if known is not None:
        return known
    if operation.type == "StridedSlice" and operation.inputs[0].op.type == "Shape":
        side, begin = operation.inputs[0].op.inputs[0].shape, constant(operation.inputs[1])
        if begin is None or len(begin) != 1 or not side.rank or operation.get_attr("shrink_axis_mask") != 1:
            return None
        return None if side[int(begin[0])] is None else np.array(side[int(begin[0])])
    if operation.type not in _FOLDED:
        return None
    values = [_indices(source) for source in operation.inputs]
    return None if any(value is None for value in values) else _FOLDED[operation.type](*values)


def _gather(operation: tf.Operation, source: tf.Tensor, output: tf.Tensor) -> list[Pick] | None:
    indices, along = _indices(operation.inputs[1]), constant(operation.inputs[2])
    if indices is None or along is None or indices.ndim > 1 or not indices.size or operation.get_attr("batch_dims"):
        return None
    axis = int(along) % source.shape.rank
    first, side = int(np.ravel(indices)[0]), source.shape[axis]
    if first < 0:
        first += side or 0
    if not indices.ndim:
        return _without(source, axis, first)
    found = _whole(source)
    found[axis] = Pick(first, len(indices), 1 if (np.diff(indices) == 1).all() else 0, axis)
    return found


_KINDS = {
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    "Split": _split,
    "SplitV": _split,
    "Unpack": _unpack,
    "GatherV2": _gather,
}
PICKING = tuple(_KINDS)
