"""The rules of operations that combine maps: each cell with the same cell of another, channels, or places.

Sums and products, reductions, stacks and concatenations, matrix products and attention. Maps of one grid are united;
what was averaged over all places, and joins a map again, is a gate.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from camcore.graph.reach import LOST, POOLED, Axis, Reach, Rule, constant, unknown
from camcore.lazy import tf

REDUCTIONS = ("Mean", "Sum", "Max", "Min", "Prod", "All", "Any")

# The same cell of every input makes each cell of the output.
POINTWISE = (
    "Abs", "Acos", "Acosh", "Add", "AddN", "AddV2", "AdjustHue", "AdjustSaturation", "Angle", "ApproximateEqual",
    "Asin", "Asinh", "Atan", "Atan2", "Atanh", "BiasAdd", "Bitcast", "Cast", "Ceil", "CheckNumerics", "ClipByValue",
    "Complex", "ComplexAbs", "Conj", "Cos", "Cosh", "DebugIdentity", "Digamma", "Div", "DivNoNan", "Elu",
    "EnsureShape", "Equal", "Erf", "Erfc", "Erfinv", "Exp", "Expm1", "FakeQuantWithMinMaxArgs",
    "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel", "Floor", "FloorDiv", "FloorMod", "FusedBatchNorm",
    "FusedBatchNormV2", "FusedBatchNormV3", "Greater", "GreaterEqual", "HSVToRGB", "Identity", "Igamma", "Imag",
    "Inv", "Invert", "IsFinite", "IsInf", "IsNan", "LeakyRelu", "Less", "LessEqual", "Lgamma", "Log", "Log1p",
    "LogicalAnd", "LogicalNot", "LogicalOr", "Maximum", "Minimum", "Mod", "Mul", "MulNoNan", "Ndtri", "Neg",
    "NotEqual", "OnesLike", "Pow", "PreventGradient", "QuantizeAndDequantizeV2", "QuantizeAndDequantizeV3",
    "QuantizeAndDequantizeV4", "RGBToHSV", "Real", "RealDiv", "Reciprocal", "Relu", "Relu6", "Rint", "Round", "Rsqrt",
    "Select", "SelectV2", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Snapshot", "Softplus", "Softsign", "Sqrt",
    "Square", "SquaredDifference", "StopGradient", "Sub", "Tan", "Tanh", "TruncateDiv", "TruncateMod", "Xdivy",
    "Xlog1py", "Xlogy", "ZerosLike",
)  # fmt: skip


def _first(inputs: list[Reach | None]) -> Reach:
    return next(reach for reach in inputs if reach is not None)


def _pointwise(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """Each output cell depends on the same cell of every input; maps of one cell are gates on all cells."""
    rank = output.shape.rank
    given = [
        reach if not reach.axes or rank is None else _aligned(reach, rank - (tensor.shape.rank or rank))
        for tensor, reach in zip(operation.inputs, inputs, strict=True)
        if reach is not None
    ]
    maps = [reach for reach in given if reach.axes]
    if not maps:
        return LOST if any(reach.lost for reach in given) else replace(POOLED, known=all(r.known for r in given))
    largest = max(maps, key=lambda reach: (reach.cells, not reach.nominal, reach.located))
    if largest.spatial and (rank is None or rank < 3):
        return unknown(inputs)
    if largest.spatial and rank is not None:
        shape = tuple(output.shape[dim] for dim in largest.dims if dim < rank)
        if shape != largest.grid:
            return unknown(inputs)
    result = largest
    for reach in given:
        if reach is not largest:
            result = united(result, reach)
    return result


def _aligned(reach: Reach, grown: int) -> Reach:
    """The same where broadcasting puts ``grown`` axes before the tensor's own."""
    return replace(reach, dims=tuple(dim + grown for dim in reach.dims)) if grown > 0 else reach


def united(result: Reach, other: Reach) -> Reach:
    """A map joined by another one: a grid of its own adds its field, anything else is a gate."""
    if not other.axes or other.grid != result.grid:
        return replace(result, whole_picture=True, known=result.known and other.known)
    turned = other.dims != result.dims or any(map(Axis.opposes, result.axes, other.axes))
    if turned or not other.located:  # what the two look at are different places
        return replace(result, whole_picture=True, known=False)
    return replace(
        result,
        axes=(result.axes[0].union(other.axes[0]), result.axes[1].union(other.axes[1])),
        whole_picture=result.whole_picture or other.whole_picture,
        known=result.known and other.known,
        located=result.located and other.located,
        nominal=result.nominal and other.nominal,
    )


def _reduction(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach = inputs[0]
    axes = constant(operation.inputs[1])
    if reach is None or axes is None:
        return unknown(inputs)
    if not reach.axes:
        return reach
    rank = operation.inputs[0].shape.rank
    reduced = {int(axis) % rank for axis in np.atleast_1d(axes)}
    if reduced & set(reach.dims):
        return POOLED
    if operation.get_attr("keep_dims"):
        return reach
    return replace(reach, dims=tuple(dim - sum(axis < dim for axis in reduced) for dim in reach.dims))


def _arg_reduction(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    reach, axis, rank = inputs[0], constant(operation.inputs[1]), operation.inputs[0].shape.rank
    if reach is None or axis is None or rank is None or not reach.axes:
        return unknown(inputs)
    gone = int(axis) % rank
    return POOLED if gone in reach.dims else replace(reach, dims=tuple(dim - (dim > gone) for dim in reach.dims))


def _concat(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    axis = constant(operation.inputs[-1])
    first = _first(inputs[:-1])
    if axis is None:
        return unknown(inputs)
    where = int(axis) % output.shape.rank
    if first.axes and where in first.dims:
        return _end_to_end(operation, inputs[:-1], where)
    return _pointwise(operation, [*inputs[:-1], None], output)


def _end_to_end(operation: tf.Operation, inputs: list[Reach | None], where: int) -> Reach | None:
    """Pieces of one grid concatenated along one of its axes, with constant borders perhaps."""
    whole: Reach | None = None
    before = 0
    for tensor, reach in zip(operation.inputs, inputs, strict=False):
        side = tensor.shape[where]
        if reach is not None:
            if not reach.spatial or (whole is not None and reach.dims != whole.dims):
                return unknown(inputs)
            position = reach.dims.index(where)
            axes = list(reach.axes)
            axes[position] = axes[position].moved(-before)
            moved = reach.with_axes(axes)
            if whole is not None and any(_apart(a, b) for a, b in zip(axes, whole.axes, strict=True)):
                return unknown(inputs)
            whole = moved if whole is None else united(replace(moved, grid=whole.grid), whole)
        if side is None:
            return unknown(inputs)
        before += side
    return whole


def _apart(one: Axis, other: Axis) -> bool:
    return one.stride != other.stride or abs(one.centre - other.centre) > 1e-6


def _pack(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """A stack along a new axis: maps of the same grid are united."""
    rank, first = output.shape.rank, _first(inputs)
    if rank is None or not first.axes:
        return unknown(inputs)
    result = first
    for reach in inputs:
        if reach is not None and reach is not first:
            if not reach.axes or reach.dims != first.dims or reach.grid != first.grid:
                return unknown(inputs)
            result = united(result, reach)
    axis = operation.get_attr("axis") % rank
    return replace(result, dims=tuple(dim + (dim >= axis) for dim in result.dims))


def _along_one_axis(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """A softmax or a running sum: along the channels nothing moves; along the grid each cell hears of others."""
    reach, rank = inputs[0], output.shape.rank
    given = constant(operation.inputs[1]) if len(operation.inputs) > 1 else -1
    if reach is None or rank is None or given is None:
        return unknown(inputs)
    if not reach.axes or int(given) % rank not in reach.dims:
        return reach
    return replace(reach, known=False, whole_picture=True)


def _product(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """A matrix product with weights mixes channels; one with another map (attention) mixes positions."""
    if any(reach is not None and reach.lost for reach in inputs):
        return LOST
    if operation.type == "Einsum":
        return _einsum(operation, inputs, output)
    ranks = [tensor.shape.rank for tensor in operation.inputs]
    rank = ranks[0]
    if rank is None or ranks[1] is None or output.shape.rank != rank:
        return unknown(inputs)
    turned = ("adj_x", "adj_y") if operation.type.startswith("Batch") else ("transpose_a", "transpose_b")
    first, second = map(operation.get_attr, turned)
    summed = (rank - 2 if first else rank - 1, ranks[1] - 1 if second else ranks[1] - 2)
    maps = [(reach, axis) for reach, axis in zip(inputs, summed, strict=True) if reach is not None and reach.dims]
    if maps and all(set(reach.dims) == {axis} for reach, axis in maps):
        return POOLED  # a sum over all places
    reach = inputs[0]
    if reach is None or not reach.axes or first or rank - 1 in reach.dims:
        return unknown(inputs)
    return reach if inputs[1] is None else replace(reach, known=False, whole_picture=True)


def _einsum(operation: tf.Operation, inputs: list[Reach | None], output: tf.Tensor) -> Reach | None:
    """The grid of the operand all of whose rows and columns come out again."""
    text = operation.get_attr("equation")
    taken, made = (text.decode() if isinstance(text, bytes) else text).split("->")
    kept, summed = [], True
    after = spelled(made, output.shape.rank) or ""
    for letters, tensor, reach in zip(taken.split(","), operation.inputs, inputs, strict=True):
        if reach is None or not reach.axes:
            continue
        labels = spelled(letters, tensor.shape.rank)
        if labels is None or len(set(labels)) < len(labels):
            return unknown(inputs)
        summed = summed and not any(labels[dim] in after for dim in reach.dims)
        if all(labels[dim] in after for dim in reach.dims):
            kept.append(replace(reach, dims=tuple(after.index(labels[dim]) for dim in reach.dims)))
    # Of queries and keys, which both come out, the last axis are the keys: the softmax runs along it.
    last = (output.shape.rank or 0) - 1
    kept.sort(key=lambda reach: last in reach.dims)
    if not kept:
        return POOLED if summed else unknown(inputs)
    alone = sum(reach is not None for reach in inputs) == 1
    return kept[0] if alone else replace(kept[0], known=False, whole_picture=True)


def spelled(letters: str, rank: int | None) -> str | None:
    """The labels of an operand of an einsum, one letter per axis, its ellipsis spelled out in capital letters."""
    if rank is None:
        return None
    missing = rank - len(letters.replace("...", ""))
    return letters.replace("...", "".join(chr(0x391 + i) for i in range(missing)))


COMBINING_RULES: dict[str, Rule] = {
    **dict.fromkeys(POINTWISE, _pointwise),
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg_reduction),
    "ConcatV2": _concat,
    "Pack": _pack,
    **dict.fromkeys(("Softmax", "LogSoftmax", "Cumsum", "Cumprod"), _along_one_axis),
    **dict.fromkeys(("MatMul", "BatchMatMulV2", "BatchMatMul", "BatchMatMulV3", "Einsum"), _product),
}
