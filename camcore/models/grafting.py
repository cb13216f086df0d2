"""Trunks of functional models: cut behind a layer, copied, and grafted under a new linear head."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from camcore._compat import calls, calls_of
from camcore.errors import ModelError

if TYPE_CHECKING:
    import keras

POOL, DROPOUT, HEAD = "cam_pool", "cam_dropout", "cam_head"
"""The names of the layers of a new head; no trunk has them."""
BLOCKS = ("transformer", "convolutions")
"""The kinds of new blocks that a trunk can be given; see ``camcore.models.grafted``."""


def cut(model: keras.Model, path: str) -> tuple[keras.KerasTensor, int]:
    """(output of the layer or operation called ``path``, its place among the operations) of a functional model.

    The place of a layer inside a nested network is that of the outermost one. Raises ModelError where the model
    is not functional, or the path does not lead to one tensor of it.
    """
    function = _function(model)
    if path.count("/") and path not in (operation.name for operation in function.operations):
        outer, _, rest = path.partition("/")
        position, nested = _found(function, outer, path)
        (fed,) = _node(function, nested, outer).input_tensors
        import keras

        part = keras.Model(_function(nested).inputs[0], cut(nested, rest)[0], name=nested.name)
        return part(fed), position
    position, operation = _found(function, path, path)
    return _node(function, operation, path).output_tensors[0], position


def cut_again(model: keras.Model, path: str, position: int) -> keras.KerasTensor:
    """The output where a twin of ``model`` was cut at ``path`` and ``position``, as ``cut`` told them.

    Keras numbers unnamed layers anew for each model, so the name must be the same but for its number.
    """
    if "/" in path:
        return cut(model, path)[0]
    function = _function(model)
    operations = function.operations
    name, _, call = path.partition("#")
    here = operations[position].name if position < len(operations) else "nothing"
    if _unnumbered(here) != _unnumbered(name):
        raise ModelError(
            f"The network {model.name!r} has {here!r} in place of {path!r}, behind which it was cut (place "
            f"{position}). It was saved with another version of Keras or of camcore. Make it anew by surgery."
        )
    return _node(function, operations[position], f"{here}#{call or 1}").output_tensors[0]


def with_head(
    image: keras.KerasTensor, trunk: keras.KerasTensor, outputs: int, dropout: float, name: str
) -> keras.Model:
    """A keras.Model: a frozen trunk, from the input ``image`` to the feature map ``trunk``, under a new linear head.

    The head is global average → dropout → Dense: one sigmoid unit, or a softmax of several. Its weights are zero.
    The trunk's layers are used as they are, and are frozen.
    """
    import keras

    frozen = keras.Model(image, trunk)
    frozen.trainable = False
    formats = {getattr(layer, "data_format", None) for layer in frozen.layers} - {None}
    order = formats.pop() if len(formats) == 1 else "channels_last"
    x = keras.layers.GlobalAveragePooling2D(data_format=order, dtype=trunk.dtype, name=POOL)(trunk)
    x = keras.layers.Dropout(dropout, dtype=trunk.dtype, name=DROPOUT)(x)
    activation = "sigmoid" if outputs == 1 else "softmax"
    scores = keras.layers.Dense(outputs, activation, kernel_initializer="zeros", dtype=trunk.dtype, name=HEAD)(x)
    return keras.Model(image, scores, name=name)


def copied(
    image: keras.KerasTensor, trunk: keras.KerasTensor, name: str
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """(input, feature map) of a copy that shares no layer and no weight with the trunk's own network."""
    import keras

    part = keras.Model(image, trunk)
    try:
        twin = keras.models.clone_model(part)
        twin.set_weights(part.get_weights())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ModelError(
            f"The trunk of {name!r} cannot be copied: {str(error).strip().splitlines()[0]} Surgery makes each layer "
            "anew from its get_config(). Give custom layers a get_config, and replace Lambda layers by others."
        ) from error
    return twin.inputs[0], twin.outputs[0]


def _function(model: keras.Model) -> keras.Model:
    """The graph of a functional or Sequential model."""
    function = getattr(model, "_functional", None) or model
    if not hasattr(function, "operations") or not getattr(function, "inputs", None):
        raise ModelError(
            f"The network {model.name!r} is no functional Keras model, so there is no graph to cut. Rebuild it with "
            "keras.Input and keras.Model(inputs, outputs)."
        )
    return function


def _found(function: keras.Model, name: str, path: str) -> tuple[int, keras.Operation]:
    wanted = name.partition("#")[0]
    for position, operation in enumerate(function.operations):
        if operation.name == wanted:
            return position, operation
    raise ModelError(
        f"The network cannot be cut at {path!r}: its own graph has no layer {wanted!r}. Surgery follows the graph of "
        "a functional model, and does not see what lies inside a custom layer. Choose a layer of that graph."
    )


def _node(function: keras.Model, operation: keras.Operation, name: str) -> keras.Node:
    """The one call of an operation in this graph that ``name`` means: ``relu``, or ``relu#2`` of several."""
    own = {id(node) for node in calls(function)}
    nodes = [node for node in calls_of(operation) if id(node) in own]
    which = int(name.partition("#")[2] or 1) - 1
    if which >= len(nodes):
        raise ModelError(f"There is no call {name!r}: the layer is called {len(nodes)} times. Choose one of these.")
    return nodes[which]


def _unnumbered(name: str) -> str:
    return re.sub(r"_\d+$", "", name)
