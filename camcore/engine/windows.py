"""What an operation that slides over a grid, widens or shifts it does to what its cells see.

For every tensor the *reach* keeps, per axis, the *stride* (how far apart in input pixels the centres of two
neighbouring cells lie), the *size* of the receptive field and the *centre* of the first cell (the input pixel's
centre 0 is 0.0; it follows the padding and may lie outside the picture). The rules are those of Araujo, Norris and
Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill, 2019).
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

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Where a spatial tensor of rank 4 keeps its images, rows, columns and channels."""
        rows, columns = self.dims
        return 0, rows, columns, 6 - rows - columns


# A rule: (operation, the reach of each input, one output) → the output's reach.
Rule = Callable[[Any, "list[Reach | None]", Any], "Reach | None"]

POOLED = Reach(None, whole_picture=True)


def unknown(inputs: list[Reach | None], output: Any) -> Reach:
    """Behind something that is not understood: a grid where the shape has one, but no field."""
    given = [reach for reach in inputs if reach is not None]
    if all(reach.axes is None for reach in given):  # no place is left that could be mistaken
        return replace(POOLED, known=all(reach.known for reach in given))
    if given[0].spatial and output.shape.rank == 4:
        return replace(given[0], known=False, whole_picture=True)
    return replace(POOLED, known=False)


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
    if reach.dims[0] > reach.dims[1]:  # a network that turned its picture: its first axis are the columns
        turned = replace(reach, axes=reach.axes[::-1], grid=reach.grid[::-1], dims=reach.dims[::-1])
        slid = _slide(operation, turned, kernel, step, dilation)
        assert slid.axes is not None
        return replace(reach, axes=slid.axes[::-1])
    before = _padding_before(operation, reach, kernel, step, dilation)
    first, second = (axis.window(kernel[i], step[i], dilation[i], before[i]) for i, axis in enumerate(reach.axes))
    return replace(reach, axes=(first, second))


def _convolution(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    kernel = operation.inputs[1].shape
    if reach is None or not reach.spatial or kernel.rank != 4:
        return unknown(inputs, output)
    size = (int(kernel[0]), int(kernel[1]))
    return _slide(operation, reach, size, attribute_axes(operation, "strides"), attribute_axes(operation, "dilations"))


def _pool(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None or not reach.spatial:
        return unknown(inputs, output)
    kernel = attribute_axes(operation, "ksize")
    return _slide(operation, reach, kernel, attribute_axes(operation, "strides"), (1, 1))


def _transposed_convolution(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[2]
    kernel = operation.inputs[1].shape
    if reach is None or not reach.spatial or reach.axes is None or kernel.rank != 4:
        return unknown(inputs, output)
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
        return unknown(inputs, output)
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
        return unknown(inputs, output)
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
            return unknown(inputs, output)
        start = 0 if open_start >> place & 1 else int(begin[place])
        if start < 0:
            if side is None:
                return unknown(inputs, output)
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
        return unknown(inputs, output)
    return _moved(reach, [float(begin[dim]) for dim in reach.dims])


_NEIGHBOURS = {"ResizeNearestNeighbor": 1, "ResizeBilinear": 2, "ResizeBicubic": 4}


def _resize(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None or not reach.spatial or reach.axes is None:
        return unknown(inputs, output)
    axes = []
    for i, axis in enumerate(reach.axes):
        before, after = reach.grid[i], output.shape[reach.dims[i]]
        if not before or not after:
            return unknown(inputs, output)
        factor = after / before
        fine = axis.stride / factor
        neighbours = _NEIGHBOURS[operation.type] if factor != 1 else 1
        axes.append(axis.finer(fine, neighbours))
    return replace(reach, axes=(axes[0], axes[1]))


def _space_to_batch(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """One half of a dilated convolution: cells ``block`` apart become neighbours."""
    reach, block = inputs[0], constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or block is None or len(block) != 2:
        return unknown(inputs, output)
    pads = constant(operation.inputs[2])
    before = [0.0, 0.0] if pads is None else [-float(pads[0][0]), -float(pads[1][0])]
    return _moved(reach, before, (int(block[0]), int(block[1])))


def _batch_to_space(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach, block = inputs[0], constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or block is None or len(block) != 2:
        return unknown(inputs, output)
    first, second = (replace(axis, stride=axis.stride / int(block[i])) for i, axis in enumerate(reach.axes))
    return replace(reach, axes=(first, second))


WINDOW_RULES: dict[str, Rule] = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(("MaxPool", "AvgPool"), _pool),
    "Conv2DBackpropInput": _transposed_convolution,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    "StridedSlice": _strided_slice,
    "Slice": _slice,
    **dict.fromkeys(("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"), _resize),
    "SpaceToBatchND": _space_to_batch,
    "BatchToSpaceND": _batch_to_space,
}
