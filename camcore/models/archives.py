"""Whole models' files read without running anything: their configuration, and what makes them unfit to be opened."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from camcore.errors import ModelError
from camcore.files import Json, opened_plain, parse_json
from camcore.models.other_formats import HDF5, refuse_foreign

if TYPE_CHECKING:
    import h5py
    import keras

_MOST_CONFIG = 64 << 20  # bytes of a configuration as JSON
_MOST_FILES = 10_000  # in an archive
_SMALL = 256 << 20  # bytes that any file may unpack to
_MOST_GROWTH = 50  # times its own size that a file may unpack to beyond that
_FREE_NUMBERS = 256 << 20  # bytes that a model may have beyond its file
_MOST_NUMBERS = 4  # times the file's own numbers: narrower types, and what is not saved
_MOST_LAYERS = 5_000  # of a model and all models within it
_MOST_IN_A_ROW = 300  # of a Sequential model: the time that Keras takes grows with their square
WEIGHTS = "model.weights.h5"


@dataclass(frozen=True)
class WholeModel:
    """A whole model's file, not yet opened. ``form``: "keras" (an archive) or "hdf5".

    ``config``: the model's configuration as JSON has it. ``version``: of the Keras that wrote it, "" where it does
    not say, as Keras 1 did not. ``stored``: bytes of all arrays in the file.
    """

    path: Path
    form: str
    config: dict[str, Json]
    version: str
    stored: int = 0

    @property
    def old(self) -> bool:
        """True where Keras 2, tf.keras or an older one wrote it."""
        return not self.version or int(self.version.partition(".")[0]) < 3


def read_whole(path: str | os.PathLike[str]) -> WholeModel:
    """The description of a whole model read from its file. Needs no TensorFlow, runs nothing.

    Raises ModelError where it is no Keras model (and says what it is), where it is damaged, holds weights alone, leads
    outside of itself, or claims to unpack to far more than it is.
    """
    path = Path(path)
    refuse_foreign(path)
    with opened_plain(path) as file:
        hdf5 = file.read(len(HDF5)) == HDF5
    return _from_hdf5(path) if hdf5 else _from_archive(path)


# ---- .keras


def _from_archive(path: Path) -> WholeModel:
    with _reading(path), zipfile.ZipFile(path) as archive:
        _check_archive(path, archive)
        config = _json(path, archive.read("config.json"))
        metadata = _json(path, archive.read("metadata.json")) if "metadata.json" in archive.namelist() else {}
        if WEIGHTS not in archive.namelist():
            raise ModelError(
                f"'{path}' holds no {WEIGHTS}. Without weights the network knows nothing. Save it again: "
                "model.save('my_model.keras')."
            )
        bad = archive.testzip() if path.stat().st_size < _SMALL else None
        if bad is not None:
            raise ModelError(f"'{path}' is damaged: {bad} in it has a wrong checksum. Copy it again.")
        with archive.open(WEIGHTS) as file:
            stored = _check_hdf5(path, file)
    return WholeModel(path, "keras", config, _version(metadata.get("keras_version")), stored)


def _check_archive(path: Path, archive: zipfile.ZipFile) -> None:
    infos = archive.infolist()
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in info.filename:
            raise _unfit(path, f"an entry of it is to be written outside ({info.filename[:80]!r})")
        if info.flag_bits & 1:
            raise _unfit(path, "it is encrypted")
    claimed = sum(info.file_size for info in infos)
    _check_growth(path, claimed)
    if len(infos) > _MOST_FILES:
        raise _unfit(path, f"it holds {len(infos):,} files")
    if archive.getinfo("config.json").file_size > _MOST_CONFIG:
        raise _unfit(path, f"its configuration has more than {_MOST_CONFIG >> 20} MB")


# ---- HDF5


def _from_hdf5(path: Path) -> WholeModel:
    import h5py

    with _reading(path), h5py.File(path, "r") as file:
        stored = _check_hdf5(path, path)
        if "model_config" not in file.attrs:
            raise _weights_alone(path, file)
        config = _json(path, file.attrs["model_config"])
        version = file.attrs.get("keras_version", file.get("model_weights", file).attrs.get("keras_version", ""))
    return WholeModel(path, "hdf5", config, _version(version), stored)


def _weights_alone(path: Path, file: h5py.File) -> ModelError:
    kinds = ("layers", "_layer_checkpoint_dependencies", "vars")
    if "layer_names" in file.attrs or any(name in file for name in kinds):
        return ModelError(
            f"'{path}' holds weights alone, no whole model: what they are the weights of is not in it. Name the "
            "architecture as the model and this file as its weights (--model MobileNetV2 --weights FILE), or save the "
            "whole model: model.save('my_model.keras')."
        )
    return ModelError(
        f"'{path}' is an HDF5 file without a Keras model: it holds {', '.join(list(file)[:5]) or 'nothing'}. Keras "
        "keeps a model's configuration in the attribute model_config. Give a file that model.save wrote."
    )


def _check_hdf5(path: Path, source: Path | IO[bytes]) -> int:
    """The bytes of all arrays of an HDF5 file.

    Raises ModelError where links or arrays lead outside, or arrays are not what they claim.
    """
    import h5py

    from camcore.models.hdf5_arrays import stored_arrays

    with h5py.File(source, "r") as file:
        claimed = sum(one.size for one in stored_arrays(file, lambda what: _unfit(path, what)))
    _check_growth(path, claimed)
    return claimed


# ---- both


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever h5py and zipfile stumble over in a damaged file, in a sentence."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # their C code and parsers raise many kinds
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(
            f"'{path}' is damaged: it cannot be read ({path.stat().st_size:,} bytes): {reason}. A copy or download of "
            "it may have broken off. Copy it again."
        ) from error


def _check_growth(path: Path, claimed: int) -> None:
    size = path.stat().st_size
    if claimed > _SMALL and claimed > _MOST_GROWTH * size:
        raise _unfit(path, f"its {size:,} bytes claim to unpack to {claimed:,}")


def _unfit(path: Path, what: str) -> ModelError:
    return ModelError(
        f"'{path}' is not opened: {what}. No file that Keras wrote does that. Get the model from where it was made."
    )


def _json(path: Path, text: str | bytes) -> dict[str, Json]:
    try:
        config = parse_json(text)
    except (TypeError, ValueError) as error:
        raise ModelError(f"'{path}' is damaged: its configuration is not JSON ({error}). Copy it again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"'{path}' is damaged: its configuration is no JSON object. Copy it again.")
    _check_layers(path, config)
    return config


def _check_layers(path: Path, config: dict[str, Json]) -> None:
    """Raise ModelError where a configuration has more layers than any model has, whose building would take hours."""
    stack: list[Json] = [config]
    number = 0
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            stack.extend(part)
        elif isinstance(part, dict):
            layers = part.get("layers")
            most = _MOST_IN_A_ROW if not isinstance(part.get("output_layers"), list) else _MOST_LAYERS
            number += len(layers) if isinstance(layers, list) else 0
            if isinstance(layers, list) and (len(layers) > most or number > _MOST_LAYERS):
                raise ModelError(
                    f"'{path}' is not opened: it has {number:,} layers, and building so many takes "
                    f"hours (at most {most:,} are taken). Get the model from where it was made."
                )
            stack.extend(part.values())


def _version(version: object) -> str:
    text = version.decode("utf-8", "replace") if isinstance(version, bytes) else str(version or "")
    return text if text[:1].isdigit() else ""


# ---- the model that it describes


def check_size(whole: WholeModel, build: Callable[[], keras.Model]) -> None:
    """Raise ModelError where a model would have far more numbers than its file.

    ``build`` makes the keras.Model from the configuration; it is called as ``planned`` does. Raises what it raises.
    """
    from camcore.models.planned import planned

    plan = planned(build)
    size = 0 if plan is None else sum(4 * math.prod(shape) for _, shape in plan.weights)
    if size > _FREE_NUMBERS + _MOST_NUMBERS * whole.stored:
        raise ModelError(
            f"'{whole.path}' is not opened: its configuration describes a model of {size:,} bytes, and the file "
            f"has numbers for {whole.stored:,}. No file that Keras wrote does that. Get the model from where it was "
            "made."
        )
