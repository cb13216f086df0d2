"""Whole models of Keras 2 (tf.keras up to 2.15, ``tf_keras``) as models of Keras 3 that compute the same.

The configuration is read as plain JSON and the graph built anew from it; then every weight is set from the file, by
its name where the names tell, else by the order in which Keras 2 wrote them. Nothing in the file is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.files import Json
from camcore.models.archives import WholeModel, check_size
from camcore.models.keras2.layers import Custom, Piece, make_layer, not_taken, plain
from camcore.models.keras2.weights import load_keras2_weights

if TYPE_CHECKING:
    import keras

_MODELS = ("Functional", "Sequential", "Model")
_CONSTANT = "_CONSTANT_VALUE"

Argument = Json
"""A value of JSON with symbolic tensors in the places of their references."""
Output = Json
"""The result of a call: a symbolic tensor, or several."""


def open_keras2(whole: WholeModel, custom: Custom) -> keras.Model:
    """The keras.Model of a file that Keras 2 wrote, with its weights.

    ``custom``: classes and functions of one's own by name. Raises ModelError where a layer has no twin in Keras 3, and
    where the weights do not fit.
    """
    try:
        check_size(whole, lambda: _model(whole.config, custom).layer)
        piece = _model(whole.config, custom)
    except ModelError:
        raise
    except Exception as error:  # Python, Keras or TensorFlow stumbles over a configuration that was changed
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(".")
        raise not_taken(f"its graph cannot be built ({reason})") from error
    load_keras2_weights(whole, piece)
    return piece.layer


def _model(part: Mapping[str, Json], custom: Custom) -> Piece:
    kind = part["class_name"].rpartition(">")[2]
    if kind not in _MODELS:
        raise not_taken(f"it is of the class {kind!r}, whose code is not in the file")
    config = part["config"]
    if kind == "Sequential":
        return _sequential(part, config, custom)
    return _functional(config, custom)


def _piece(part: Mapping[str, Json], custom: Custom) -> Piece:
    """A layer, or a model within the model."""
    if part["class_name"].rpartition(">")[2] in _MODELS and isinstance(part["config"], Mapping | list):
        return _model(part, custom)
    layer = make_layer(part, custom)
    name = part["config"].get("name", part.get("name", layer.name))
    return Piece(str(name), part["class_name"].rpartition(">")[2], layer)


# ---- Sequential


def _sequential(part: Mapping[str, Json], config: Json, custom: Custom) -> Piece:
    import keras

    parts = list(config["layers"] if isinstance(config, Mapping) else config)
    name = config.get("name") if isinstance(config, Mapping) else None
    model = keras.Sequential(name=str(name).replace("/", "_") if name else None)
    shape, dtype = _input_shape(part, config, parts)
    pieces = []
    if shape is not None:
        model.add(keras.Input(batch_shape=(None, *shape[1:]), dtype=dtype))
    for one in parts:
        if one["class_name"] == "InputLayer":
            pieces.append(Piece(str(one["config"].get("name")), "InputLayer", None))
            continue
        piece = _piece(one, custom)
        model.add(piece.layer)
        pieces.append(piece)
    if isinstance(config, Mapping) and config.get("trainable") is False:
        model.trainable = False
    return Piece(str(name or model.name), "Sequential", model, tuple(pieces))


def _input_shape(part: Mapping[str, Json], config: Json, parts: list[Json]) -> tuple[Json, str | None]:
    first = parts[0]["config"] if parts and isinstance(parts[0]["config"], Mapping) else {}
    shape = first.get("batch_input_shape") or first.get("batch_shape")
    dtype = first.get("dtype") if parts and parts[0]["class_name"] == "InputLayer" else None
    if shape is None and isinstance(config, Mapping):
        shape = config.get("build_input_shape") or (part.get("build_config") or {}).get("input_shape")
    return plain(shape), dtype if isinstance(dtype, str) else None


# ---- functional


def _functional(config: Mapping[str, Json], custom: Custom) -> Piece:
    import keras

    pieces = {str(one.get("name", one["config"].get("name"))): one for one in config["layers"]}
    made: dict[str, Piece] = {}
    tensors: dict[tuple[str, int], Output] = {}
    waiting = []
    for name, part in pieces.items():
        if part["class_name"] == "InputLayer":
            given = part["config"]
            shape = plain(given.get("batch_input_shape") or given.get("batch_shape"))
            dtype = given.get("dtype") if isinstance(given.get("dtype"), str) else None
            tensor = keras.Input(batch_shape=(None, *shape[1:]), dtype=dtype, name=name.replace("/", "_"))
            made[name], tensors[name, 0] = Piece(name, "InputLayer", None), tensor
            continue
        made[name] = _piece(part, custom)
        # A model within a model has one call before any of these: the one that made it.
        first = 1 if made[name].inside is not None else 0
        waiting += [(name, first + place, node) for place, node in enumerate(part.get("inbound_nodes", []))]
    _call_all(waiting, made, tensors)
    inputs, outputs = (_tensors(plain(config[key]), made, tensors) for key in ("input_layers", "output_layers"))
    name = str(config.get("name") or "model")
    model = keras.Model(_single(inputs), _single(outputs), name=name.replace("/", "_"))
    if config.get("trainable") is False:
        model.trainable = False
    return Piece(name, "Functional", model, tuple(made.values()))


def _call_all(
    waiting: list[tuple[str, int, Json]], made: Mapping[str, Piece], tensors: dict[tuple[str, int], Output]
) -> None:
    """Make every call whose tensors are there, until none is left."""
    while waiting:
        later = []
        for name, place, node in waiting:
            if all(key in tensors for key in _needs(node, made)):
                tensors[name, place] = _call(made[name].layer, plain(node), made, tensors)
            else:
                later.append((name, place, node))
        if len(later) == len(waiting):
            raise not_taken(f"the layer {later[0][0]!r} in it is fed by a layer that is not there")
        waiting = later


def _is_reference(value: Json, made: Mapping[str, Piece]) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and value[0] in made
        and all(isinstance(one, int) for one in value[1:3])
    )


def _needs(value: Json, made: Mapping[str, Piece]) -> list[tuple[str, int]]:
    """The calls whose tensors a part of a configuration names."""
    needed: list[tuple[str, int]] = []
    stack = [value]
    while stack:
        one = stack.pop()
        if _is_reference(one, made):
            needed.append((one[0], one[1]))
            stack.extend(one[3:])
        elif isinstance(one, list):
            stack.extend(one)
        elif isinstance(one, Mapping):
            stack.extend(one.values())
    return needed


def _tensors(value: Json, made: Mapping[str, Piece], tensors: Mapping[tuple[str, int], Output]) -> Argument:
    """The value with each reference [layer, call, output] in it replaced by its tensor."""
    if _is_reference(value, made):
        output = tensors[value[0], value[1]]
        return output[value[2]] if isinstance(output, list | tuple) else output
    if isinstance(value, list | tuple):
        return type(value)(_tensors(one, made, tensors) for one in value)
    if isinstance(value, Mapping):
        return {key: _tensors(one, made, tensors) for key, one in value.items()}
    return value


def _single(value: Argument) -> Argument:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _call(
    layer: keras.Operation, node: Json, made: Mapping[str, Piece], tensors: Mapping[tuple[str, int], Output]
) -> Output:
    """Call a layer as a node of the configuration says: [[layer, call, output, options], …], or one of these alone."""
    alone = bool(node) and isinstance(node[0], str)
    entries = [node] if alone else list(node)
    arguments: list[Argument] = []
    options: dict[str, Argument] = {}
    for entry in entries:
        if entry[0] == _CONSTANT:
            arguments.append(_tensors(entry[2], made, tensors))
        else:
            arguments.append(_tensors(entry[:3], made, tensors))
        options.update(entry[3] if len(entry) > 3 and entry[3] else {})
    given = {key: _tensors(value, made, tensors) for key, value in options.items() if value is not None}
    if hasattr(layer, "function_name"):  # a function of TensorFlow, which takes its arguments as they stand
        given.pop("name", None)
        return layer(arguments[0] if alone else arguments, **given)
    return layer(arguments[0] if len(arguments) == 1 else arguments, **given)
