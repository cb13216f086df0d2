"""What a weights file holds, read without its numbers; and what is refused before anything in it is used."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camcore.errors import ModelError

Shape = tuple[int, ...]

_HEADS = ("predictions", "conv_preds", "logits")  # the heads' names in keras.applications
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Contents:
    """What a weights file holds, read without its numbers."""

    legacy: bool  # Keras 2's layout, which Keras' downloads have
    layers: dict[str, list[Shape]]  # layer name → shapes of its arrays


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
        with path.open("rb") as file:
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
    return biases[0] if len(biases) == 1 else None


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
        f"'{path}' holds a whole model. Whole models are not taken: rebuilding one can run code that is hidden in it, "
        "on the machine that this runs on. Where you trust the file, load it on a machine of your own and save its "
        "weights alone: keras.models.load_model(file).save_weights('mine.weights.h5'). Or name a Python function that "
        "builds it in CAMCORE_MODELS."
    )


def read_contents(path: Path) -> Contents:
    """The layers of a weights file. Raises ModelError where it is damaged or holds no Keras weights."""
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


def _contents(file: Any, path: Path) -> Contents:
    """Walk the datasets by hard links only, so that a file cannot lead to another one."""
    import h5py

    legacy = "model_weights" in file or any(name.startswith("layer_names") for name in file.attrs)
    roots = ("layers", "_layer_checkpoint_dependencies")  # the second is Keras 2.13's
    if not legacy and not any(root in file for root in roots):
        raise ModelError(
            f"'{path}' is an HDF5 file without Keras weights: it holds "
            f"{', '.join(list(file)[:5]) or 'nothing'}, and Keras keeps weights under 'layers'. "
            "Give a file that model.save_weights('….weights.h5') wrote."
        )
    layers: dict[str, list[Shape]] = {}

    def visit(name: str, item: Any) -> None:
        parts = name.split("/")
        if not isinstance(item, h5py.Dataset) or "seed_generator" in parts:
            return
        if legacy and parts[0] != "optimizer_weights":
            layer = parts[-2] if len(parts) > 1 else ""
        elif not legacy and parts[0] in roots:
            layer = str(item.parent.attrs.get("name", "/".join(parts[1:-2])))
        else:
            return
        layers.setdefault(layer, []).append(tuple(item.shape))

    file.visititems(visit)
    return Contents(legacy, layers)


def damaged(path: Path, what: str, error: Exception | None = None) -> ModelError:
    """The error for a file that is broken."""
    reason = f": {' '.join(str(error).split())[:300]}" if error is not None else ""
    return ModelError(
        f"The weights file '{path}' is damaged: {what}{reason}. "
        "A copy or download of it may have broken off. "
        "Replace it with a whole one, or move it away to have it downloaded again."
    )
