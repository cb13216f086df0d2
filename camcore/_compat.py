"""Private names of Keras and TensorFlow, for which there is no public way; no other module uses any.

Written for Keras 3.15 and TensorFlow 2.21: whoever raises these versions looks here first.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Node(Protocol):
    """One call of an operation in a functional model."""

    operation: keras.Operation
    input_tensors: list[keras.KerasTensor]
    output_tensors: list[keras.KerasTensor]


# The modules of Keras's own model classes, by class name, as its saved configurations name them.
MODEL_MODULES = {"Functional": "keras.src.models.functional", "Sequential": "keras", "Model": "keras"}


def all_layers(model: keras.Model, itself: bool = False) -> list[keras.Layer]:
    """Every layer below a model, parents before their parts, also of custom layers; ``Model.layers`` has the top only.

    ``itself``: with the model before them.
    """
    return list(model._flatten_layers(include_self=itself))


def calls(model: keras.Model) -> list[Node]:
    """The nodes of a functional model: its calls of operations, in the order of the computation."""
    depths = sorted(model._nodes_by_depth, reverse=True)
    return [node for depth in depths for node in model._nodes_by_depth[depth]]


def calls_of(operation: keras.Operation) -> list[Node]:
    """All nodes at which an operation is called, in whatever model."""
    return list(operation._inbound_nodes)


def input_structure(model: keras.Model, default: object) -> object:
    """The inputs of a functional model as it was given them, which keeps the names of a dictionary."""
    return getattr(model, "_inputs_struct", default)


def maker(tensor: keras.KerasTensor) -> keras.Operation:
    """The operation that made a symbolic tensor: of an input its InputLayer."""
    return tensor._keras_history.operation


def own_variables(layer: keras.Layer) -> list[keras.Variable]:
    """A layer's own variables without those of its parts, trainable ones first."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def inner_graph(operation: tf.Operation) -> tf.Graph | None:
    """The graph of the function that ``operation`` calls; None where TensorFlow does not hold it in Python."""
    try:
        name = operation.get_attr("f").name
        return operation.graph._functions[name].graph
    except (AttributeError, KeyError, ValueError):
        return None


def tensorflow_has_started() -> bool:
    """True where TensorFlow has threads and devices, and not only been imported. Starts nothing."""
    current = getattr(sys.modules.get("tensorflow.python.eager.context"), "context_safe", lambda: None)()
    return current is not None and bool(getattr(current, "_initialized", True))
