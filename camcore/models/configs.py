"""A model's configuration searched for code: Lambda layers and classes that are not Keras's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_RUN_CODE = frozenset(
    ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "PyFunc", "EagerPyFunc")
)
"""Keras's own classes that run what the file holds."""
_OWN = ("keras", "tf_keras", "tensorflow", "builtins")
_PLAIN = frozenset(("__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__complex__"))
_TRAINING = frozenset(("compile_config", "optimizer", "loss", "metrics"))  # of no use here, and not looked at


@dataclass(frozen=True)
class Foreign:
    """A part of a configuration that brings its own code. ``layer``: the layer's name, "" where it has none.

    ``runs_code``: the code lies in the file itself; else ``name`` has to be given by somebody who has it.
    """

    name: str
    layer: str
    runs_code: bool


def foreign_parts(config: Any, known: Callable[[str], bool]) -> tuple[Foreign, ...]:
    """The parts that are not plain Keras, each once, in the order of the file.

    ``known``: whether there is a class or function registered under a name.
    """
    return tuple(dict.fromkeys(_search(config, "", known)))


def _search(value: Any, layer: str, known: Callable[[str], bool]) -> Iterator[Foreign]:
    stack = [(value, layer)]
    while stack:  # not by recursion: a file may nest deeper than Python goes
        value, layer = stack.pop()
        if isinstance(value, list):
            stack.extend((one, layer) for one in reversed(value))
        if not isinstance(value, Mapping):
            continue
        config = value.get("config")
        if isinstance(config, Mapping) and isinstance(config.get("name"), str):
            layer = config["name"]
        if isinstance(value.get("class_name"), str):
            found = _foreign(value, layer, known)
            if found is not None:
                yield found
        stack.extend((one, layer) for key, one in reversed(tuple(value.items())) if key not in _TRAINING)


def _foreign(part: Mapping[str, Any], layer: str, known: Callable[[str], bool]) -> Foreign | None:
    name = part["class_name"]
    if name in _PLAIN:
        return None
    module, registered = part.get("module"), part.get("registered_name")
    if name in _RUN_CODE or (isinstance(part.get("node_def"), str) and "PyFunc" in part["node_def"]):
        return Foreign(name, layer, True)
    if name == "function" and isinstance(part.get("config"), str):
        function = part["config"]
        plain = _is_activation(function) or known(str(registered)) or known(function)
        return None if plain else Foreign(function, layer, False)
    own = module is None or str(module).partition(".")[0] in _OWN
    if own and (registered is None or ">" not in str(registered)):
        return None if ">" not in name or known(name) else Foreign(name, layer, False)
    names = [str(one) for one in (registered, name) if one]
    return None if any(known(one) for one in names) else Foreign(names[0], layer, False)


def _is_activation(name: str) -> bool:
    import keras

    return callable(getattr(keras.activations, name, None)) or callable(getattr(keras.ops, name, None))
