"""The Network of a bare Keras model, kept with the model, so that asking for it again costs no new trace.

It hangs on the model itself, as an entry of its ``__dict__`` that Keras neither tracks nor saves: only so does it live
exactly as long as the model, which it refers to. At most ``MOST`` models have one at a time.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from camcore._compat import all_layers
from camcore.models.wrap import wrap
from camcore.network import Network

if TYPE_CHECKING:
    import keras

MOST = 4
"""Networks kept at most; the least recently used one is dropped."""

_ENTRY = "_camcore_network"
_LOCK = threading.RLock()
_recent: list[weakref.ref[keras.Model]] = []  # the models that have a Network, least recently used first

# Set by compile, fit, evaluate and predict; nothing of it is in the forward pass.
_OF_TRAINING = frozenset(
    {"compiled", "history", "loss", "optimizer", "stop_training", "stop_evaluating", "stop_predicting"}
    | {"train_function", "test_function", "predict_function"}
)


@dataclass(frozen=True, eq=False)
class _Same:
    """An object that equals itself only. It is held: the id of one that is gone can be another's."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


def network_of(model: keras.Model) -> Network:
    """``wrap(model)``, or what it gave for this very model before, where its structure is still the same.

    Structure: its layers and operations, their plain public attributes (sizes, rates, activations and the like) and
    the variables they hold. Other weights, ``trainable``, ``compile`` and ``fit`` change none of that: weights are
    read when a question is asked. What a layer's own code reads from elsewhere is not noticed; ``wrap`` traces anew.
    Safe to use from several threads. Raises what ``wrap`` raises.
    """
    with _LOCK:
        entry = getattr(model, "__dict__", {}).get(_ENTRY)
        if entry is None or entry[1] != _structure(model):
            network = wrap(model)
            entry = model.__dict__[_ENTRY] = (network, _structure(model))  # not earlier: the trace may build the model
        _touch(model)
        network = entry[0]
        return network


def _touch(model: keras.Model) -> None:
    """Make ``model`` the most recently used one, and let go of those beyond the limit."""
    _recent[:] = [one for one in _recent if one() is not None and one() is not model]
    _recent.append(weakref.ref(model))
    while len(_recent) > MOST:
        oldest = _recent.pop(0)()
        if oldest is not None:
            oldest.__dict__.pop(_ENTRY, None)


def _parts(model: keras.Model) -> list[object]:
    """The model, its layers and the operations of its functional parts."""
    layers = [model, *all_layers(model)]
    return layers + [operation for part in layers for operation in getattr(part, "operations", None) or ()]


def _structure(model: keras.Model) -> list[object]:
    """The parts of a model's forward pass, as far as they can be read without running it."""
    parts: list[object] = [_Same(weight) for weight in model.weights]
    for part in _parts(model):
        parts += [_Same(part), *_attributes(part)]
    return parts


def _attributes(part: object) -> Iterator[tuple[str, object]]:
    """A layer's public attributes: plain values by value, functions, tensors and the like by identity."""
    for name, value in list(vars(part).items()):  # another thread may train the model
        if name.startswith("_") or name in _OF_TRAINING:
            continue
        if isinstance(value, (list, tuple, dict)):
            yield name, repr(value)
        else:
            yield name, value if isinstance(value, (bool, int, float, str)) else _Same(value)
    yield "dtype", _Same(getattr(part, "dtype_policy", None))
