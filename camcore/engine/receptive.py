"""Which part of the input each cell of each feature map can see, walked through the traced graph.

The walk goes from the input forward and applies a rule to every operation: ``windows.py`` has those that slide over
a grid, widen or shift it; here are those that combine maps, fold the grid's axes away and bring them back. Branches
that meet are united.

A tensor that was averaged over all positions sees the whole picture. Where it later multiplies a feature map
(squeeze and excitation) the map keeps its local field, and ``whole_picture`` says that a gate sees more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from camcore.engine.windows import POOLED, WINDOW_RULES, Axis, Reach, Rule, constant, unknown


def reaches(graph: Any, source: Any, channels_first: bool = False) -> dict[str, Reach]:
    """The reach of every tensor of ``graph`` that depends on ``source``, by tensor name.

    ``source``: the symbolic input (n, H, W, C), or (n, C, H, W) with ``channels_first``.
    """
    dims = (2, 3) if channels_first else (1, 2)
    found = {source.name: Reach((Axis(), Axis()), (source.shape[dims[0]], source.shape[dims[1]]), dims)}
    for operation in graph.get_operations():  # in the order of creation, so inputs come first
        if operation.type in ("Shape", "Placeholder", "Const"):
            continue  # a shape is not a picture
        inputs = [found.get(tensor.name) for tensor in operation.inputs]
        if not any(inputs):
            continue
        for output in operation.outputs:
            reach = _after(operation, inputs, output)
            if reach is not None:
                found[output.name] = reach
    return found


def _after(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    if operation.type == "IdentityN":
        return inputs[output.value_index]
    rule = _RULES.get(operation.type, _pointwise)
    reach = rule(operation, inputs, output)
    if reach is None or not reach.spatial:
        return reach
    rank = output.shape.rank
    if rank is None or max(reach.dims) >= rank:
        return replace(reach, axes=None, dims=(), known=False)
    return replace(reach, grid=(output.shape[reach.dims[0]], output.shape[reach.dims[1]]))


def _first(inputs: list[Reach | None]) -> Reach:
    return next(reach for reach in inputs if reach is not None)


def _pointwise(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """Each output cell depends on the same cell of every input; maps of one cell are gates on all cells."""
    given = [reach for reach in inputs if reach is not None]
    rank = output.shape.rank
    maps = [reach for reach in given if reach.axes is not None]
    if not maps:
        return replace(POOLED, known=all(reach.known for reach in given))
    largest = max(maps, key=lambda reach: _cells(reach.grid))
    if largest.spatial and (rank is None or rank < 3):
        return unknown(inputs, output)
    if largest.spatial and rank is not None:
        shape = tuple(output.shape[dim] for dim in largest.dims if dim < rank)
        if shape != largest.grid:
            return unknown(inputs, output)
    result = largest
    for reach in given:
        if reach is largest:
            continue
        if reach.axes is None or reach.grid != largest.grid:
            result = replace(result, whole_picture=True, known=result.known and reach.known)
        else:
            assert result.axes is not None
            result = replace(
                result,
                axes=(result.axes[0].union(reach.axes[0]), result.axes[1].union(reach.axes[1])),
                whole_picture=result.whole_picture or reach.whole_picture,
                known=result.known and reach.known,
            )
    return result


def _cells(grid: tuple[int | None, int | None]) -> int:
    return (grid[0] or 1) * (grid[1] or 1)


def _reduction(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    axes = constant(operation.inputs[1])
    if reach is None or axes is None:
        return unknown(inputs, output)
    if reach.axes is None:
        return reach
    rank = operation.inputs[0].shape.rank
    reduced = {int(axis) % rank for axis in np.atleast_1d(axes)}
    if reduced & set(reach.dims):
        return POOLED
    if operation.get_attr("keep_dims"):
        return reach
    return replace(reach, dims=tuple(dim - sum(axis < dim for axis in reduced) for dim in reach.dims))


def _concat(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    axis = constant(operation.inputs[-1])
    maps = inputs[:-1]
    first = _first(maps)
    if axis is None or (first.spatial and int(axis) % output.shape.rank in first.dims):
        return unknown(inputs, output)
    return _pointwise(operation, maps, output)


def _reshape(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None:  # only the wanted shape depends on the picture
        return None
    shape_before, shape = operation.inputs[0].shape, output.shape
    if reach.axes is None:
        return reach
    if shape.rank is None or shape_before.rank is None:
        return unknown(inputs, output)
    h, w = reach.grid
    if reach.spatial:
        repeated = _repeated(reach, tuple(shape_before), tuple(shape))
        if repeated is not None:
            return repeated
        dims = reach.dims
        kept = shape.rank > max(dims) and (shape[dims[0]], shape[dims[1]]) == (h, w)
        if kept and dims[0] > 0:
            return reach
        channels = shape_before[-1]
        if dims[1] < shape_before.rank - 1:
            if shape.rank == 2 and _are_rows(output, channels):  # every position a row: (n·h·w, K)
                return replace(reach, dims=(0,))
            if shape.rank == 3 and h and w and tuple(shape[1:]) == (h * w, channels):  # tokens: (n, h·w, K)
                return replace(reach, dims=(1,))
        return POOLED if _cells(reach.grid) > 1 else replace(POOLED, whole_picture=reach.whole_picture)
    if shape.rank == 4 and (shape[1], shape[2]) == (h, w):
        return replace(reach, dims=(1, 2))
    if shape.rank == shape_before.rank:
        return reach
    return unknown(inputs, output)


def _repeated(reach: Reach, before: tuple[int | None, ...], after: tuple[int | None, ...]) -> Reach | None:
    """Nearest-neighbour upsampling, which Keras writes as (…, h, f, …) → (…, h·f, …): the axis and its copies."""
    if len(after) != len(before) - 1:
        return None
    assert reach.axes is not None
    for place, dim in enumerate(reach.dims):
        size, copies = before[dim], before[dim + 1] if dim + 1 < len(before) else None
        if not size or not copies or dim + 1 in reach.dims:
            continue
        if after == (*before[:dim], size * copies, *before[dim + 2 :]):
            axes = list(reach.axes)
            axes[place] = axes[place].finer(axes[place].stride / copies, 1)
            return replace(reach, axes=(axes[0], axes[1]), dims=tuple(other - (other > dim) for other in reach.dims))
    return None


def _expand_dims(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach, axis = inputs[0], constant(operation.inputs[1])
    if reach is None or axis is None:
        return unknown(inputs, output)
    rank = operation.inputs[0].shape.rank
    if reach.axes is None or rank is None:
        return reach
    new = int(axis) % (rank + 1)
    return replace(reach, dims=tuple(dim + (dim >= new) for dim in reach.dims))


def _are_rows(output: Any, channels: int | None) -> bool:
    """Whether the last axis still is the channels; a dense layer on a grid leaves it open in the graph."""
    if output.shape[-1] is not None:
        return bool(output.shape[-1] == channels)
    users = [user for user in output.consumers() if user.type == "MatMul"]
    return any(user.inputs[1].shape[0] == channels for user in users)


def _transpose(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    order = constant(operation.inputs[1])
    if reach is None or order is None:
        return unknown(inputs, output)
    if reach.axes is None:
        return reach
    places = [int(axis) for axis in order]
    return replace(reach, dims=tuple(places.index(dim) for dim in reach.dims))


def _product(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """A matrix product with weights mixes channels; one with another map (attention) mixes positions."""
    if sum(reach is not None for reach in inputs) > 1:
        return unknown(inputs, output)
    reach = _first(inputs)
    if reach.axes is None or inputs[0] is None:
        return reach if reach.axes is None else unknown(inputs, output)
    rank = operation.inputs[0].shape.rank
    if rank is None or output.shape.rank != rank or max(reach.dims) == rank - 1:
        return unknown(inputs, output)
    return reach


def _turned(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """Reversing or rolling: along the channels nothing moves; along the grid a cell looks somewhere else."""
    reach, axes, rank = inputs[0], constant(operation.inputs[-1]), output.shape.rank
    if reach is None or axes is None or rank is None:
        return unknown(inputs, output)
    turned = {int(axis) % rank for axis in np.atleast_1d(axes)}
    return unknown(inputs, output) if turned & set(reach.dims) else reach


def _opaque(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """A call of a compiled function: looked into where it holds one convolution or pooling."""
    inner = inner_graph(operation)
    if inner is None:
        return unknown(inputs, output)
    arguments = [i for i, reach in enumerate(inputs) if reach is not None]
    reach = inputs[arguments[0]]
    if len(arguments) != 1 or reach is None or not reach.spatial:
        return unknown(inputs, output)
    known = {inner.inputs[arguments[0]].name: reach}
    for inside in inner.get_operations():
        given = [known.get(tensor.name) for tensor in inside.inputs]
        if inside.type != "Shape" and any(given):
            for result in inside.outputs:
                after = _after(inside, given, result)
                if after is not None:
                    known[result.name] = after
    return known.get(inner.outputs[output.value_index].name) or unknown(inputs, output)


def inner_graph(operation: Any) -> Any:
    """The graph of the function that ``operation`` calls; None where TensorFlow does not hold it in Python."""
    try:
        name = operation.get_attr("f").name
        return operation.graph._functions[name].graph
    except (AttributeError, KeyError, ValueError):
        return None


_RULES: dict[str, Rule] = {
    **WINDOW_RULES,
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "All", "Any"), _reduction),
    "ConcatV2": _concat,
    "Reshape": _reshape,
    "ExpandDims": _expand_dims,
    "Transpose": _transpose,
    **dict.fromkeys(("ReverseV2", "Roll"), _turned),
    **dict.fromkeys(("MatMul", "BatchMatMulV2", "Einsum"), _product),
    **dict.fromkeys(("StatefulPartitionedCall", "PartitionedCall"), _opaque),
}
