"""``.h5`` files of Keras 3 that hold operations (``x / 127.5``, ``preprocess_input``): Keras 3 itself opens none.

Its HDF5 form leaves out which module a class is of, so that the operation ``Add`` and the layer ``Add`` look alike.
They are told apart by what their configurations hold, and the graph is then built as that of a ``.keras`` file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from camcore._compat import MODEL_MODULES
from camcore.files import Json
from camcore.models.archives import WholeModel
from camcore.models.configs import operations, unlisted
from camcore.models.keras2.layers import Piece
from camcore.models.keras2.weights import load_keras2_weights

if TYPE_CHECKING:
    import keras


def holds_operations(config: Json) -> bool:
    """Tell whether a graph of an HDF5 file has operations that are no layers."""
    return any(_is_operation(part) for part in _parts(config))


def open_hdf5(whole: WholeModel, custom: Mapping[str, object], safe_mode: bool) -> keras.Model:
    """The keras.Model of the file, with its weights. Raises what Keras raises, and ModelError for the weights."""
    model = rebuilt(whole, custom, safe_mode)
    inside = tuple(Piece(layer.name, type(layer).__name__, layer) for layer in model.layers)
    load_keras2_weights(whole, Piece(model.name, "Functional", model, inside))
    return model


def rebuilt(whole: WholeModel, custom: Mapping[str, object], safe_mode: bool) -> keras.Model:
    """The keras.Model of a file of Keras 3, of either form, without its weights. Raises what Keras raises."""
    import keras

    config = _with_modules(whole.config, operations()) if whole.form == "hdf5" else whole.config
    return keras.saving.deserialize_keras_object(config, custom_objects=dict(custom), safe_mode=safe_mode)


def _parts(value: Json) -> Iterator[Mapping[str, Json]]:
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, Mapping):
            if "class_name" in one:
                yield one
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)


def _is_operation(part: Mapping[str, Json]) -> bool:
    """A layer's configuration always says whether it is trainable; an operation's never does."""
    config = part.get("config")
    plain = part.get("class_name") not in (*MODEL_MODULES, "InputLayer") and "inbound_nodes" in part
    return plain and isinstance(config, Mapping) and "trainable" not in config


def _with_modules(value: Json, known: Mapping[str, type]) -> Json:
    """The configuration as a ``.keras`` file has it: each class with its module."""
    if isinstance(value, list):
        return [_with_modules(one, known) for one in value]
    if not isinstance(value, Mapping):
        return value
    part = {key: _with_modules(one, known) for key, one in value.items()}
    name = part.get("class_name")
    if not isinstance(name, str) or "module" in part or name.startswith("__"):
        return part
    if _is_operation(value) and name in known:
        part |= {"module": known[name].__module__, "registered_name": name}
    else:
        own = unlisted().get(name)
        module = own.__module__ if own is not None else MODEL_MODULES.get(name, "keras.layers")
        part |= {"module": module, "registered_name": name if own is not None or name == "Functional" else None}
    return part
