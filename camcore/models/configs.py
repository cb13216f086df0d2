"""A model's configuration searched for code: Lambda layers and classes that are not Keras's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from camcore.files import Json

if TYPE_CHECKING:
    import keras

RUN_CODE = frozenset(
    ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "PyFunc", "EagerPyFunc")
)
"""Keras's own classes that run what the file holds."""
_READ_FILES = ("vocabulary", "idf_weights")
"""Options of Keras's lookup layers that may name a file, whose lines are then read."""
_OWN = ("keras", "tf_keras", "tensorflow", "builtins")
_OLD = """
TFOpLambda SlicingOpLambda TensorFlowOpLayer ClassMethod InstanceMethod InstanceProperty Model Policy PolicyV1 PolicyV2
RandomHeight RandomWidth ThresholdedReLU LocallyConnected1D LocallyConnected2D BatchNormalizationV1 BatchNormalizationV2
SyncBatchNormalization ListWrapper TensorShape TypeSpec CuDNNLSTM CuDNNGRU Functional
"""
_KERAS_2 = frozenset(_OLD.split())
_PACKAGE = "Custom>"  # under which keras.applications registered a layer of its own
_TRAINING = frozenset(("compile_config", "optimizer", "loss", "metrics"))  # of no use here, and not looked at


@dataclass(frozen=True)
class Foreign:
    """A part of a configuration that brings its own code. ``layer``: the layer's name, "" where it has none.

    ``runs_code``: the code lies in the file itself; else ``name`` has to be given by somebody who has it.
    ``reads``: another file that it would read, "" for none. ``module``: where its code was when it was saved, "" where
    the file does not say.
    """

    name: str
    layer: str
    runs_code: bool
    reads: str = ""
    module: str = ""


def foreign_parts(config: Json, known: Callable[[str], bool]) -> tuple[Foreign, ...]:
    """The parts that are not plain Keras, each once, in the order of the file.

    ``known``: whether there is a class or function registered under a name.
    """
    return tuple(dict.fromkeys(_search(config, lambda part, layer: _code(part, layer) or _foreign(part, layer, known))))


def code_parts(config: Json) -> tuple[Foreign, ...]:
    """Those of them that run code of the file or read other files: told by their names alone, without TensorFlow."""
    return tuple(dict.fromkeys(_search(config, _code)))


def _search(value: Json, judge: Callable[[Mapping[str, Json], str], Foreign | None]) -> Iterator[Foreign]:
    stack = [(value, "")]
    while stack:  # not by recursion: a file may nest deeper than Python goes
        value, layer = stack.pop()
        if isinstance(value, list):
            stack.extend((one, layer) for one in reversed(value))
        if not isinstance(value, Mapping):
            continue
        config = value.get("config")
        if isinstance(value.get("class_name"), str):
            named = config.get("name") if isinstance(config, Mapping) else None
            named = value.get("name", named)
            layer = named if isinstance(named, str) and config is not None else layer
        if isinstance(value.get("class_name"), str):
            foreign = judge(value, layer)
            if foreign is not None:
                yield foreign
        stack.extend((one, layer) for key, one in reversed(tuple(value.items())) if key not in _TRAINING)


def _code(part: Mapping[str, Json], layer: str) -> Foreign | None:
    name = part["class_name"]
    if name in RUN_CODE or (isinstance(part.get("node_def"), str) and "PyFunc" in part["node_def"]):
        return Foreign(name, layer, True)
    inside = part.get("config")
    named = [inside.get(key) for key in _READ_FILES] if isinstance(inside, Mapping) else []
    reads = next((one for one in named if isinstance(one, str)), None)
    return None if reads is None else Foreign(name, layer, True, reads)


def _foreign(part: Mapping[str, Json], layer: str, known: Callable[[str], bool]) -> Foreign | None:
    name = part["class_name"]
    module, registered = part.get("module"), part.get("registered_name")
    if name.startswith("__"):  # values that JSON has no form for: tuples, tensors, slices
        return None
    if name == "function" and isinstance(part.get("config"), str):
        function = part["config"]
        plain = _is_activation(function) or known(str(registered)) or known(function)
        return None if plain else Foreign(function, layer, False)
    if name.removeprefix(_PACKAGE) in unlisted() and (name == registered or registered is None or module is not None):
        return None
    given = any(known(str(one)) for one in (registered, name) if one)
    if module is None:
        plain = _is_keras(name) and (registered is None or ">" not in str(registered))
    else:
        plain = str(module).partition(".")[0] in _OWN and ">" not in str(registered)
    home = module if isinstance(module, str) else ""
    return None if plain or given else Foreign(str(registered or name), layer, False, module=home)


def _is_keras(name: str) -> bool:
    """Tell whether a class that is named without its module is one of Keras 3's or 2's own."""
    import keras

    homes = (keras, keras.layers, keras.models, keras.initializers, keras.regularizers, keras.constraints)
    more = (keras.dtype_policies, keras.losses, keras.optimizers, keras.random)
    return name in _KERAS_2 or name in operations() or any(hasattr(home, name) for home in (*homes, *more))


def unlisted() -> Mapping[str, type[keras.Layer]]:
    """The layers that keras.applications has for itself, by the names under which Keras 2 and 3 write them."""
    import keras

    homes = (keras.applications.ConvNeXtTiny, keras.applications.InceptionResNetV2)
    names = ("LayerScale", "CustomScaleLayer")
    layers = {name: home.__globals__.get(name) for name, home in zip(names, homes, strict=True)}
    return {name: one for name, one in layers.items() if one is not None}


@lru_cache(maxsize=1)
def operations() -> Mapping[str, type]:
    """Keras's operations that are no layers, by the names of their classes."""
    import keras

    known: dict[str, type] = {}
    classes: list[type] = [keras.Operation]
    while classes:
        inner: list[type] = classes.pop().__subclasses__()
        classes += inner
        for one in inner:
            if one.__module__.startswith("keras.") and not issubclass(one, keras.layers.Layer):
                known[one.__name__] = one
    return known


def _is_activation(name: str) -> bool:
    import keras

    return callable(getattr(keras.activations, name, None)) or callable(getattr(keras.ops, name, None))
