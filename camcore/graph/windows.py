"""The rules of operations that slide over a grid, widen it or shift it: convolution, pooling, padding, resizing.

They are those of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill, 2019).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from camcore.graph.reach import Reach, Rule, constant, unknown


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
    return reach.with_axes(
        [axis.window(kernel[i], step[i], dilation[i], before[i]) for i, axis in enumerate(reach.axes)]
    )


def _convolution(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    kernel = operation.inputs[1].shape
    if reach is None or not reach.spatial or kernel.rank != 4:
        return unknown(inputs)
    size = (int(kernel[0]), int(kernel[1]))
    return _slide(operation, reach, size, attribute_axes(operation, "strides"), attribute_axes(operation, "dilations"))


def _pool(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None or not reach.spatial:
        return unknown(inputs)
    kernel = attribute_axes(operation, "ksize")
    return _slide(operation, reach, kernel, attribute_axes(operation, "strides"), (1, 1))


def _transposed_convolution(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[2]
    kernel = operation.inputs[1].shape
    if reach is None or not reach.spatial or reach.axes is None or kernel.rank != 4:
        return unknown(inputs)
    steps = attribute_axes(operation, "strides")
    axes = []
    for i, axis in enumerate(reach.axes):
        fine = axis.stride / steps[i]
        size, side = int(kernel[i]), output.shape[reach.dims[i]]
        before = same_padding(side, size, steps[i], 1) if padding_of(operation) == "SAME" else 0.0
        wide = axis.size + (size - 1) * abs(fine)
        axes.append(replace(axis, stride=fine, size=wide, centre=axis.centre + (before - (size - 1) / 2) * fine))
    return reach.with_axes(axes)


def _pad(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    pads = constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or pads is None:
        return unknown(inputs)
    axes = [axis.moved(-float(pads[dim][0])) for axis, dim in zip(reach.axes, reach.dims, strict=True)]
    return reach.with_axes(axes)


_NEIGHBOURS = {"ResizeNearestNeighbor": 1, "ResizeBilinear": 2, "ResizeBicubic": 4}


def _resize(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach = inputs[0]
    if reach is None or not reach.spatial or reach.axes is None:
        return unknown(inputs)
    axes = []
    for i, axis in enumerate(reach.axes):
        before, after = reach.grid[i], output.shape[reach.dims[i]]
        if not before or not after:
            return unknown(inputs)
        factor = after / before
        fine = axis.stride / factor
        neighbours = _NEIGHBOURS[operation.type] if factor != 1 else 1
        axes.append(axis.finer(fine, neighbours))
    return reach.with_axes(axes)


def _space_to_batch(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """One half of a dilated convolution: cells ``block`` apart become neighbours."""
    reach, block = inputs[0], constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or block is None or len(block) != 2:
        return unknown(inputs)
    pads = constant(operation.inputs[2])
    before = [0.0, 0.0] if pads is None else [-float(pads[0][0]), -float(pads[1][0])]
    return reach.with_axes([axis.moved(before[i], int(block[i])) for i, axis in enumerate(reach.axes)])


def _batch_to_space(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach, block = inputs[0], constant(operation.inputs[1])
    if reach is None or not reach.spatial or reach.axes is None or block is None or len(block) != 2:
        return unknown(inputs)
    return reach.with_axes([replace(axis, stride=axis.stride / int(block[i])) for i, axis in enumerate(reach.axes)])


def _depth_to_space(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    """Each cell's channels become ``block_size`` × ``block_size`` cells (pixel shuffle), which all see what it saw."""
    reach, block = inputs[0], int(operation.get_attr("block_size"))
    if reach is None or not reach.spatial or reach.axes is None:
        return unknown(inputs)
    return reach.with_axes([axis.finer(axis.stride / block, 1) for axis in reach.axes])


def _space_to_depth(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
    reach, block = inputs[0], int(operation.get_attr("block_size"))
    if reach is None or not reach.spatial or reach.axes is None:
        return unknown(inputs)
    return reach.with_axes([axis.window(block, block, 1, 0) for axis in reach.axes])


def _upright(rule: Rule) -> Rule:
    """A rule for rows before columns, made fit for a network that turned its picture: there columns come first."""

    def turned(reach: Reach) -> Reach:
        assert reach.axes is not None
        return replace(reach, axes=reach.axes[::-1], grid=reach.grid[::-1], dims=reach.dims[::-1])

    def applied(operation: Any, inputs: list[Reach | None], output: Any) -> Reach | None:
        given = [reach for reach in inputs if reach is not None]
        if not all(reach.spatial and reach.dims[0] > reach.dims[1] for reach in given):
            return rule(operation, inputs, output)
        result = rule(operation, [reach and turned(reach) for reach in inputs], output)
        return turned(result) if result is not None and result.spatial else result

    return applied


_WINDOWS: dict[str, Rule] = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(("MaxPool", "AvgPool"), _pool),
    "Conv2DBackpropInput": _transposed_convolution,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    **dict.fromkeys(("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"), _resize),
    "SpaceToBatchND": _space_to_batch,
    "BatchToSpaceND": _batch_to_space,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
WINDOW_RULES = {kind: _upright(rule) for kind, rule in _WINDOWS.items()}
# Those that say which axes of a tensor of rank 4 are its grid, in an attribute or by their kind.
GRID_OPERATIONS = frozenset(_WINDOWS) - {"Pad", "PadV2", "MirrorPad", "SpaceToBatchND", "BatchToSpaceND"}


def grid_axes(operation: Any) -> tuple[int, int]:
    """The two axes that one of GRID_OPERATIONS takes for rows and columns."""
    if operation.type.startswith("Resize"):
        return 1, 2
    first = _first_spatial(operation)
    return first, first + 1
