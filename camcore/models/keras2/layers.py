"""Layers of Keras 2, from their configuration, as layers of Keras 3 that compute the same in use.

Initialisers, regularisers and constraints matter to training alone and are left out.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.files import Json
from camcore.models.configs import RUN_CODE, unlisted

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
from camcore.models.keras2.functions import function_of, operation_of, raw_function


@dataclass(frozen=True, eq=False)
class Piece:
    """A layer as it stands in the file. ``kind``: its class there. ``inside``: of a nested model, its own layers."""

    name: str
    kind: str
    layer: keras.Layer
    inside: tuple[Piece, ...] | None = None


Custom = Callable[[str], "type[keras.Layer] | None"]
"""A class or function of one's own by its name, None where there is none."""

_ALWAYS = frozenset(("name", "dtype"))
_TRAINING = ("_initializer", "_regularizer", "_constraint", "_quantizer")
_USELESS = """
batch_input_shape batch_shape batch_size sparse ragged optional rng_type implementation time_major shared_object_id
fused virtual_batch_size renorm_clipping renorm_momentum adjustment input_dtype dynamic force_generator auto_vectorize
query_shape key_shape value_shape input_dim input_length build_input_shape unroll noise_shape
"""
_NOTHING = frozenset(_USELESS.split())
"""Options that change nothing of what is computed."""
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "ThresholdedReLU": {"theta": "threshold"}}
_OTHER_CLASS = {
    "ThresholdedReLU": "ReLU",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "RandomHeight": "Identity",  # these two change a picture in training alone
    "RandomWidth": "Identity",
}
_LAMBDAS = ("TFOpLambda", "SlicingOpLambda")


def make_layer(part: Mapping[str, Json], custom: Custom) -> keras.Layer:
    """The Keras 3 layer for one of Keras 2. Raises ModelError, with the layer's name, where there is none."""
    import keras

    kind, config = part["class_name"].rpartition(">")[2], dict(part["config"])
    name = str(config.get("name", part.get("name", kind)))
    config["name"] = name = name.replace("/", "_")  # which Keras 3 does not allow in a name
    names = (part.get("registered_name") or "", part["class_name"], kind)
    own = next(filter(None, map(custom, names)), unlisted().get(kind))
    if own is not None:
        return own.from_config({**plain(config), "dtype": _dtype(config.get("dtype"))})
    if kind in _LAMBDAS:
        return _function_layer(name, str(config.get("function")))
    if kind == "TensorFlowOpLayer":
        return _raw_layer(name, config)
    if kind in RUN_CODE:
        raise not_taken(f"its layer {name!r} is a {kind}, whose code lies in the file")
    cls = getattr(keras.layers, _OTHER_CLASS.get(kind, kind), None)
    if cls is None or not isinstance(cls, type):
        raise not_taken(f"its layer {name!r} is a {kind}, which Keras 3 does not have")
    return _built(cls, kind, name, config, custom)


def plain(value: Json) -> Json:
    """Values as a configuration writes them, as Python has them: tuples, slices, arrays, an ellipsis."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    kind = value.get("class_name")
    if kind == "__ellipsis__":
        return ...
    if kind in ("__tuple__", "TensorShape", "ListWrapper"):
        inside = value.get("items", value.get("config", {}))
        return tuple(plain(inside))
    if kind in ("__numpy__", "__tensor__"):
        return plain(value["config"]["value"])
    if kind == "__slice__":
        value = value["config"]
    if value.keys() == {"start", "stop", "step"}:
        return slice(*(plain(value[key]) for key in ("start", "stop", "step")))
    return {key: plain(one) for key, one in value.items()}


def not_taken(what: str) -> ModelError:
    """The error for a model of Keras 2 that has no twin in Keras 3."""
    return ModelError(
        f"This model was saved by Keras 2, and {what}. Keras 3, which runs here, cannot rebuild it from this file. "
        "With the installation that made it, export it (model.export('folder') or model.save('folder')) and name the "
        "folder with --unsafe, or save its weights (model.save_weights('my.weights.h5')) and have a Python function, "
        "named in CAMCORE_MODELS, rebuild it in Keras 3."
    )


def _built(cls: type, kind: str, name: str, config: dict[str, Json], custom: Custom) -> keras.Layer:
    renamed = _RENAMED.get(kind, {})
    takes = set(inspect.signature(cls).parameters) | _ALWAYS
    options: dict[str, Json] = {}
    for key, value in config.items():
        key = renamed.get(key, key)
        if key == "trainable" or key.endswith(_TRAINING) or (key in _NOTHING and key not in takes):
            continue
        if key in takes:
            options[key] = _option(key, plain(value), value, name, custom)
        elif kind not in ("RandomHeight", "RandomWidth") and value not in (None, False, [], {}, 1):
            raise not_taken(f"its layer {name!r} ({kind}) says {key}={str(value)[:60]}, which Keras 3 does not know")
    if cls.__name__ == "BatchNormalization" and isinstance(options.get("axis"), list | tuple):
        (options["axis"],) = options["axis"]
    options["name"] = name
    try:
        layer = cls(**options)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise not_taken(f"its layer {name!r} ({kind}) cannot be made: {reason}") from error
    layer.trainable = config.get("trainable") is not False
    return layer


def _option(key: str, value: Json, written: Json, name: str, custom: Custom) -> keras.Layer:
    if key == "dtype":
        return _dtype(written)
    if key.endswith("activation"):
        return _activation(written, name, custom)
    if key in ("layer", "forward_layer", "backward_layer") and isinstance(written, Mapping):
        return make_layer(written, custom)
    return value


def _dtype(written: Json) -> str | None:
    """A dtype or the policy's name."""
    if isinstance(written, Mapping):
        inside = written.get("config", {})
        return inside.get("name") if isinstance(inside, Mapping) else None
    return written


def _activation(written: Json, layer: str, custom: Custom) -> keras.Layer:
    import keras

    if isinstance(written, Mapping):
        if written.get("class_name") == "function":
            written = written.get("config")
        else:
            return make_layer(written, custom)
    if written is None:
        return None
    if written == "hard_sigmoid":
        return hard_sigmoid
    own = custom(str(written))
    if own is not None:
        return own
    function = getattr(keras.activations, {"swish": "silu"}.get(str(written), str(written)), None)
    if not callable(function):
        raise not_taken(f"its layer {layer!r} has the activation {str(written)[:60]!r}, which Keras 3 does not have")
    return function


def hard_sigmoid(x: tf.Tensor) -> tf.Tensor:
    """Keras 2's: 0.2 x + 0.5 between 0 and 1. Keras 3 has another of this name, x / 6 + 0.5."""
    import keras

    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def _function_layer(name: str, function: str) -> keras.Operation:
    if function_of(function) is None:
        raise not_taken(f"its layer {name!r} calls tf.{function}, which camcore does not run")
    return operation_of(function, name)


def _raw_layer(name: str, config: Mapping[str, Json]) -> keras.Operation:
    """``TensorFlowOpLayer``: an operation of a graph with constants at some of its inputs."""
    definition = config.get("node_def")
    text = definition if isinstance(definition, str) else ""
    match = re.search(r'op:\s*"(\w+)"', text) or re.search(r'"op":\s*"(\w+)"', text)
    operation = match.group(1) if match else "?"
    constants = {int(place): plain(value) for place, value in dict(config.get("constants") or {}).items()}
    function = "strided_slice" if operation == "StridedSlice" else raw_function(operation)
    if function is None:
        raise not_taken(f"its layer {name!r} is the operation {operation}, which camcore does not run")
    options = _masks(text) if operation == "StridedSlice" else {}
    return operation_of(function, name, constants, options)


def _masks(text: str) -> dict[str, int]:
    masks = re.findall(r'key:\s*"(\w+_mask)"\s*value\s*\{\s*i:\s*(\d+)', text)
    return {key: int(value) for key, value in masks}
