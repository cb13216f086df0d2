"""The weights of a whole model of Keras 2 into its twin of Keras 3: every one of them, or an error."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from camcore._compat import own_variables
from camcore.errors import ModelError
from camcore.models.archives import WEIGHTS, WholeModel

if TYPE_CHECKING:
    import h5py
    import keras
from camcore.models.keras2.layers import Piece


def load_keras2_weights(whole: WholeModel, piece: Piece) -> None:
    """Set every weight of the model that was built from the file. Raises ModelError where one is left or differs."""
    import h5py

    assigned: dict[int, keras.Variable] = {}
    try:
        if whole.form == "hdf5":
            with h5py.File(whole.path, "r") as file:
                _from_groups(whole, file["model_weights"], piece, assigned)
        else:
            with zipfile.ZipFile(whole.path) as archive, archive.open(WEIGHTS) as inner, h5py.File(inner, "r") as file:
                _from_store(whole, file, piece, assigned)
    except ModelError:
        raise
    except Exception as error:  # h5py, NumPy or TensorFlow stumbles over a file that was changed
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(".")
        raise _misfit(whole, f"its weights are not where Keras 2 keeps them ({reason})") from error
    unset = [variable.path for variable in piece.layer.weights if id(variable) not in assigned]
    if unset:
        raise _misfit(whole, f"it has no numbers for {unset[0]!r} (nor for {len(unset) - 1} more)")
    for one in _layers(piece):
        if hasattr(one, "finalize_state"):
            one.finalize_state()


def _layers(piece: Piece) -> Iterator[keras.Layer]:
    for one in piece.inside or ():
        if one.inside is not None:
            yield from _layers(one)
        elif one.layer is not None:
            yield one.layer


def _assign(
    whole: WholeModel, pairs: Sequence[tuple[keras.Variable, h5py.Dataset]], assigned: dict[int, keras.Variable]
) -> None:
    for variable, values in pairs:
        if tuple(variable.shape) != tuple(values.shape):
            raise _misfit(
                whole, f"{variable.path!r} has the shape {tuple(variable.shape)}, in the file {tuple(values.shape)}"
            )
        variable.assign(np.asarray(values))
        assigned[id(variable)] = variable


# ---- HDF5: a group for each layer of the outermost model, with the names of its arrays in order


def _from_groups(whole: WholeModel, file: h5py.Group, piece: Piece, assigned: dict[int, keras.Variable]) -> None:
    for one in piece.inside or ():
        if one.layer is None or one.name not in file:
            continue
        names = _names(file[one.name].attrs, "weight_names")
        if names:
            arrays = [(name, file[one.name][name]) for name in names]
            _assign(whole, _matched(whole, one, arrays), assigned)


def _names(attributes: h5py.AttributeManager, key: str) -> list[str]:
    """A list of names; a long one lies in several attributes, with numbers at their ends."""
    chunks = [attributes[key]] if key in attributes else []
    while f"{key}{len(chunks)}" in attributes:
        chunks.append(attributes[f"{key}{len(chunks)}"])
    return [name.decode("utf-8") if isinstance(name, bytes) else str(name) for chunk in chunks for name in chunk]


def _matched(
    whole: WholeModel, piece: Piece, arrays: Sequence[tuple[str, h5py.Dataset]]
) -> list[tuple[keras.Variable, h5py.Dataset]]:
    """Variables with their arrays: by names where these tell them apart, else by Keras 2's order."""
    variables = list(piece.layer.weights)
    if len(variables) != len(arrays):
        raise _misfit(
            whole, f"its layer {piece.name!r} has {len(arrays)} arrays in the file, and needs {len(variables)}"
        )
    arrays = [(_renamed(name, piece), values) for name, values in arrays]
    for parts in (None, 3, 2):
        wanted = [_tail(variable.path, parts) for variable in variables]
        by_tail = {_tail(name, parts): values for name, values in arrays}
        if len(by_tail) == len(arrays) and set(wanted) == set(by_tail):
            return [(variable, by_tail[key]) for variable, key in zip(variables, wanted, strict=True)]
    in_order = [*piece.layer.trainable_weights, *piece.layer.non_trainable_weights]
    return list(zip(in_order, (values for _, values in arrays), strict=True))


def _renamed(name: str, piece: Piece) -> str:
    """An array's name with its layer's as Keras 3 takes it, without slashes."""
    for one in (piece, *(piece.inside or ())):
        if "/" in one.name:
            name = name.replace(f"{one.name}/", f"{one.name.replace('/', '_')}/")
    return name


def _tail(name: str, parts: int | None) -> tuple[str, ...]:
    """The last parts of a variable's name, without the number of its output."""
    split = re.sub(r":\d+$", "", name).split("/")
    return tuple(split if parts is None else split[-parts:])


# ---- .keras: groups named by the layers' classes, numbered in the order of the model


def _from_store(whole: WholeModel, group: h5py.Group, piece: Piece, assigned: dict[int, keras.Variable]) -> None:
    roots = [group[name] for name in ("_layer_checkpoint_dependencies", "layers") if name in group]
    used: dict[str, int] = {}
    seen: set[int] = set()
    for one in piece.inside or ():
        if one.layer is not None and id(one.layer) in seen:
            continue
        seen.add(id(one.layer))
        name = _snake_case(one.kind)
        number = used[name] = used.get(name, -1) + 1
        name = f"{name}_{number}" if number else name
        inner = next((root[name] for root in roots if name in root), None)
        if inner is None or one.layer is None:
            continue
        if one.inside is not None:
            _from_store(whole, inner, one, assigned)
        else:
            _from_layer(whole, inner, one.layer, assigned)


def _from_layer(whole: WholeModel, group: h5py.Group, layer: keras.Layer, assigned: dict[int, keras.Variable]) -> None:
    """A layer's own variables, then those of the layers that it holds as attributes."""
    held = group.get("vars")
    if held is not None and len(held):
        own = own_variables(layer)
        own = [variable for variable in own if any(variable is one for one in layer.weights)]
        if len(own) != len(held):
            raise _misfit(whole, f"its layer {layer.name!r} has {len(held)} arrays in the file, and needs {len(own)}")
        _assign(whole, [(variable, held[str(place)]) for place, variable in enumerate(own)], assigned)
    for key in group:
        inner = getattr(layer, key, None) if key != "vars" else None
        if hasattr(inner, "weights"):
            _from_layer(whole, group[key], inner, assigned)


def _snake_case(name: str) -> str:
    """As Keras 2 made names of classes."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _misfit(whole: WholeModel, what: str) -> ModelError:
    return ModelError(
        f"The weights of the Keras 2 model '{whole.path}' cannot be set: {what}. It was written by a version that "
        "camcore does not know, or was changed. With the installation that made it, save it as .h5 and as .keras, and "
        "try both."
    )
