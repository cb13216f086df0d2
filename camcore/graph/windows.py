"""The rules of operations that slide over a grid, widen it or shift it: convolution, pooling, padding, resizing.

They are those of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill, 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from camcore.graph.reach import Reach, Rule, constant, unknown
from camcore.lazy import tf

# (operation, the reach of its map, one output) → the output's reach; None where it is not understood.
_MapRule = Callable[["tf.Operation", Reach, "tf.Tensor"], "Reach | None"]


def _first_spatial(operation: tf.Operation) -> int:
    return 1 if _text(operation, "data_format") == "NHWC" else 2


def _text(operation: tf.Operation, name: str) -> str:
    value = operation.get_attr(name)
    return value.decode() if isinstance(value, bytes) else str(value)


def attribute_axes(operation: tf.Operation, name: str) -> tuple[int, int]:
    """The two spatial entries of an operation's list attribute, such as ``strides`` or ``ksize``."""
    first, values = _first_spatial(operation), operation.get_attr(name)
    return int(values[first]), int(values[first + 1])


def padding_of(operation: tf.Operation) -> str:
    """``SAME``, ``VALID`` or ``EXPLICIT``."""
    return _text(operation, "padding")


def _padding_before(
    operation: tf.Operation, reach: Reach, kernel: tuple[int, int], step: tuple[int, int], dilation: tuple[int, int]
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
    operation: tf.Operation, reach: Reach, kernel: tuple[int, int], step: tuple[int, int], dilation: tuple[int, int]
) -> Reach:
    before = _padding_before(operation, reach, kernel, step, dilation)
    return reach.with_axes(
        [axis.window(kernel[i], step[i], dilation[i], before[i]) for i, axis in enumerate(reach.axes)]
    )


def _convolution(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    kernel = operation.inputs[1].shape
    if kernel.rank != 4:
        return None
    size = (int(kernel[0]), int(kernel[1]))
    return _slide(operation, reach, size, attribute_axes(operation, "strides"), attribute_axes(operation, "dilations"))


def _pool(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    kernel = attribute_axes(operation, "ksize")
    return _slide(operation, reach, kernel, attribute_axes(operation, "strides"), (1, 1))


def _cut_patches(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    """The pixels of each window side by side as channels."""
    kernel, step, rate = (operation.get_attr(name)[1:3] for name in ("ksizes", "strides", "rates"))
    axes = []
    for i, axis in enumerate(reach.axes):
        before = same_padding(reach.grid[i], kernel[i], step[i], rate[i]) if padding_of(operation) == "SAME" else 0.0
        axes.append(axis.window(kernel[i], step[i], rate[i], before))
    return reach.with_axes(axes) if set(reach.dims) == {1, 2} else None


def _transposed_convolution(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    kernel = operation.inputs[1].shape
    if kernel.rank != 4:
        return None
    steps = attribute_axes(operation, "strides")
    axes = []
    for i, axis in enumerate(reach.axes):
        fine = axis.stride / steps[i]
        size, side = int(kernel[i]), output.shape[reach.dims[i]]
        before = same_padding(side, size, steps[i], 1) if padding_of(operation) == "SAME" else 0.0
        wide = axis.size + (size - 1) * abs(fine)
        axes.append(replace(axis, stride=fine, size=wide, centre=axis.centre + (before - (size - 1) / 2) * fine))
    return reach.with_axes(axes)


def _pad(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    pads = constant(operation.inputs[1])
    if pads is None:
        return None
    axes = [axis.moved(-float(pads[dim][0])) for axis, dim in zip(reach.axes, reach.dims, strict=True)]
    return reach.with_axes(axes)


_NEIGHBOURS = {"ResizeNearestNeighbor": 1, "ResizeBilinear": 2, "ResizeBicubic": 4}


def _resize(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    axes = []
    for i, axis in enumerate(reach.axes):
        before, after = reach.grid[i], output.shape[reach.dims[i]]
        if not before or not after:
            return None
        factor = after / before
        fine = axis.stride / factor
        neighbours = _NEIGHBOURS[operation.type] if factor != 1 else 1
        axes.append(axis.finer(fine, neighbours))
    return reach.with_axes(axes)


def _space_to_batch(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    """One half of a dilated convolution: cells ``block`` apart become neighbours."""
    block = constant(operation.inputs[1])
    if block is None or len(block) != 2:
        return None
    pads = constant(operation.inputs[2])
    before = [0.0, 0.0] if pads is None else [-float(pads[0][0]), -float(pads[1][0])]
    return reach.with_axes([axis.moved(before[i], int(block[i])) for i, axis in enumerate(reach.axes)])


def _batch_to_space(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    block = constant(operation.inputs[1])
    if block is None or len(block) != 2:
        return None
    return reach.with_axes([replace(axis, stride=axis.stride / int(block[i])) for i, axis in enumerate(reach.axes)])


def _depth_to_space(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    """Each cell's channels become ``block_size`` × ``block_size`` cells (pixel shuffle), which all see what it saw."""
    block = int(operation.get_attr("block_size"))
    return reach.with_axes([axis.finer(axis.stride / block, 1) for axis in reach.axes])


def _space_to_depth(operation: tf.Operation, reach: Reach, output: tf.Tensor) -> Reach | None:
    block = int(operation.get_attr("block_size"))
    return reach.with_axes([axis.window(block, block, 1, 0) for axis in reach.axes])


def map_input(operation: tf.Operation) -> int:
    """The place among its inputs at which one of GRID_OPERATIONS takes its map."""
    return 2 if operation.type == "Conv2DBackpropInput" else 0


def _window_rule(rule: _MapRule) -> Rule:
    """The rule for an operation of one map. ``rule`` gets rows before columns, also where the picture was turned."""

    def applied(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
        reach = inputs[map_input(operation)]
        if reach is None or not reach.spatial:
            return unknown(inputs)
        turned = reach.dims[0] > reach.dims[1]
        result = rule(operation, reach.turned() if turned else reach, output)
        if result is None:
            return unknown(inputs)
        return result.turned() if turned else result

    return applied


_WINDOWS: dict[str, _MapRule] = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(("MaxPool", "AvgPool"), _pool),
    "ExtractImagePatches": _cut_patches,
    "Conv2DBackpropInput": _transposed_convolution,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    **dict.fromkeys(("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"), _resize),
    "SpaceToBatchND": _space_to_batch,
    "BatchToSpaceND": _batch_to_space,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
WINDOW_RULES = {kind: _window_rule(rule) for kind, rule in _WINDOWS.items()}
# Those that say which axes of a tensor of rank 4 are its grid, in an attribute or by their kind.
GRID_OPERATIONS = frozenset(_WINDOWS) - {"Pad", "PadV2", "MirrorPad", "SpaceToBatchND", "BatchToSpaceND"}


def grid_axes(operation: tf.Operation) -> tuple[int, int]:
    """The two axes that one of GRID_OPERATIONS takes for rows and columns."""
    if operation.type.startswith("Resize") or operation.type == "ExtractImagePatches":
        return 1, 2
    first = _first_spatial(operation)
    return first, first + 1
