"""The test for a global average and a linear head behind a layer, where CAM is exact.

The walk goes back through the traced graph from the logits to the layer. Everything on the way must be linear in
its one input that depends on the picture, must weigh every place alike, and must average over all places.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from camcore.graph.patch_use import beside_patches
from camcore.graph.picking import PICKING
from camcore.graph.reach import Reach, constant
from camcore.graph.scores import Scores
from camcore.graph.walks import ancestors, dependents
from camcore.graph.windows import attribute_axes, padding_of
from camcore.lazy import tf

# Linear in whichever input depends on the picture, without mixing places.
_LINEAR = {
    "MatMul", "BiasAdd", "AddV2", "Add", "Sub", "Mul", "Neg", "Squeeze", "ExpandDims", "Identity", "Cast",
    "StopGradient",
}  # fmt: skip


def why_no_head(scores: Scores) -> str:
    """The reason why no layer's average can add up to the scores; empty where they are a logit or value per class."""
    if scores.of_map:
        return "the model's output is a map, whose scores are means over a region of it"
    if scores.kind in ("log-probability", "log-odds"):
        return (
            f"the model's output is not the softmax or sigmoid of one tensor, so its score is the {scores.kind} of its "
            "own probabilities, which is not linear in what a global average gives"
        )
    return ""


def why_not_linear(logits: tf.Tensor, layer: tf.Tensor, reach: Mapping[str, Reach]) -> str:
    """The obstacle to CAM between the symbolic tensors ``layer`` and ``logits``, in words.

    Empty where logit_c = mean_ij(Σ_k W_kc A_kij) + b_c holds exactly.
    """
    tensor, averaged = logits, False
    while tensor.name != layer.name:
        operation = tensor.op
        given = [i for i, source in enumerate(operation.inputs) if source.name in reach]
        if not given:
            return "the scores do not depend on it alone"
        if len(given) > 1:
            return "several branches meet behind it"
        before = operation.inputs[given[0]]
        obstacle = _obstacle(operation, given[0], reach[before.name], reach[tensor.name])
        if obstacle:
            return obstacle
        averaged = averaged or _averages(operation, reach[before.name])
        tensor = before
    return "" if averaged else "no global average pooling follows it"


# Affine in those of their inputs that carry the layer, as long as only one of a product's does.
_SUMS = {"BiasAdd", "AddV2", "Add", "AddN", "Sub", "Neg", "ConcatV2", "Pack", "Mean", "Sum", "AvgPool"}
_MOVES = {
    "Squeeze", "ExpandDims", "Identity", "Cast", "StopGradient", "Reshape", "Transpose", "Pad", "Slice", "StridedSlice",
}  # fmt: skip
_PRODUCTS = {"MatMul", "BatchMatMulV2", "Mul", "Conv2D", "DepthwiseConv2dNative"}


def is_affine(logits: tf.Tensor, layer: tf.Tensor) -> bool:
    """True where ``logits`` are an affine function of ``layer``'s values, for any given picture."""
    behind = dependents(layer)
    for name, tensor in ancestors([logits], {layer.name}).items():
        if name not in behind or name == layer.name or not tensor.dtype.is_floating:
            continue
        kind = tensor.op.type
        carrying = [source.name in behind for source in tensor.op.inputs]
        if kind in _SUMS or kind in _MOVES or (kind == "RealDiv" and carrying == [True, False]):
            continue
        if kind not in _PRODUCTS or sum(carrying) > 1:
            return False
    return True


def _averages(operation: tf.Operation, before: Reach) -> bool:
    if operation.type == "Mean":
        return (before.spatial or _is_all_cells(before)) and set(before.dims) <= _averaged_axes(operation)
    return bool(operation.type == "AvgPool" and before.spatial)


def _averaged_axes(operation: tf.Operation) -> set[int]:
    axes = constant(operation.inputs[1])
    if axes is None:
        return set()  # known only when the network runs
    return {int(axis) % operation.inputs[0].shape.rank for axis in np.atleast_1d(axes)}


def _is_all_cells(seen: Reach) -> bool:
    """True for tokens that all are cells."""
    return seen.tokens and beside_patches(seen) is None


def _obstacle(operation: tf.Operation, position: int, before: Reach, after: Reach) -> str:
    """The obstacle to CAM in one operation, in words, given which of its inputs depends on the picture."""
    kind = operation.type
    cells = before.grid if before.axes else (1, 1)
    if before.tokens and kind == "Mean" and beside_patches(before) in _averaged_axes(operation):
        return "an average follows it that takes in tokens which are no patches, such as a class token"
    if kind == "Reshape" and before.axes and (after.spatial or after.places):
        return ""  # the same cells
    if kind in PICKING and before.tokens and after.tokens:
        return ""  # the patches of all tokens
    if kind in PICKING and before.tokens:
        return "the scores read a token behind it that is no patch, such as the class token"
    if kind == "Mean":
        some = before.spatial and bool(set(before.dims) & _averaged_axes(operation))
        return "an average over one axis only follows it" if some and not _averages(operation, before) else ""
    if kind == "AvgPool":
        whole = attribute_axes(operation, "ksize") == cells and padding_of(operation) == "VALID"
        return "" if whole else "a pooling that does not weigh all places alike follows it"
    if kind == "Conv2D":
        kernel = tuple(operation.inputs[1].shape[:2])
        if position != 0 or kernel != (1, 1) or set(operation.get_attr("strides")) != {1}:
            return "a convolution over several places, or over some of them only, follows it"
        return ""
    if kind == "Reshape":
        return "its places are flattened, so each has weights of its own" if cells != (1, 1) else ""
    if kind == "RealDiv" and position == 0:
        return ""
    if kind not in _LINEAR:
        return f"an operation that is not linear ({kind}) follows it"
    return ""
