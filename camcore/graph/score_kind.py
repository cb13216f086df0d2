"""The kind of numbers a network outputs, measured on the end of the graph, not guessed from one picture's output.

The end of a network is what follows its last products with weights (dense layers, convolutions). It is fed random
numbers over three magnitudes in their place, so that a linear head, a ReLU or a regression cannot look like
probabilities by accident, and what comes out is looked at: probabilities of classes of which one is true sum to 1,
their logarithms do so after exp, independent probabilities lie within 0..1. Where the end cannot be run by itself
(weights inside a called function, open shapes), the network is run on random pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from camcore._compat import inner_graph
from camcore.graph.trace import Trace
from camcore.graph.walks import SHAPES, ancestors, dependents, reached
from camcore.graph.windows import constant
from camcore.lazy import tf

OutputKind = Literal["distribution", "log distribution", "independent", "other"]

_PRODUCTS = {
    "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D", "DepthwiseConv2dNative",
    "Conv2DBackpropInput", "Conv3D",
}  # fmt: skip
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_SAME_NUMBERS = {"Identity", "Cast", "StopGradient"}

_MAGNITUDES = (0.3, 3.0, 30.0)
_ROWS = 60  # many ways to fold a batch divide it
_VALUES = 4_000_000  # at most so many numbers are fed; the end of a segmentation network is large
_PICTURES = 6


def output_kind(trace: Trace, output: tf.Tensor) -> OutputKind:
    """The kind of the values along the last axis of ``output``."""
    stops, passed = _last_products(trace, output)
    eps = float(np.finfo(output.dtype.as_numpy_dtype).eps) if _is_numpy(output) else 2**-8
    values = _run_end(trace, output, stops)
    fed_by_itself = values is not None and not any(operation.type in _CALLS for operation in passed)
    if values is None:
        values = _run_whole(trace, output)
    kind = "other" if values is None else kind_of_values(values, eps)
    if kind == "independent":
        # Where products may hide in a called function, some outputs may lie within 0..1 by accident.
        certain = fed_by_itself or _squashed(output)
        return kind if certain and not any(map(_weighs_unevenly, passed)) else "other"
    return kind


def kind_of_values(values: NDArray[np.float64], eps: float = 2**-23) -> OutputKind:
    """The kind of rows (m, classes) of outputs; rows that overflow are left out, and identical rows prove nothing.

    ``eps``: of the precision that they were computed in.
    """
    v = values[np.isfinite(values).all(axis=1)]
    if len(v) < 2 or not np.ptp(v, axis=0).max():
        return "other"
    edge, tolerance = max(1e-6, 4 * eps), max(1e-3, 4 * eps)
    within = v.min() >= -edge and v.max() <= 1 + edge
    if v.shape[1] > 1:
        if within and np.abs(v.sum(axis=1) - 1).max() <= tolerance:
            return "distribution"
        if v.max() <= edge and np.abs(np.exp(v).sum(axis=1) - 1).max() <= tolerance:
            return "log distribution"
    return "independent" if within else "other"


def _squashed(tensor: tf.Tensor) -> bool | None:
    """True where all that ``tensor`` is made of went through a softmax or sigmoid last; None for a constant."""
    operation = tensor.op
    if operation.type in ("Sigmoid", "Softmax"):
        return True
    if operation.type in ("Const", "ReadVariableOp", *SHAPES):
        return None
    inner = inner_graph(operation)
    if inner is not None:
        return _squashed(inner.outputs[tensor.value_index])
    if operation.type in _PRODUCTS or not operation.inputs:
        return False
    given = [_squashed(source) for source in operation.inputs]
    return None if all(one is None for one in given) else all(one is not False for one in given)


def _is_numpy(tensor: tf.Tensor) -> bool:
    return tensor.dtype.as_numpy_dtype in (np.float16, np.float32, np.float64)


def _last_products(trace: Trace, output: tf.Tensor) -> tuple[dict[str, tf.Tensor], list[tf.Operation]]:
    """The last tensors before ``output`` that a product with weights made, by name, and the operations behind them."""
    depends = dependents(trace.input, SHAPES)
    stops: dict[str, tf.Tensor] = {}
    passed: dict[str, tf.Operation] = {}

    def before(tensor: tf.Tensor) -> list[tf.Tensor]:
        operation = tensor.op
        given = [source for source in operation.inputs if source.name in depends]
        if tensor is trace.input or (operation.type in _PRODUCTS and len(given) == 1 and not _mixes(operation)):
            stops[tensor.name] = tensor
            return []
        passed[operation.name] = operation
        return given

    reached([output], before)
    return stops, list(passed.values())


def _mixes(operation: tf.Operation) -> bool:
    """True where a matrix product adds probabilities up to probabilities: of classes merged, of members averaged."""
    if operation.type != "MatMul":
        return False
    weights = constant(operation.inputs[1])
    if weights is None or weights.min() < 0:
        return False
    sums = (weights.sum(axis=axis, dtype=np.float64) for axis in (0, 1))
    return any(np.abs(total - 1).max() < 1e-3 for total in sums)


def _weighs_unevenly(operation: tf.Operation) -> bool:
    """True where a sum weighs its terms by constants that are no shares of 1: the mean of a scale, an expectation."""
    if operation.type not in ("Sum", "Mean"):
        return False
    tensor = operation.inputs[0]
    while tensor.op.type in _SAME_NUMBERS:
        tensor = tensor.op.inputs[0]
    axes = constant(operation.inputs[1])
    if tensor.op.type != "Mul" or axes is None or tensor.shape.rank is None:
        return False
    for given in tensor.op.inputs:
        weights = constant(given)
        if weights is None:
            continue
        shape = (1,) * (tensor.shape.rank - weights.ndim) + weights.shape
        reduced = tuple(int(axis) % tensor.shape.rank for axis in np.atleast_1d(axes))
        laid = weights.reshape(shape).astype(np.float64)
        if np.ptp(laid, axis=reduced).max() == 0:
            continue
        return bool(laid.min() < 0 or np.abs(laid.sum(axis=reduced) - 1).max() > 1e-3)
    return False


def _run_end(trace: Trace, output: tf.Tensor, stops: dict[str, tf.Tensor]) -> NDArray[np.float64] | None:
    """Values (m, classes) of the output for random numbers at ``stops``; None where they cannot be fed."""
    shapes = [stop.shape for stop in stops.values()]
    if trace.input.name in ancestors([output], stops):  # if only for the number of pictures
        return None
    if any(shape.rank is None or None in shape[1:] for shape in shapes):
        return None
    if any(shape[0] is not None for shape in shapes) or not all(stop.dtype.is_floating for stop in stops.values()):
        return None
    size = sum(int(np.prod(shape[1:])) for shape in (*shapes, output.shape) if None not in shape[1:])
    rows = int(np.clip(_VALUES // max(size, 1) // 6 * 6, 6, _ROWS))
    rng = np.random.default_rng(0)
    scale = np.resize(_MAGNITUDES, rows)

    def normal(shape: Iterable[int]) -> np.ndarray:
        sides = tuple(shape)
        return rng.standard_normal((rows, *sides), np.float32) * scale.reshape(-1, *(1 for _ in sides))

    return _values(trace, output, stops, [normal(shape[1:]) for shape in shapes])


def _run_whole(trace: Trace, output: tf.Tensor) -> NDArray[np.float64] | None:
    """Values (m, classes) of the output for random pictures, as bytes and as numbers around zero."""
    rng = np.random.default_rng(0)
    pictures = rng.random((_PICTURES, *(side or 1 for side in trace.input.shape[1:])), np.float32)
    pictures[: _PICTURES // 2] *= 255
    pictures[_PICTURES // 2 :] = pictures[_PICTURES // 2 :] * 2 - 1
    return _values(trace, output, {trace.input.name: trace.input}, [pictures])


def _values(
    trace: Trace, output: tf.Tensor, feeds: dict[str, tf.Tensor], arrays: list[np.ndarray]
) -> NDArray[np.float64] | None:
    try:
        function = trace.function.prune(list(feeds.values()), [output])
        with tf.init_scope():  # it is run now, also while a graph is built
            given = [tf.cast(array, feed.dtype) for array, feed in zip(arrays, feeds.values(), strict=True)]
            values = np.asarray(tf.cast(function(*given)[0], tf.float64))
    except (tf.errors.OpError, ValueError, TypeError):  # the end does not stand alone, as where its shapes do not fit
        return None
    return values.reshape(-1, values.shape[-1]) if values.ndim else None
