"""Which part of the input each cell of each feature map can see, walked through the traced graph.

For every tensor that depends on the picture the walk keeps, per axis, the *stride* (how far apart in input
pixels the centres of two neighbouring cells lie), the *size* of the receptive field and the *centre* of the
first cell (the input pixel's centre 0 is 0.0; it follows the padding and may lie outside the picture). The
rules are those of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks"
(Distill, 2019); branches that meet are united.

A tensor that was averaged over all positions sees the whole picture. Where it later multiplies a feature map
(squeeze and excitation) the map keeps its local field, and ``whole_picture`` says that a gate sees more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Axis:
    """One spatial axis of a feature map, in input pixels."""

    stride: float = 1.0
    size: float = 1.0
    centre: float = 0.0

    def window(self, kernel: int, step: int, dilation: int, before: float) -> Axis:
        """After a sliding window of ``kernel`` taps that starts ``before`` cells outside the map."""
        reach = (kernel - 1) * dilation
        return Axis(
            self.stride * step,
            self.size + reach * self.stride,
            self.centre + (reach / 2 - before) * self.stride,
        )

    def finer(self, fine: float, neighbours: int) -> Axis:
        """After resizing to cells ``fine`` apart that each draw on so many neighbours.

        A new cell does not lie at the centre of those it draws on; the field holds them on either side.
        """
        around = max(neighbours * self.stride - fine, (neighbours - 1) * self.stride)
        return Axis(fine, self.size + around, self.centre - self.stride / 2 + fine / 2)

    def union(self, other: Axis) -> Axis:
        """The smallest field that holds both."""
        low = min(self.centre - self.size / 2, other.centre - other.size / 2)
        high = max(self.centre + self.size / 2, other.centre + other.size / 2)
        return Axis(max(self.stride, other.stride), high - low, (low + high) / 2)


@dataclass(frozen=True)
class Reach:
    """What the cells of one tensor see. ``axes`` None: the tensor has no grid any more (pooled, flattened)."""

    axes: tuple[Axis, Axis] | None
    grid: tuple[int | None, int | None] = (None, None)
    dims: tuple[int, ...] = ()  # which axes of the tensor are spatial; one entry where both were merged
    whole_picture: bool = False
    known: bool = True  # False behind an operation whose geometry is not understood

    @property
    def spatial(self) -> bool:
        """True while the tensor has two separate spatial axes."""
        return self.axes is not None and len(self.dims) == 2


_POOLED = Reach(None, whole_picture=True)


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


def _unknown(inputs: list[Reach | None], output: Any) -> Reach:
    """Behind something that is not understood: a grid where the shape has one, but no field."""
    given = [reach for reach in inputs if reach is not None]
    if all(reach.axes is None for reach in given):  # no place is left that could be mistaken
        return replace(_POOLED, known=all(reach.known for reach in given))
    if given[0].spatial and output.shape.rank == 4:
        return replace(given[0], known=False, whole_picture=True)
    return replace(_POOLED, known=False)


def _pointwise(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """Each output cell depends on the same cell of every input; maps of one cell are gates on all cells."""
    given = [reach for reach in inputs if reach is not None]
    rank = output.shape.rank
    maps = [reach for reach in given if reach.axes is not None]
    if not maps:
        return replace(_POOLED, known=all(reach.known for reach in given))
    largest = max(maps, key=lambda reach: _cells(reach.grid))
    if largest.spatial and (rank is None or rank < 3):
        return _unknown(inputs, output)
    if largest.spatial and rank is not None:
        shape = tuple(output.shape[dim] for dim in largest.dims if dim < rank)
        if shape != largest.grid:
            return _unknown(inputs, output)
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


def _first_spatial(operation: Any) -> int:
    return 1 if _text(operation, "data_format") == "NHWC" else 2


def _text(operation: Any, name: str) -> str:
    value = operation.get_attr(name)
    return value.decode() if isinstance(value, bytes) else str(value)


def attribute_axes(operation: Any, name: str) -> tuple[int, int]:
    """The two spatial entries of an operation's list attribute, such as ``strides`` or ``ksize``."""
    first, values = _first_spatial(operation), operation.get_attr(name)
    return int(values[first]), int(values[first + 1])


def padding_of(operation: Any) -> str:
    """``SAME``, ``VALID`` or ``EXPLICIT``."""
    return _text(operation, "padding")


def _padding_before(
    operation: Any, reach: Reach, kernel: tuple[int, int], step: tuple[int, int], dilation: tuple[int, int]
) -> tuple[float, float]:
    padding = padding_of(operation)
    if padding == "EXPLICIT":
        pairs, first = operation.get_attr("explicit_paddings"), _first_spatial(operation)
        return float(pairs[2 * first]), float(pairs[2 * first + 2])
    if padding == "VALID":
        return 0.0, 0.0
    return (
        same_padding(reach.grid[0], kernel[0], step[0], dilation[0]),
        same_padding(reach.grid[1], kernel[1], step[1], dilation[1]),
    )


def same_padding(side: int | None, kernel: int, step: int, dilation: int) -> float:
    """Cells that TensorFlow's SAME padding adds before the first; the smaller half comes first."""
    reach = (kernel - 1) * dilation + 1
    if side is None:  # an open input size: as where the side is a multiple of the step
        return float(max(reach - step, 0) // 2)
    cells = -(-side // step)
    return float(max((cells - 1) * step + reach - side, 0) // 2)


def _slide(
    operation: Any, reach: Reach, kernel: tuple[int, int], step: tuple[int, int], dilation: tuple[int, int]
) -> Reach:
    assert reach.axes is not None
    before = _padding_before(operation, reach, kernel, step, dilation)
    first, second = (axis.window(kernel[i], step[i], dilation[i], before[i]) for i, axis in enumerate(reach.axes))
    return replace(reach, axes=(first, second))


def _convolution(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    kernel = operation.inputs[1].shape
    if reach is None or not reach.spatial or kernel.rank != 4:
        return _unknown(inputs, output)
    size = (int(kernel[0]), int(kernel[1]))
    return _slide(operation, reach, size, attribute_axes(operation, "strides"), attribute_axes(operation, "dilations"))


def _pool(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None or not reach.spatial:
        return _unknown(inputs, output)
    kernel = attribute_axes(operation, "ksize")
    return _slide(operation, reach, kernel, attribute_axes(operation, "strides"), (1, 1))


def _transposed_convolution(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[2]
    kernel = operation.inputs[1].shape
    if reach is None or not reach.spatial or reach.axes is None or kernel.rank != 4:
        return _unknown(inputs, output)
    steps = attribute_axes(operation, "strides")
    axes = []
    for i, axis in enumerate(reach.axes):
        fine = axis.stride / steps[i]
        size, side = int(kernel[i]), output.shape[reach.dims[i]]
        before = same_padding(side, size, steps[i], 1) if padding_of(operation) == "SAME" else 0.0
        axes.append(Axis(fine, axis.size + (size - 1) * fine, axis.centre + (before - (size - 1) / 2) * fine))
    return replace(reach, axes=(axes[0], axes[1]))


def constant(tensor: Any) -> np.ndarray | None:
    """The value of a symbolic tensor that the graph fixes; None where it depends on anything."""
    import tensorflow as tf

    return tf.get_static_value(tensor)


def _pad(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    pads = constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or pads is None:
        return _unknown(inputs, output)
    return _moved(reach, [-float(pads[dim][0]) for dim in reach.dims])


def _moved(reach: Reach, cells: list[float], steps: tuple[int, int] = (1, 1)) -> Reach:
    """The grid starts ``cells`` later and takes every ``steps``-th cell."""
    assert reach.axes is not None
    first, second = (
        Axis(axis.stride * steps[i], axis.size, axis.centre + cells[i] * axis.stride)
        for i, axis in enumerate(reach.axes)
    )
    return replace(reach, axes=(first, second))


def _strided_slice(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    begin, end, step = (constant(tensor) for tensor in operation.inputs[1:4])
    shrinks = operation.get_attr("shrink_axis_mask") or operation.get_attr("new_axis_mask")
    if reach is None or not reach.spatial or begin is None or end is None or step is None or shrinks:
        return _unknown(inputs, output)
    starts: list[float] = []
    steps: list[int] = []
    open_start, ellipsis = operation.get_attr("begin_mask"), operation.get_attr("ellipsis_mask")
    for axis, dim in enumerate(reach.dims):
        place = _place_in_slice(dim, len(begin), ellipsis, operation.inputs[0].shape.rank)
        if place is None:
            starts.append(0.0)
            steps.append(1)
            continue
        stride, side = int(step[place]), reach.grid[axis]
        if stride < 1:
            return _unknown(inputs, output)
        start = 0 if open_start >> place & 1 else int(begin[place])
        if start < 0:
            if side is None:
                return _unknown(inputs, output)
            start += side
        starts.append(float(start))
        steps.append(stride)
    return _moved(reach, starts, (steps[0], steps[1]))


def _place_in_slice(dim: int, entries: int, ellipsis: int, rank: int) -> int | None:
    """Which entry of a slice such as ``[..., :1]`` speaks of axis ``dim``; None: it takes the whole axis."""
    if not ellipsis:
        return dim if dim < entries else None
    dots = ellipsis.bit_length() - 1
    if dim < dots:
        return dim
    place = entries - (rank - dim)
    return place if place > dots else None


def _slice(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    begin = constant(operation.inputs[1])
    if reach is None or not reach.spatial or begin is None:
        return _unknown(inputs, output)
    return _moved(reach, [float(begin[dim]) for dim in reach.dims])


def _reduction(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    axes = constant(operation.inputs[1])
    if reach is None or axes is None:
        return _unknown(inputs, output)
    if reach.axes is None:
        return reach
    rank = operation.inputs[0].shape.rank
    reduced = {int(axis) % rank for axis in np.atleast_1d(axes)}
    if reduced & set(reach.dims):
        return _POOLED
    if operation.get_attr("keep_dims"):
        return reach
    return replace(reach, dims=tuple(dim - sum(axis < dim for axis in reduced) for dim in reach.dims))


def _concat(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    axis = constant(operation.inputs[-1])
    maps = inputs[:-1]
    first = _first(maps)
    if axis is None or (first.spatial and int(axis) % output.shape.rank in first.dims):
        return _unknown(inputs, output)
    return _pointwise(operation, maps, output)


_NEIGHBOURS = {"ResizeNearestNeighbor": 1, "ResizeBilinear": 2, "ResizeBicubic": 4}


def _resize(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None or not reach.spatial or reach.axes is None:
        return _unknown(inputs, output)
    axes = []
    for i, axis in enumerate(reach.axes):
        before, after = reach.grid[i], output.shape[reach.dims[i]]
        if not before or not after:
            return _unknown(inputs, output)
        factor = after / before
        fine = axis.stride / factor
        neighbours = _NEIGHBOURS[operation.type] if factor != 1 else 1
        axes.append(axis.finer(fine, neighbours))
    return replace(reach, axes=(axes[0], axes[1]))


def _reshape(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None:  # only the wanted shape depends on the picture
        return None
    shape_before, shape = operation.inputs[0].shape, output.shape
    if reach.axes is None:
        return reach
    if shape.rank is None or shape_before.rank is None:
        return _unknown(inputs, output)
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
        return _POOLED if _cells(reach.grid) > 1 else replace(_POOLED, whole_picture=reach.whole_picture)
    if shape.rank == 4 and (shape[1], shape[2]) == (h, w):
        return replace(reach, dims=(1, 2))
    if shape.rank == shape_before.rank:
        return reach
    return _unknown(inputs, output)


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
        return _unknown(inputs, output)
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
        return _unknown(inputs, output)
    if reach.axes is None:
        return reach
    places = [int(axis) for axis in order]
    return replace(reach, dims=tuple(places.index(dim) for dim in reach.dims))


def _product(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """A matrix product with weights mixes channels; one with another map (attention) mixes positions."""
    if sum(reach is not None for reach in inputs) > 1:
        return _unknown(inputs, output)
    reach = _first(inputs)
    if reach.axes is None or inputs[0] is None:
        return reach if reach.axes is None else _unknown(inputs, output)
    rank = operation.inputs[0].shape.rank
    if rank is None or output.shape.rank != rank or max(reach.dims) == rank - 1:
        return _unknown(inputs, output)
    return reach


def _space_to_batch(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """One half of a dilated convolution: cells ``block`` apart become neighbours."""
    reach, block = inputs[0], constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or block is None or len(block) != 2:
        return _unknown(inputs, output)
    pads = constant(operation.inputs[2])
    before = [0.0, 0.0] if pads is None else [-float(pads[0][0]), -float(pads[1][0])]
    return _moved(reach, before, (int(block[0]), int(block[1])))


def _batch_to_space(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach, block = inputs[0], constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or block is None or len(block) != 2:
        return _unknown(inputs, output)
    first, second = (replace(axis, stride=axis.stride / int(block[i])) for i, axis in enumerate(reach.axes))
    return replace(reach, axes=(first, second))


def _opaque(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """A call of a compiled function: looked into where it holds one convolution or pooling."""
    inner = _inner_graph(operation)
    if inner is None:
        return _unknown(inputs, output)
    arguments = [i for i, reach in enumerate(inputs) if reach is not None]
    reach = inputs[arguments[0]]
    if len(arguments) != 1 or reach is None or not reach.spatial:
        return _unknown(inputs, output)
    known = {inner.inputs[arguments[0]].name: reach}
    for inside in inner.get_operations():
        given = [known.get(tensor.name) for tensor in inside.inputs]
        if inside.type != "Shape" and any(given):
            for result in inside.outputs:
                after = _after(inside, given, result)
                if after is not None:
                    known[result.name] = after
    return known.get(inner.outputs[output.value_index].name) or _unknown(inputs, output)


def _inner_graph(operation: Any) -> Any:
    """The graph of the function that ``operation`` calls; None where TensorFlow does not hold it in Python."""
    try:
        name = operation.get_attr("f").name
        return operation.graph._functions[name].graph
    except (AttributeError, KeyError, ValueError):
        return None


_Rule = Callable[[Any, "list[Reach | None]", Any], "Reach | None"]
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(("MaxPool", "AvgPool"), _pool),
    "Conv2DBackpropInput": _transposed_convolution,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "All", "Any"), _reduction),
    "ConcatV2": _concat,
    **dict.fromkeys(("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"), _resize),
    "Reshape": _reshape,
    "ExpandDims": _expand_dims,
    "Transpose": _transpose,
    **dict.fromkeys(("MatMul", "BatchMatMulV2", "Einsum"), _product),
    "SpaceToBatchND": _space_to_batch,
    "BatchToSpaceND": _batch_to_space,
    **dict.fromkeys(("StatefulPartitionedCall", "PartitionedCall"), _opaque),
}
