"""Networks sent to another process: not the compiled trace is pickled, but what it takes to make the network again.

A network that ``load`` made is loaded again there, from the same name or file; where that does not give the same
weights, ``ModelError`` says so. One that ``wrap`` made takes its model along, as the bytes of a ``.keras`` file.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import pickle
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import numpy as np

from camcore._compat import all_layers
from camcore.errors import CamcoreError, ModelError
from camcore.graph.trace import first_line
from camcore.models.archives import read_whole
from camcore.models.configs import foreign_parts
from camcore.origin import LoadArguments

if TYPE_CHECKING:
    from camcore.network import Network

_Given = ParamSpec("_Given")


def remembered(wrap: Callable[_Given, Network]) -> Callable[_Given, Network]:
    """``wrap``, whose networks know how to be sent: with their model, and the arguments with which they were made."""
    signature = inspect.signature(wrap)

    @functools.wraps(wrap)
    def wrapped(*arguments: _Given.args, **options: _Given.kwargs) -> Network:
        network = wrap(*arguments, **options)
        (_, *named) = signature.bind(*arguments, **options).arguments.items()
        given = dict(named)
        if not isinstance(given.get("labels"), list | tuple | dict | None):
            given["labels"] = network.labels  # an iterator is used up by now
        network.send = functools.partial(_send_model, wrapped, given)
        return network

    return wrapped


def send_as_loaded(network: Network, arguments: LoadArguments, load: Callable[..., Network]) -> None:
    """Have a network that ``load`` made sent as what it was loaded from; random weights go with their model."""
    network.load_arguments = arguments
    if arguments.weights != "random":
        network.send = functools.partial(_send_loaded, load)


def renamed(network: Network, name: str) -> Network:
    """The network under another name than its file's."""
    network.name = name
    if network.load_arguments is not None:
        network.load_arguments = replace(network.load_arguments, called=name)
    return network


def weights_hash(network: Network) -> str:
    """SHA-256 over all weights, in the model's order: two networks with the same one are the same.

    Names of layers do not count: those that Keras makes up tell how many it had made before.
    """
    digest = hashlib.sha256()
    for weight in network.model.weights:
        array = np.ascontiguousarray(weight.numpy())
        digest.update(f"{weight.name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _send_loaded(load: Callable[..., Network], network: Network) -> tuple[object, ...]:
    assert network.load_arguments is not None
    _check(network, network.load_arguments.options)
    return _loaded, (load, network.load_arguments, weights_hash(network))


def _send_model(wrap: Callable[..., Network], given: Mapping[str, object], network: Network) -> tuple[object, ...]:
    _check(network, given)
    classes = _own_classes(network)
    return _wrapped, (wrap, _as_bytes(network), dict(given), network.load_arguments, classes)


def _own_classes(network: Network) -> dict[str, type]:
    """The classes of the model and its layers that are not Keras's own, by the names they go by in its file.

    They are pickled by reference, so that their modules are imported there. Raises CamcoreError where one cannot be.
    """
    import keras

    kinds = {type(layer) for layer in all_layers(network.model, itself=True)}
    own = {keras.saving.get_registered_name(kind): kind for kind in kinds if kind.__module__.split(".")[0] != "keras"}
    for kind in own.values():
        try:
            pickle.dumps(kind)
        except Exception as error:  # pickling looks the class up, and may meet anything
            raise CamcoreError(
                f"The network {network.name!r} cannot be sent to another process: its class {kind.__qualname__} is not "
                f"found there ({type(error).__name__}). A class goes by its module and name, which one made within a "
                "function does not have. Move it to the top of a module."
            ) from error
    return own


def _check(network: Network, given: Mapping[str, object]) -> None:
    """Raise CamcoreError for an argument that cannot be pickled."""
    for name, value in given.items():
        try:
            pickle.dumps(value)
        except Exception as error:  # pickling asks the object, which may raise anything
            raise CamcoreError(
                f"The network {network.name!r} cannot be sent to another process: its {name!r} cannot be pickled "
                f"({type(error).__name__}: {' '.join(str(error).split())[:120]}). A lambda or a function within a "
                "function cannot go there. Use a function of a module, or a name: load(…, preprocess='tf')."
            ) from error


def _as_bytes(network: Network) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        try:
            network.model.save(path)
            _check_code(path)
        except Exception as error:  # Keras, or a layer of one's own that has no get_config
            raise CamcoreError(
                f"The network {network.name!r} cannot be sent to another process: its model cannot be written as a "
                f".keras file ({' '.join(str(error).split())[:200].rstrip('.')}). Its layers need a get_config, and "
                "classes of one's own @keras.saving.register_keras_serializable. Or save it where it can be, and load "
                "it from the file there."
            ) from error
        return path.read_bytes()


def _check_code(path: Path) -> None:
    """Raise ValueError where the model holds Python code that could not be read there."""
    part = next((one for one in foreign_parts(read_whole(path).config, lambda _: True) if one.runs_code), None)
    if part is not None:
        raise ValueError(f"its layer {part.layer!r} is a {part.name}, whose code is not sent")


def _loaded(load: Callable[..., Network], arguments: LoadArguments, sha256: str) -> Network:
    network = renamed(load(arguments.source, arguments.weights, **arguments.options), arguments.called)
    if weights_hash(network) != sha256:
        raise ModelError(
            f"The network {arguments.called!r} that was sent here has other weights: {arguments.source!r} gives others "
            "here, or they were changed there after loading. Save the network to a file, and load that on both sides."
        )
    return network


def _wrapped(
    wrap: Callable[..., Network],
    model: bytes,
    given: Mapping[str, object],
    arguments: LoadArguments | None,
    classes: Mapping[str, type],
) -> Network:
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(model)
        try:
            whole = keras.models.load_model(path, compile=False, custom_objects=dict(classes))
        except Exception as error:  # a layer of one's own is made again, which may raise anything
            raise ModelError(
                f"The model of a network that was sent here could not be made again: {first_line(error)}. What is in "
                "its file is not enough for a layer or a function of one's own. Give its layers a get_config, and "
                "register functions with @keras.saving.register_keras_serializable."
            ) from error
        network = wrap(whole, **given)
    network.load_arguments = arguments
    return network
