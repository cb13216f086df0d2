"""Weights files: where they lie, how they come from Keras' server, and how they get into a model.

This module knows files, not backbones: which file a backbone wants is told by :mod:`camcore.backbones`.
A file that somebody put in place is never changed or deleted, whatever is wrong with it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camcore.errors import ModelError
from camcore.files import replaced_whole
from camcore.models import downloaded
from camcore.models.weights_contents import Contents, Shape, check_file, damaged, read_contents

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all (0 where the server does not say); may raise to stop."""

TIMEOUT_SECONDS = 10.0  # to connect, and for each silence while reading
_CHUNK = 1 << 18
_HEAD_ARRAYS = 6  # at most, of a classifier of keras.applications: VGG's three Dense layers


@dataclass(frozen=True)
class WeightsFile:
    """A weights file that Keras publishes."""

    name: str  # in Keras' cache; the address may end in another one
    url: str
    hash: str  # md5 or sha256 in hexadecimal; "" where Keras gives none


# --- where files lie -------------------------------------------------------------------------------------


def keras_cache() -> Path:
    """The folder that Keras downloads weights to, whether or not it exists yet.

    Source: ``keras.backend.config.keras_home`` and ``keras.utils.get_file``, followed here so that a listing
    needs no Keras import.
    """
    temporary = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()) / ".keras"
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    existing = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    return (home if os.access(existing, os.W_OK) else temporary) / "models"


def search_folders() -> tuple[Path, ...]:
    """The folders looked through for weights, in order: those of ``CAMCORE_WEIGHTS``, then Keras' cache."""
    named = os.environ.get("CAMCORE_WEIGHTS", "").split(os.pathsep)
    return (*(Path(folder).expanduser() for folder in named if folder.strip()), keras_cache())


def find_file(names: Iterable[str]) -> Path | None:
    """The first of the names in the first of the folders that has one."""
    names = tuple(names)
    paths = (folder / name for folder in search_folders() for name in names)
    return next((path for path in paths if path.is_file()), None)


# --- download --------------------------------------------------------------------------------------------


def download(file: WeightsFile, progress: Progress | None = None, advice: str = "") -> Path:
    """Fetch the file into Keras' cache, where Keras finds it too, and return its path.

    It is written under a name of its own and moved into place once it is whole, so that two downloads at a
    time do not disturb each other and a broken one leaves nothing behind. ``CAMCORE_WEIGHTS_URL`` names a
    mirror: a folder on a server that holds the files under the names they have in Keras' cache.
    Raises ModelError, ended by ``advice``, where no whole file with the right hash arrives.
    """
    mirror = os.environ.get("CAMCORE_WEIGHTS_URL", "").strip()
    url = f"{mirror.rstrip('/')}/{file.name}" if mirror else file.url
    target = keras_cache() / file.name
    with replaced_whole(target) as part, closing(_fetch(url, part, file, advice)) as steps:
        for done, total in steps:
            if progress is not None:
                progress(done, total)
    downloaded.remember(target)
    return target


def _fetch(url: str, part: Path, file: WeightsFile, advice: str) -> Generator[tuple[int, int], None, None]:
    """Download to ``part``, yielding (bytes done, bytes in all); at the end the file is whole and checked.

    A generator, so that what goes wrong here is told apart from what the caller's progress callback raises.
    """
    import h5py

    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        hasher = hashlib.sha256() if len(file.hash) == 64 else hashlib.md5(usedforsecurity=False)
        done = 0
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, part.open("xb") as out:
            total = int(response.headers.get("Content-Length") or 0)
            while chunk := response.read(_CHUNK):
                out.write(chunk)
                hasher.update(chunk)
                done += len(chunk)
                yield done, total
        if done < total:
            raise ValueError(f"the connection ended after {done:,} of {total:,} bytes")
        if file.hash and hasher.hexdigest() != file.hash:
            raise ValueError(
                f"what arrived is not the file that Keras published (its hash is {hasher.hexdigest()}, "
                f"it should be {file.hash}) and was thrown away"
            )
        try:
            h5py.File(part, "r").close()
        except OSError as error:
            raise ValueError(f"what arrived is no whole HDF5 file ({error}) and was thrown away") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        what = f"The weights {file.name!r} could not be downloaded from {url}: {_reason(error)}."
        raise ModelError(f"{what} {advice}".rstrip()) from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    cause = getattr(error, "reason", error)  # URLError wraps what the socket said
    return str(cause).rstrip(".") or type(cause).__name__


# --- into a model ----------------------------------------------------------------------------------------


def load_weights(model: Any, path: str | os.PathLike[str]) -> None:
    """Set every variable of the Keras model from a weights file, in Keras 3's layout or in the older one.

    The layout is told from the file's content, not from its name. Raises ModelError where the file is
    missing, damaged or no weights file, where it belongs to another network (with the layer that differs), or
    where it would leave a variable unset. The model is then of no use; the file stays as it is.
    """
    path = check_file(path)
    contents = read_contents(path)
    difference = _difference(model, contents.layers)
    if difference and not contents.legacy:
        _refuse_within(path, model, contents)
        # Keras would take a file with more layers than the network, and use some. The older layout's reader
        # compares every count and shape itself.
        raise _misfit(path, model, difference)
    _mark_unset(model)
    try:
        with _named_for_keras(path, contents.legacy) as readable:
            model.load_weights(readable)
    except Exception as error:  # whatever Keras makes of layers that do not fit or unreadable numbers
        _refuse_within(path, model, contents)
        if difference:
            raise _misfit(path, model, difference) from error
        raise damaged(path, "its arrays cannot be read", error) from error
    unset = [variable.path for variable in _float_variables(model) if _has_nan(variable)]
    if unset:
        raise damaged(path, f"it leaves {len(unset)} arrays of the network unset or not numbers, {unset[0]!r} first")


def _refuse_within(path: Path, model: Any, contents: Contents) -> None:
    """Raise ModelError where a file holds a model within another, and the network is no such pair."""
    if not contents.within or any(hasattr(layer, "layers") for layer in model.layers):
        return
    rest = Counter(tuple(variable.shape) for variable in model.weights)
    own = Counter(contents.within)
    fits = not own - rest and (rest - own).total() <= _HEAD_ARRAYS
    what = f"of {model.name!r} without its head, within another model" if fits else "of a model within another one"
    others = sum(map(len, contents.layers.values())) - len(contents.within)
    raise ModelError(
        f"'{path}' holds the weights {what} ({len(contents.within)} arrays of the inner one, {others} of the layers "
        "around it). The file is sound, but how the layers around the inner model go together is not in it. "
        "Save the whole model, model.save('my_model.keras'), and name that file: camcore explain PICTURE --model "
        'my_model.keras, or for the app CAMCORE_MODELS="name=my_model.keras".'
    )


def _count(layers: dict[str, list[Shape]]) -> Counter[Shape]:
    return Counter(shape for shapes in layers.values() for shape in shapes)


def _difference(model: Any, found: dict[str, list[Shape]]) -> str:
    """Where the file's arrays are not, shape by shape, those of the model; "" where they are.

    Layers are compared by name only to say what differs: Keras makes up the names of some anew each time.
    """
    wanted: dict[str, list[Shape]] = {}
    for variable in model.weights:
        layer = variable.path.rpartition("/")[0].rpartition("/")[2]
        wanted.setdefault(layer, []).append(tuple(variable.shape))
    if _count(wanted) == _count(found):
        return ""
    for layer, shapes in wanted.items():
        if layer in found and sorted(found[layer]) != sorted(shapes):
            here, there = _shapes(shapes), _shapes(found[layer])
            return f"layer {layer!r} has {here} in the network, {there} in the file"
    missing = [layer for layer in wanted if layer not in found]
    extra = [layer for layer in found if layer not in wanted]
    parts = [f"the file has no layer {missing[0]!r}{_more(missing)}"] if missing else []
    if extra:
        parts.append(f"the network has no layer {extra[0]!r}{_more(extra)}")
    return "; ".join(parts)


def _more(names: list[str]) -> str:
    return f" (nor {len(names) - 1} more)" if len(names) > 1 else ""


def _shapes(shapes: list[Shape]) -> str:
    return ", ".join("×".join(map(str, shape)) or "one number" for shape in shapes)


def _misfit(path: Path, model: Any, difference: str) -> ModelError:
    return ModelError(
        f"The weights file '{path}' is not for this network ({model.name}): {difference}. "
        "It belongs to another architecture, or to this one with other options (alpha, classes, …). "
        "Give the same options as when it was written, or another file."
    )


@contextmanager
def _named_for_keras(path: Path, legacy: bool) -> Iterator[Path]:
    """The file under a name by which Keras, which goes by names, picks the right reader."""
    new_style_name = path.name.endswith(".weights.h5")
    if new_style_name != legacy and path.suffix == ".h5":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        alias = Path(folder) / ("legacy.h5" if legacy else "new.weights.h5")
        try:
            alias.symlink_to(path.absolute())
        except OSError:  # not every system lets everybody make links
            shutil.copyfile(path, alias)
        yield alias


def _float_variables(model: Any) -> list[Any]:
    return [variable for variable in model.weights if "float" in variable.dtype and variable.shape]


def _mark_unset(model: Any) -> None:
    """Put a NaN into each variable, which loading must overwrite (one number each, for speed)."""
    for variable in _float_variables(model):
        variable.value.scatter_nd_update([[0] * len(variable.shape)], [float("nan")])


def _has_nan(variable: Any) -> bool:
    import keras

    return bool(keras.ops.isnan(keras.ops.sum(variable)))  # any NaN makes the sum one
