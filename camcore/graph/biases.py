"""The biases of a network, explicit and implicit: additions of something that does not come from the picture.

Every addition (or subtraction) in the traced graph with one side that depends on the picture and one that does
not adds a bias: of a convolution, a dense layer, a shift in the preprocessing. A normalisation in inference mode,
x·s + (β − μ·s) with s = γ/√(σ²+ε), is such an addition, too, and its constant the implicit bias that FullGrad
needs (Srinivas 2019). So skip-connected, biasless and custom layers are all found alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from camcore.graph.reach import Reach
from camcore.graph.walks import ancestors
from camcore.lazy import tf


@dataclass(frozen=True, eq=False)
class Bias:
    """``total``: the tensor after the addition, (n, …). ``added``: what was added, broadcast to it.

    ``spatial``: the tensor has a grid of more than one cell.
    """

    total: tf.Tensor
    added: tf.Tensor
    spatial: bool


def find_biases(logits: tf.Tensor, reach: Mapping[str, Reach]) -> tuple[Bias, ...]:
    """Every bias on the way to ``logits``, in the order of the computation. Adds to the graph: hold its lock."""
    used = ancestors([logits])
    biases = []
    with logits.graph.as_default():
        for operation in logits.graph.get_operations():
            if not operation.outputs or operation.outputs[0].name not in used:
                continue
            total = operation.outputs[0]
            added = _added(operation, reach) if total.dtype.is_floating else None
            if added is None or total.name not in reach:
                continue
            seen = reach[total.name]
            cells = (seen.grid[0] or 2) * (seen.grid[1] or 2) if seen.spatial else 1
            biases.append(Bias(total, tf.cast(added, total.dtype), cells > 1 and total.shape.rank == 4))
    return tuple(biases)


def _added(operation: tf.Operation, reach: Mapping[str, Reach]) -> tf.Tensor | None:
    kind, inputs = operation.type, operation.inputs
    if kind == "FusedBatchNormV3" and inputs[0].name in reach:
        _, scale, offset, mean, variance = inputs
        shift = offset - mean * scale * tf.math.rsqrt(variance + operation.get_attr("epsilon"))
        return _along_channels(operation, shift)
    if kind not in ("AddV2", "Add", "BiasAdd", "Sub"):
        return None
    seen = [source.name in reach for source in inputs]
    if seen == [True, False]:
        constant = -inputs[1] if kind == "Sub" else inputs[1]
        return _along_channels(operation, constant) if kind == "BiasAdd" else constant
    if seen == [False, True]:
        return inputs[0]
    return None


def _along_channels(operation: tf.Operation, vector: tf.Tensor) -> tf.Tensor:
    if operation.get_attr("data_format") == b"NCHW":
        rank = operation.outputs[0].shape.rank
        return tf.reshape(vector, [1, -1, *[1] * (rank - 2)])
    return vector
