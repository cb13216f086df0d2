"""The rules of operations that take cells of a grid, or take them in another order: slice, split, mirror and roll."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from camcore.graph.reach import Reach, Rule, constant, unknown
from camcore.lazy import tf


def _split(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    position = 1 if operation.type == "Split" else 0
    axis, reach = constant(operation.inputs[0 if operation.type == "Split" else 2]), inputs[position]
    rank = output.shape.rank
    if reach is None or axis is None or rank is None:
        return unknown(inputs)
    if int(axis) % rank not in reach.dims:
        return reach
    sides = [part.shape[int(axis)] for part in operation.outputs[: output.value_index]]
    if not reach.spatial or None in sides:
        return unknown(inputs)
    return _moved(reach, {int(axis) % rank: (float(sum(sides)), 1)})


def _moved(reach: Reach, moves: dict[int, tuple[float, int]]) -> Reach:
    """The grid starts so many cells later along an axis of the tensor and takes every so-manieth: (cells, step)."""
    return reach.with_axes(
        [axis.moved(*moves.get(dim, (0.0, 1))) for axis, dim in zip(reach.axes, reach.dims, strict=True)]
    )


@dataclass(frozen=True)
class AxisSlice:
    """The effect of a slice on one axis of its input: ``position`` afterwards (None: removed), first cell and step."""

    position: int | None
    start: int | None
    step: int


def axis_slices(operation: tf.Operation, rank: int) -> list[AxisSlice] | None:
    """The effect of a StridedSlice on each axis of its input; None where the graph does not fix it."""
    begin, step = constant(operation.inputs[1]), constant(operation.inputs[3])
    if begin is None or step is None:
        return None
    masks = {name: operation.get_attr(f"{name}_mask") for name in ("begin", "ellipsis", "new_axis", "shrink_axis")}
    new = sum(masks["new_axis"] >> i & 1 for i in range(len(begin)))
    dots = bool(masks["ellipsis"])
    entries: list[AxisSlice] = []
    position = 0
    for i in range(len(begin)):
        if masks["ellipsis"] >> i & 1:
            for _ in range(rank - (len(begin) - new - 1)):
                entries.append(AxisSlice(position, 0, 1))
                position += 1
        elif masks["new_axis"] >> i & 1:
            position += 1
        elif masks["shrink_axis"] >> i & 1:
            entries.append(AxisSlice(None, int(begin[i]), 1))
        else:
            entries.append(AxisSlice(position, None if masks["begin"] >> i & 1 else int(begin[i]), int(step[i])))
            position += 1
    if not dots:
        entries += [AxisSlice(position + i, 0, 1) for i in range(rank - len(entries))]
    return entries if len(entries) == rank else None


def _strided_slice(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, rank = inputs[0], operation.inputs[0].shape.rank
    entries = axis_slices(operation, rank) if rank is not None else None
    if reach is None or entries is None:
        return unknown(inputs)
    positions: list[int] = []
    moves: dict[int, tuple[float, int]] = {}
    for dim in reach.dims:
        entry, side = entries[dim], operation.inputs[0].shape[dim]
        if entry.position is None:
            return unknown(inputs)
        start = entry.start if entry.start is not None else (0 if entry.step > 0 else -1)
        if start < 0:
            if side is None:
                return unknown(inputs)
            start = max(start + side, 0)
        moves[dim] = (float(start), entry.step)
        positions.append(entry.position)
    if not reach.spatial:
        return replace(reach, dims=tuple(positions)) if set(moves.values()) <= {(0.0, 1)} else unknown(inputs)
    return replace(_moved(reach, moves), dims=tuple(positions))


def _slice(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, begin = inputs[0], constant(operation.inputs[1])
    if reach is None or not reach.spatial or begin is None:
        return unknown(inputs)
    return _moved(reach, {dim: (float(begin[dim]), 1) for dim in reach.dims})


def _gather(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Places taken at regular distances move the grid; channels in any order leave it as it is."""
    reach, rank, indices = inputs[0], operation.inputs[0].shape.rank, operation.inputs[1]
    axis = constant(operation.inputs[2])
    if reach is None or inputs[1] is not None or axis is None or rank is None or operation.get_attr("batch_dims"):
        return unknown(inputs)
    where = int(axis) % rank
    if where not in reach.dims:
        grown = (indices.shape.rank or 0) - 1
        return replace(reach, dims=tuple(dim + grown * (dim > where) for dim in reach.dims))
    positions = constant(indices)
    if positions is None or not reach.spatial or positions.ndim != 1 or len(positions) < 2:
        return unknown(inputs)
    steps = np.unique(np.diff(positions))
    if len(steps) != 1 or steps[0] == 0:
        return unknown(inputs)
    return _moved(reach, {where: (float(positions[0]), int(steps[0]))})


def _reverse(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, axes, rank = inputs[0], constant(operation.inputs[1]), output.shape.rank
    if reach is None or axes is None or rank is None:
        return unknown(inputs)
    turned = {int(axis) % rank for axis in np.atleast_1d(axes)} & set(reach.dims)
    if not turned:
        return reach
    if not reach.spatial or any(output.shape[dim] is None for dim in turned):
        return unknown(inputs)
    return _moved(reach, {dim: (float(output.shape[dim] - 1), -1) for dim in turned})


def _roll(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Cells move along and come in again on the other side; rolled back, all is as before (shifted windows)."""
    reach, shifts, axes, rank = inputs[0], *(constant(tensor) for tensor in operation.inputs[1:]), output.shape.rank
    if reach is None or shifts is None or axes is None or rank is None:
        return unknown(inputs)
    moves: dict[int, int] = {}
    for shift, axis in zip(np.atleast_1d(shifts), np.atleast_1d(axes), strict=True):
        moves[int(axis) % rank] = moves.get(int(axis) % rank, 0) + int(shift)
    if not set(moves) & set(reach.dims):
        return reach
    if not reach.spatial:
        return unknown(inputs)
    axes_after = []
    for axis, dim in zip(reach.axes, reach.dims, strict=True):
        way = -moves.get(dim, 0) * axis.stride
        axes_after.append(replace(axis, centre=axis.centre + way, rolled=axis.rolled + way))
    return reach.with_axes(axes_after)


SLICING_RULES: dict[str, Rule] = {
    **dict.fromkeys(("Split", "SplitV"), _split),
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    "GatherV2": _gather,
    "ReverseV2": _reverse,
    "Roll": _roll,
}
