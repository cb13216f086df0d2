"""The head behind a layer, for many versions of that layer's output at once.

Ablation-CAM and Recipro-CAM ask for the scores of hundreds of altered activations of one picture. Only what lies
behind the layer is computed for each. What a skip connection brings past the layer is computed once per picture
(the *sides*) and repeated where it joins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from camcore.graph.compiled import Function, Key, SubgraphCompiler
from camcore.graph.reach import Reach, constant
from camcore.graph.walks import ancestors, dependents
from camcore.lazy import tf


def sides(logits: tf.Tensor, tensor: tf.Tensor, source: tf.Tensor, reach: Mapping[str, Reach]) -> list[tf.Tensor]:
    """The tensors that depend on the picture and pass ``tensor`` by, on the way into the head behind it.

    Where something about the picture other than its values passes by, such as its batch size, that is the whole
    input ``source``.
    """
    behind = dependents(tensor)
    passing = {}
    stop = {tensor.name, source.name}
    for name, joined in ancestors([logits], stop).items():
        if name not in behind or name == tensor.name:
            continue
        for side in joined.op.inputs:
            if side.name not in behind and side.name in reach:
                passing[side.name] = side
    needed = ancestors([logits], {tensor.name, *passing})
    if source.name in needed and source.name not in passing:
        return [source]
    if any(not one.dtype.is_floating or one.shape.rank is None for one in passing.values()):
        return [source]
    return list(passing.values())


# Operations that work on each channel by itself and leave a channel of zeros at zero.
_CHANNEL_BY_CHANNEL = {"Mean", "MaxPool", "AvgPool", "Relu", "Relu6", "Identity", "Cast", "Squeeze", "StopGradient"}


def after_pooling(logits: tf.Tensor, tensor: tf.Tensor, spatial: tuple[int, int]) -> tf.Tensor:
    """The smallest tensor behind a layer's output ``tensor`` in which a channel can be set to zero instead.

    A channel of zeros is one behind a pooling, too, where it has fewer cells: a global average leaves one.
    ``spatial``: the axes of the grid.
    """
    used = ancestors([logits])
    while True:
        onward = [op for op in tensor.consumers() if op.outputs and op.outputs[0].name in used]
        if len(onward) != 1 or onward[0].type not in _CHANNEL_BY_CHANNEL or onward[0].inputs[0] is not tensor:
            return tensor
        (operation,) = onward
        if operation.type in ("Mean", "Squeeze"):
            axes = constant(operation.inputs[1]) if operation.type == "Mean" else operation.get_attr("squeeze_dims")
            if axes is None or {int(axis) % tensor.shape.rank for axis in np.atleast_1d(axes)} != set(spatial):
                return tensor
        if not operation.outputs[0].dtype.is_floating:
            return tensor
        tensor = operation.outputs[0]


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix product, ``result`` (n, m) = flattened tensor (n, k) @ ``weights`` (k, m); (m, k) if ``transposed``."""

    result: tf.Tensor
    weights: tf.Tensor
    transposed: bool


def product_behind(logits: tf.Tensor, tensor: tf.Tensor) -> Product | None:
    """The matrix product that all of a tensor flows into, unchanged but for its shape; None where there is none."""
    used = ancestors([logits])
    size = int(np.prod(tensor.shape[1:]))
    while True:
        onward = [op for op in tensor.consumers() if op.outputs and op.outputs[0].name in used and op.type != "Shape"]
        if len(onward) != 1 or onward[0].inputs[0] is not tensor:
            return None
        (operation,) = onward
        if operation.type == "MatMul":
            weights = operation.inputs[1]
            fits = tensor.shape.rank == 2 and tensor.shape[1] == size and not operation.get_attr("transpose_a")
            alone = weights.name not in dependents(tensor)
            if not fits or not alone or tensor.dtype.size < 4:  # there are no sparse products of half precision
                return None
            return Product(operation.outputs[0], weights, operation.get_attr("transpose_b"))
        if operation.type not in ("Reshape", "Squeeze", "Identity"):
            return None
        tensor = operation.outputs[0]


@dataclass(frozen=True, eq=False)
class Alteration:
    """``make``: a function of arguments with this ``signature`` to the altered outputs (m, …) of a layer."""

    signature: list[tf.TensorSpec]
    make: Function


def altered_head(
    compiler: SubgraphCompiler,
    key: Key,
    tensor: tf.Tensor,
    passing: list[tf.Tensor],
    logits: tf.Tensor,
    alteration: Alteration,
) -> Function:
    """A compiled function (*arguments of the alteration, *passing) → logits (m, classes)."""
    signature = alteration.signature

    def build() -> Function:
        head = compiler.subgraph((*key, "head"), lambda: ([tensor, *passing], [logits]))
        # Half-precision arrays leave TensorFlow in single precision; a whole-number input stays what it is.
        wide = [tf.float32 if side.dtype.is_floating and side.dtype.size < 4 else side.dtype for side in passing]
        specs = [tf.TensorSpec([1, *side.shape[1:]], dtype) for side, dtype in zip(passing, wide, strict=True)]

        def scores(*arguments: tf.Tensor) -> tf.Tensor:
            altered = tf.cast(alteration.make(*arguments[: len(signature)]), tensor.dtype)
            count = tf.shape(altered)[0]
            repeated = [
                tf.repeat(tf.cast(argument, side.dtype), count, axis=0)
                for argument, side in zip(arguments[len(signature) :], passing, strict=True)
            ]
            return head(altered, *repeated)[0]

        return compiler.compiled(scores, [*signature, *specs])

    return compiler.cached(key, build)
