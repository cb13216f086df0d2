"""Weights out of a model, into a file: whole or not at all, and kernels in half precision where that is wanted."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from camcore._compat import all_layers
from camcore.errors import ModelError
from camcore.files import replaced_whole

if TYPE_CHECKING:
    import h5py
    import keras

_SUFFIX = ".weights.h5"  # what Keras asks of the name of a weights file
_HALF_LIMIT = 65504  # the largest number of half precision
_BYTES_AROUND = 4096  # what HDF5 writes around an array and around a layer, generously


def save_weights(model: keras.Model, path: Path, half: bool = False) -> None:
    """Write a model's weights to a ``.weights.h5`` file, whole or not at all. OSError where it cannot be written.

    ``half``: arrays of two or more axes in half precision.
    """
    with replaced_whole(path, _SUFFIX, sync=True) as part:
        _check_room(part, _bytes_of(model) * (2 if half else 1))
        model.save_weights(part, overwrite=True)
        if half:
            with replaced_whole(part, _SUFFIX) as short:
                _halve(part, short)


def save_whole(model: keras.Model, path: Path) -> None:
    """Write a whole model to a ``.keras`` file, whole or not at all. OSError where it cannot be written.

    Raises ModelError where the model cannot be described.
    """
    with replaced_whole(path, ".keras", sync=True) as part:
        _check_room(part, _bytes_of(model))
        try:
            model.save(part)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise ModelError(
                f"The model {model.name!r} cannot be saved: {' '.join(str(error).split())[:200].rstrip('.')}. Keras "
                "writes each layer by its get_config(). Give layers of your own one."
            ) from error


def check_finite(model: keras.Model, name: str, half: bool = False) -> None:
    """Raise ModelError where a weight is no finite number, or with ``half`` too large for half precision."""
    for variable in model.weights:
        values = np.asarray(variable.value)
        if values.dtype.kind != "f" or not values.size:
            continue
        largest = float(np.abs(values).max())
        if not np.isfinite(largest):
            raise ModelError(
                f"The network {name!r} is not fit to be saved: {variable.path!r} holds values that are no finite "
                "numbers. Its training went astray. Train anew with a smaller rate."
            )
        if half and values.ndim >= 2 and largest > _HALF_LIMIT:
            raise ModelError(
                f"The network {name!r} cannot be saved in half precision: {variable.path!r} holds {largest:.3g}, and "
                f"half precision ends at {_HALF_LIMIT}. Save it in single precision."
            )


def _bytes_of(model: keras.Model) -> int:
    """A little more than the model's weights take on disk."""
    numbers = sum(int(np.prod(variable.shape)) * np.dtype(variable.dtype).itemsize for variable in model.weights)
    return numbers + _BYTES_AROUND * (len(model.weights) + len(all_layers(model, itself=True)) + 16)


def _check_room(path: Path, size: int) -> None:
    """Raise OSError where a file of that size cannot be written.

    The HDF5 library takes the whole process down where the disk gets full while it writes, so the room is taken
    beforehand.
    """
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _halve(source: Path, target: Path) -> None:
    import h5py

    def copy(into: h5py.Group, group: h5py.Group) -> None:
        into.attrs.update(group.attrs)
        for key, item in group.items():
            if isinstance(item, h5py.Group):
                copy(into.create_group(key), item)
                continue
            values = item[()]
            if values.ndim >= 2 and values.dtype == np.float32:
                values = values.astype(np.float16)
            into.create_dataset(key, data=values).attrs.update(item.attrs)

    with h5py.File(source, "r") as whole, h5py.File(target, "w") as short:
        copy(short, whole)
