"""Architectures as JSON values, and the Keras models that are built from them.

    {"builder": "gap_classifier", "size": 128, …}      the project's own classifier, with its function's arguments
    {"builder": "backbone", "backbone": "MobileNetV2", "options": {…}}       one of the catalogue, without its head
    {"builder": "classifier", "backbone": "MobileNetV2", "options": {"classes": 37}}             the same with its head
    {"builder": "surgery", "backbone": …, "layer": "out_relu", "position": 153, "outputs": 1, "dropout": 0.2}
                                                       a trunk, cut at a layer, with a new linear head

The backbone of a surgery is itself an architecture. Where it was cut is told twice: ``layer`` is the name, and
``position`` the place among the model's operations, for Keras numbers unnamed layers anew in each process.
No code is ever read from such a value: it only chooses among these builders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from camcore._compat import calls, calls_of, functional_part
from camcore.errors import ModelError
from camcore.models.catalogue import backbone, build, build_trunk

POOL, DROPOUT, HEAD = "cam_pool", "cam_dropout", "cam_head"
"""The names of the layers of a new head; no trunk has them."""

_DEEPEST = 4  # surgery upon surgery
_LARGEST = 8192  # of any whole number: wider layers would not fit into memory
_MOST_LAYERS = 100_000


def check_architecture(architecture: Any, depth: int = 0) -> None:
    """Raise ModelError where this is no architecture. Builds nothing, and imports neither Keras nor TensorFlow."""
    if not isinstance(architecture, Mapping):
        raise _wrong("architecture", architecture, "it must be a JSON object with a 'builder'")
    builder = architecture.get("builder")
    if not isinstance(builder, str) or builder not in _BUILDERS:
        raise _wrong("builder", builder, f"camcore can build {', '.join(_BUILDERS)}")
    if depth > _DEEPEST:
        raise _wrong("architecture", builder, f"it is nested more than {_DEEPEST} deep")
    for key, value in architecture.items():
        if key not in ("position", "backbone") and not _plain(value):
            raise _wrong(key, value, f"options are texts, and numbers up to {_LARGEST}")
    if builder in ("backbone", "classifier"):
        backbone(str(architecture.get("backbone")))
        if not isinstance(architecture.get("options", {}), Mapping):
            raise _wrong("options", architecture["options"], "it must be a JSON object")
    if builder == "surgery":
        _check_surgery(architecture, depth)


def _check_surgery(architecture: Mapping[str, Any], depth: int) -> None:
    unknown = set(architecture) - {"builder", "backbone", "layer", "position", "outputs", "dropout"}
    if unknown:
        raise _wrong(sorted(unknown)[0], architecture[sorted(unknown)[0]], "a surgery has no such option")
    layer, position = architecture.get("layer"), architecture.get("position")
    if not isinstance(layer, str):
        raise _wrong("layer", layer, "it must be the path of the layer behind which the trunk was cut")
    if not _whole(position, 0, _MOST_LAYERS):
        raise _wrong("position", position, "it must be a place among the model's operations")
    if not _whole(architecture.get("outputs"), 1, _LARGEST):
        raise _wrong("outputs", architecture.get("outputs"), "it must be 1 (one sigmoid unit) or the number of classes")
    dropout = architecture.get("dropout", 0.0)
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise _wrong("dropout", dropout, "it must be a share from 0 to below 1")
    check_architecture(architecture.get("backbone"), depth + 1)


def build_architecture(architecture: Mapping[str, Any]) -> Any:
    """The keras.Model, untrained. Raises ModelError where it cannot be built."""
    check_architecture(architecture)
    return _BUILDERS[architecture["builder"]](architecture)


def _gap_classifier(architecture: Mapping[str, Any]) -> Any:
    from camcore.training.classifier import gap_classifier

    options = {"size": None, **{key: value for key, value in architecture.items() if key != "builder"}}
    try:
        return gap_classifier(**options)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise _wrong("architecture", options, f"its options do not go together: {error}") from error


def _backbone(architecture: Mapping[str, Any]) -> Any:
    return build_trunk(architecture["backbone"], **architecture.get("options", {}))


def _classifier(architecture: Mapping[str, Any]) -> Any:
    return build(architecture["backbone"], "random", **architecture.get("options", {})).model


def _surgery(architecture: Mapping[str, Any]) -> Any:
    model = build_architecture(architecture["backbone"])
    trunk = cut_again(model, architecture["layer"], architecture["position"])
    return with_head(model.inputs[0], trunk, architecture["outputs"], architecture.get("dropout", 0.0), "surgery")


_BUILDERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "gap_classifier": _gap_classifier,
    "backbone": _backbone,
    "classifier": _classifier,
    "surgery": _surgery,
}


# ---- cutting and grafting


def cut(model: Any, path: str) -> tuple[Any, int]:
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


def cut_again(model: Any, path: str, position: int) -> Any:
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


def with_head(image: Any, trunk: Any, outputs: int, dropout: float, name: str) -> Any:
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


def copied(image: Any, trunk: Any, name: str) -> tuple[Any, Any]:
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


def _function(model: Any) -> Any:
    """The graph of a functional or Sequential model."""
    function = functional_part(model)
    if not hasattr(function, "operations") or not getattr(function, "inputs", None):
        raise ModelError(
            f"The network {model.name!r} is no functional Keras model, so there is no graph to cut. Rebuild it with "
            "keras.Input and keras.Model(inputs, outputs)."
        )
    return function


def _found(function: Any, name: str, path: str) -> tuple[int, Any]:
    wanted = name.partition("#")[0]
    for position, operation in enumerate(function.operations):
        if operation.name == wanted:
            return position, operation
    raise ModelError(
        f"The network cannot be cut at {path!r}: its own graph has no layer {wanted!r}. Surgery follows the graph of "
        "a functional model, and does not see what lies inside a custom layer. Choose a layer of that graph."
    )


def _node(function: Any, operation: Any, name: str) -> Any:
    """The one call of an operation in this graph that ``name`` means: ``relu``, or ``relu#2`` of several."""
    own = {id(node) for node in calls(function)}
    nodes = [node for node in calls_of(operation) if id(node) in own]
    which = int(name.partition("#")[2] or 1) - 1
    if which >= len(nodes):
        raise ModelError(f"There is no call {name!r}: the layer is called {len(nodes)} times. Choose one of these.")
    return nodes[which]


def _unnumbered(name: str) -> str:
    return re.sub(r"_\d+$", "", name)


# ---- values


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is text, a number within bounds, nothing, or a few of these."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return len(value) <= 200
    if isinstance(value, int | float):
        return abs(value) <= _LARGEST
    if isinstance(value, list | tuple):
        return depth < 2 and len(value) <= 64 and all(_plain(item, depth + 1) for item in value)
    if isinstance(value, Mapping):
        return depth < 1 and len(value) <= 64 and all(_plain(item, depth + 1) for item in value.values())
    return False


def _wrong(key: str, value: Any, why: str) -> ModelError:
    shown = repr(value)
    shown = shown if len(shown) <= 100 else f"{shown[:97]}…"
    return ModelError(
        f"The architecture's {key} is {shown}: {why}. The file was damaged or written by something else. "
        "Take a network.json that camcore wrote."
    )
