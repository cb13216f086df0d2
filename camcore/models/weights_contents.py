"""The contents of a weights file, read without its numbers; what is unfit is refused before it is used."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.files import Json, opened_plain

if TYPE_CHECKING:
    import h5py

    from camcore.models.hdf5_arrays import StoredArray

Shape = tuple[int, ...]

_HEADS = ("predictions", "conv_preds", "logits")  # the heads' names in keras.applications
_MODEL_LAYERS = 5  # layers with weights that a layer holds which is a model itself; attention has four
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FREE_NUMBERS = 16 << 20  # bytes that arrays may claim beyond their file
_MOST_NUMBERS = 4  # times the file: what is not stored, and what is compressed
_MOST_CLASSES = 100_000  # as many as a saved network may have


@dataclass(frozen=True)
class Contents:
    """The contents of a weights file."""

    legacy: bool  # Keras 2's layout, which Keras' downloads have
    layers: dict[str, list[Shape]]  # layer name → shapes of its arrays
    within: tuple[Shape, ...] = ()  # of the arrays of a model that is a layer of the one that was saved


def check_file(path: str | os.PathLike[str]) -> Path:
    """The path with ``~`` filled in; ModelError where there is no HDF5 file. Quick, and needs no model."""
    path = Path(path).expanduser()
    if not path.exists():
        raise ModelError(
            f"The weights file '{path}' does not exist. Weights are a file's path, 'imagenet' or 'random'. "
            "Correct the path."
        )
    if not path.is_file():
        raise ModelError(f"'{path}' is not a file, so no weights can be read from it. Name the file itself.")
    try:
        with opened_plain(path) as file:
            start = file.read(len(_SIGNATURE))
    except OSError as error:
        raise ModelError(
            f"The weights file '{path}' cannot be opened: {error.strerror or error}. Allow reading it."
        ) from error
    if start != _SIGNATURE:
        raise ModelError(
            f"'{path}' is not an HDF5 file ({_kind(start)}), so it holds no weights that Keras can read. "
            "Give a file that model.save_weights('….weights.h5') wrote, or Keras' own download."
        )
    return path


def head_outputs(path: str | os.PathLike[str]) -> int | None:
    """The number of outputs of the classifier whose weights a file holds; None where its head cannot be told.

    Told from the names that the classifiers of keras.applications give their heads. Raises ModelError as
    ``load_weights`` does where there is no readable file of weights.
    """
    layers = read_contents(check_file(path)).layers
    shapes = next((layers[name] for name in _HEADS if name in layers), [])
    biases = [shape[0] for shape in shapes if len(shape) == 1]
    if len(biases) != 1:
        return None
    if biases[0] > _MOST_CLASSES:
        raise _unfit(Path(path), f"its head claims {biases[0]:,} classes, and at most {_MOST_CLASSES:,} are taken")
    return biases[0]


def head_options(path: str | os.PathLike[str]) -> dict[str, Json]:
    """The constructor's options for the head whose weights a file holds; none where the head cannot be told.

    A head of one output is that of two classes, which ends in a sigmoid. Raises ModelError as ``head_outputs`` does.
    """
    outputs = head_outputs(path)
    if outputs is None:
        return {}
    return {"classes": outputs} | ({"classifier_activation": "sigmoid"} if outputs == 1 else {})


def refuse_whole_model(path: str | os.PathLike[str]) -> None:
    """Raise ModelError where a file holds a whole model instead of weights alone, or where it cannot be read."""
    path = Path(path).expanduser()
    archive = path.is_file() and zipfile.is_zipfile(path)
    if not archive:
        import h5py

        try:
            with h5py.File(check_file(path), "r") as file:
                if "model_config" not in file.attrs:
                    return
        except ModelError:
            raise
        except Exception as error:  # h5py raises whatever it stumbles over in a damaged file
            raise damaged(path, f"it cannot be read ({path.stat().st_size:,} bytes)", error) from error
    raise ModelError(
        f"'{path}' holds a whole model, not weights alone. Opening one can run code that is hidden in it, so none is "
        "taken from a visitor. Whoever runs this program names the file itself: camcore explain PICTURE --model FILE, "
        'or for the app CAMCORE_MODELS="name=FILE". Or save its weights alone: '
        "keras.models.load_model(file).save_weights('mine.weights.h5')."
    )


def read_contents(path: Path) -> Contents:
    """The layers of a weights file, told from its headers.

    Raises ModelError where it is damaged, holds no Keras weights, leads out of itself, or claims more than it stores.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _contents(file, path)
    except ModelError:
        raise
    except Exception as error:  # h5py raises whatever it stumbles over in a damaged file
        raise damaged(path, f"it cannot be read ({path.stat().st_size:,} bytes)", error) from error


def _kind(start: bytes) -> str:
    if not start:
        return "it is empty"
    if start.startswith(b"PK"):
        return "it is a zip archive, perhaps a whole model saved as .keras"
    return f"it begins with {start!r}"


def _contents(file: h5py.File, path: Path) -> Contents:
    from camcore.models.hdf5_arrays import stored_arrays

    arrays = tuple(stored_arrays(file, lambda what: _unfit(path, what)))  # first: no link is followed after it
    _check_claims(path, arrays)
    legacy = "model_weights" in file or any(name.startswith("layer_names") for name in file.attrs)
    roots = ("layers", "_layer_checkpoint_dependencies")  # the second is Keras 2.13's
    if not legacy and not any(root in file for root in roots):
        raise ModelError(
            f"'{path}' is an HDF5 file without Keras weights: it holds "
            f"{', '.join(list(file)[:5])[:200] or 'nothing'}, and Keras keeps weights under 'layers'. "
            "Give a file that model.save_weights('….weights.h5') wrote."
        )
    layers: dict[str, list[Shape]] = {}
    inner: dict[str, list[tuple[str, Shape]]] = {}  # outer layer → its own layers' names and shapes
    for one in arrays:
        parts = one.path
        if "seed_generator" in parts:
            continue
        if legacy and parts[0] != "optimizer_weights":
            layer = parts[-2] if len(parts) > 1 else ""
        elif not legacy and parts[0] in roots:
            layer = one.layer or "/".join(parts[1:-2])
        else:
            continue
        layers.setdefault(layer, []).append(one.shape)
        top = parts[1:] if legacy and parts[0] == "model_weights" else parts
        if legacy and len(top) > 2:
            inner.setdefault(top[0], []).append((top[1], one.shape))
        elif not legacy and any(root in parts[2:] for root in roots):
            inner.setdefault(parts[1], []).append((layer, one.shape))
    held = [one for one in inner.values() if len({name for name, _ in one}) >= _MODEL_LAYERS]
    largest = max(held, key=len, default=[])
    return Contents(legacy, layers, tuple(shape for _, shape in largest))


def _check_claims(path: Path, arrays: tuple[StoredArray, ...]) -> None:
    """Raise ModelError where arrays are no numbers, or claim far more of them than the file can hold."""
    other = next((one for one in arrays if not one.numeric), None)
    if other is not None:
        raise _unfit(path, f"{'/'.join(other.path)[:80]!r} in it holds no numbers")
    claimed, size = sum(one.size for one in arrays), path.stat().st_size
    if claimed > _FREE_NUMBERS + _MOST_NUMBERS * size:
        largest = max(arrays, key=lambda one: one.size)
        raise _unfit(
            path,
            f"its {size:,} bytes claim to hold {claimed:,} ({'/'.join(largest.path)[:80]} alone has the shape "
            f"{'×'.join(map(str, largest.shape))})",
        )


def _unfit(path: Path, what: str) -> ModelError:
    return ModelError(
        f"The weights file '{path}' is not opened: {what}. No file that Keras wrote does that. Save the weights again "
        "where they were made: model.save_weights('mine.weights.h5')."
    )


def damaged(path: Path, what: str, error: Exception | None = None) -> ModelError:
    """The error for a file that is broken."""
    reason = f": {' '.join(str(error).split())[:300]}" if error is not None else ""
    return ModelError(
        f"The weights file '{path}' is damaged: {what}{reason}. "
        "A copy or download of it may have broken off. "
        "Replace it with a whole one, or move it away to have it downloaded again."
    )
