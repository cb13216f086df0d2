"""The weights of a traced network, layer by layer: fresh ones in their place, and a digest of all.

Where the graph reads a weight it can be fed another value. So a network with other weights is the same graph with
these readings fed: the model keeps its own weights, also for other threads, at every moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray

from camcore._compat import all_layers
from camcore.errors import ModelError
from camcore.graph.trace import Trace
from camcore.graph.walks import ancestors
from camcore.lazy import keras, tf

Array = np.ndarray

# Weights that are 1 in a fresh layer; other vectors are 0.
_ONES = {"gamma", "moving_variance", "variance", "scale"}


@dataclass(frozen=True, eq=False)
class Weight:
    """One weight: its name within the layer, such as ``kernel``, and where the graph reads it."""

    name: str
    handle: tf.Tensor  # of the variable, to read its value
    readings: tuple[tf.Tensor, ...]  # tensors of the traced graph

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self.readings[0].shape)

    def value(self) -> tf.Tensor:
        """The value that the model has now, as a tensor."""
        return tf.raw_ops.ReadVariableOp(resource=self.handle, dtype=self.readings[0].dtype)


@dataclass(frozen=True, eq=False)
class WeightLayer:
    """A layer with weights."""

    name: str
    weights: tuple[Weight, ...]


def weight_layers(trace: Trace, model: keras.Model) -> tuple[WeightLayer, ...]:
    """The layers with weights, in the order of the computation; one that is called twice counts by its last call.

    What a ``Normalization`` layer knows of the data is not learned and is left out. Raises ModelError where a weight
    is used in a way that cannot be fed.
    """
    owners: dict[int, tuple[keras.Layer, keras.Variable]] = {}
    for layer in all_layers(model, itself=True):  # parents come before their parts
        for variable in layer.variables:
            owners[id(variable.value.handle)] = (layer, variable)
    graph = trace.function.graph
    order = {operation.name: number for number, operation in enumerate(graph.get_operations())}
    groups: dict[int, list[tuple[int, str, Weight]]] = {}
    for external, placeholder in graph.captures:
        if str(placeholder.dtype.name) != "resource":
            continue
        used = placeholder.consumers()
        others = sorted({operation.type for operation in used} - {"ReadVariableOp"})
        if others:
            raise ModelError(
                f"A weight of {model.name!r} is used by {others[0]}, which cannot be given other values, so the "
                "network cannot be randomised. Judge its maps without that check."
            )
        readings = tuple(operation.outputs[0] for operation in used if operation.outputs[0].dtype.is_floating)
        layer, variable = owners.get(id(external), (None, None))
        if not readings or isinstance(layer, keras.layers.Normalization):
            continue
        last_read = max(order[reading.op.name] for reading in readings)
        name = placeholder.op.name if variable is None else variable.name
        group = id(external) if layer is None else id(layer)
        title = placeholder.op.name if layer is None else layer.name
        groups.setdefault(group, []).append((last_read, title, Weight(name, external, readings)))
    ordered = sorted(groups.values(), key=lambda group: max(last_read for last_read, _, _ in group))
    return tuple(WeightLayer(group[0][1], tuple(weight for _, _, weight in group)) for group in ordered)


def redrawn(weight: Weight, rng: np.random.Generator) -> NDArray[np.float32]:
    """A fresh value: kernels uniform with variance 1/fan-in (LeCun), scales and variances 1, all else 0."""
    shape = weight.shape
    if len(shape) < 2:
        return np.full(shape, 1.0 if weight.name in _ONES else 0.0, np.float32)
    fan_in = prod(shape[:2]) if "depthwise" in weight.name else prod(shape[:-1])
    limit = sqrt(3 / max(1, fan_in))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def fed_values(layers: tuple[WeightLayer, ...], fresh: Mapping[int, Array]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """All readings of all layers, and what to feed each: ``fresh`` by ``id`` of the weight, else the model's own."""
    readings: list[tf.Tensor] = []
    values: list[tf.Tensor] = []
    for layer in layers:
        for weight in layer.weights:
            own = fresh.get(id(weight))
            value = weight.value() if own is None else tf.cast(tf.constant(own), weight.readings[0].dtype)
            readings += weight.readings
            values += [value] * len(weight.readings)
    return readings, values


def fingerprint(model: keras.Model, logits: tf.Tensor) -> str:
    """Hexadecimal digest of all operations that ``logits`` are computed by, in order, and of the model's weights.

    Equal for equal networks in different processes, as long as names that Keras makes up are not part of it. A
    network that differs only in what follows the logits has the same.
    """
    digest = hashlib.blake2b(digest_size=20)
    used = {tensor.op.name for tensor in ancestors([logits]).values()}
    for operation in logits.graph.get_operations():
        if operation.name in used:
            definition = operation.node_def
            digest.update(f"{definition.op} {len(operation.inputs)} ".encode())
            for name in sorted(definition.attr):
                digest.update(name.encode() + definition.attr[name].SerializeToString(deterministic=True))
    for variable in model.weights:
        values = np.ascontiguousarray(variable)
        digest.update(f"{values.dtype} {values.shape} ".encode())
        digest.update(values.view(np.uint8).data if values.size else b"")
    return digest.hexdigest()
