"""Whole models from files that the operator names: ``.keras``, ``.h5``, and SavedModel folders where asked for.

A configuration is searched before anything of it is built: code in the file (a Lambda layer) runs only with
``safe_mode=False``, a class of one's own only where it is given. A visitor's upload never comes here.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.checks import shown
from camcore.errors import ModelError, similar
from camcore.models.archives import WholeModel, check_size, read_whole
from camcore.models.catalogue import Built
from camcore.models.configs import Foreign, code_parts, foreign_parts, unlisted
from camcore.models.declarations import SUFFIXES
from camcore.models.description import digest
from camcore.models.weights import load_weights
from camcore.models.weights_contents import check_file

if TYPE_CHECKING:
    import keras

Custom = Mapping[str, object] | str | Sequence[str] | None
"""Classes and functions by name, or the names of modules that define or register them."""

_OTHERS = (".pt", ".pth", ".onnx", ".tflite", ".pb", ".safetensors", ".pkl", ".joblib", ".ckpt", ".json", ".yaml")


def find_file(name: str | os.PathLike[str]) -> Path | None:
    """The path of the file or SavedModel folder that ``name`` means; None where it does not mean one.

    Raises ModelError where it has a file's form, and there is none.
    """
    text = os.fspath(name)
    try:
        path = Path(text).expanduser().absolute()
        there, folder = path.exists(), path.is_dir()
    except (OSError, ValueError, RuntimeError):  # too long, with a zero in it, or of an unknown user
        return None
    if folder:
        return path if (path / "saved_model.pb").exists() else None
    if there:
        return path
    if not text.lower().endswith((*SUFFIXES, *_OTHERS)):
        return None
    try:
        beside = [one.name for one in path.parent.iterdir()]
    except OSError:
        beside = []
    near = similar(path.name, beside)
    hint = f"Near to it are: {', '.join(near)}." if near else "Correct the path."
    where = f"'{path.parent}'" if beside else f"'{path.parent}', which has no files or does not exist"
    raise ModelError(f"There is no file {text!r}: it was looked for in {where}. {hint}")


def open_whole(
    path: Path,
    weights: str | os.PathLike[str] | None = None,
    custom_objects: Custom = None,
    safe_mode: bool = True,
) -> Built:
    """The network of a whole model's file, or of a SavedModel folder; its labels and preprocessing are not in there.

    ``weights``: a weights file in place of its own ones. ``custom_objects``: classes and functions by name, or the
    names of modules that register them. ``safe_mode`` False: code within the file may run.

    Raises ModelError where the file is no Keras model (and says what it is), is damaged, holds code that was not
    allowed or a class that was not given, or cannot be rebuilt.
    """
    if weights == "random":
        raise ModelError(
            f"'{path.name}' cannot be loaded with random weights: the file of a whole model brings its own. Leave the "
            "weights away."
        )
    if path.is_dir() or path.name == "saved_model.pb":
        model = _saved_model(path if path.is_dir() else path.parent, safe_mode)
        note = f"SavedModel {path.name}"
    else:
        whole = read_whole(path)
        for part in code_parts(whole.config):  # before TensorFlow, which takes seconds, is imported
            if part.reads or safe_mode or whole.old:
                raise _refused(whole, part)
        model = _opened(whole, custom_objects, safe_mode)
        note = f"whole model {path.name}" + (f", saved by Keras {whole.version}" if whole.version else "")
    if weights is not None:
        load_weights(model, check_file(weights))
        note = f"{note}, with the weights of {Path(weights).name}"
    return Built(model, None, None, None, note)


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, or of all that is in a folder."""
    if path.is_file():
        return digest(path)
    together = hashlib.sha256()
    for one in sorted(path.rglob("*")):
        if one.is_file():
            together.update(f"{one.relative_to(path).as_posix()} {digest(one)}\n".encode())
    return together.hexdigest()


def _opened(whole: WholeModel, given: Custom, safe_mode: bool) -> keras.Model:
    import keras

    from camcore.models.keras2.convert import open_keras2
    from camcore.models.keras3_hdf5 import holds_operations, open_hdf5, rebuilt

    custom = _custom(given)
    named = (given,) if isinstance(given, str) else () if given is None or isinstance(given, Mapping) else given

    def known(name: str) -> bool:
        return keras.saving.get_registered_object(name, custom_objects=custom) is not None

    for part in foreign_parts(whole.config, known):
        if part.runs_code:  # told before
            continue
        own = _from_package(part, named)
        if own is None:
            raise _refused(whole, part)
        custom[part.name] = own
    if whole.old:
        with keras.saving.custom_object_scope(custom):
            return open_keras2(whole, lambda name: keras.saving.get_registered_object(name, custom_objects=custom))
    try:
        if safe_mode and not foreign_parts(whole.config, lambda name: False):  # code of one's own is trusted
            check_size(whole, lambda: rebuilt(whole, unlisted(), safe_mode))
        if whole.form == "hdf5" and holds_operations(whole.config):
            return open_hdf5(whole, custom, safe_mode)
        return keras.models.load_model(
            whole.path, custom_objects={**unlisted(), **custom}, compile=False, safe_mode=safe_mode
        )
    except ModelError:
        raise
    except Exception as error:  # whatever Keras, a layer or code of one's own makes of it
        reason = " ".join(str(error).rpartition("Exception encountered: ")[2].split())[:300].rstrip(".")
        raise ModelError(
            f"'{whole.path}' was saved by Keras {whole.version}, and Keras {keras.__version__} cannot rebuild it: "
            f"{type(error).__name__}: {reason}. The two versions may differ too much, or the file was changed. Save it "
            "again with the version here."
        ) from error


def _from_package(part: Foreign, named: Iterable[object]) -> object | None:
    """The class of a part from the module where it was when it was saved, in one of the packages ``named``."""
    if not any(f"{part.module}.".startswith(f"{name}.") for name in named):
        return None
    try:
        return getattr(importlib.import_module(part.module), part.name, None)
    except Exception:  # somebody else's module may raise anything, and the file may name what there is not
        return None


def _refused(whole: WholeModel, part: Foreign) -> ModelError:
    at = f" (layer {part.layer!r})" if part.layer else ""
    if part.reads:
        return ModelError(
            f"'{whole.path}' is not opened: its {part.name}{at} would read the file {part.reads[:120]!r}. "
            "Nothing was read. A model's file holds its own words; save it again where it was made, with the words as "
            "a list."
        )
    if part.runs_code:
        why = f"it holds a {part.name}{at}, which runs code that lies in the file. Nothing of it was run"
        if whole.old:
            return ModelError(
                f"'{whole.path}' is not opened: {why}, and Keras 2 wrote it, whose code Keras 3 cannot take over. "
                "With the installation that made it, put an ordinary layer in its place (Rescaling for x / 255), or "
                "export it (model.export('folder')) and name the folder with --unsafe."
            )
        return ModelError(
            f"'{whole.path}' is not opened: {why}. If you trust where the file comes from, allow it: --unsafe on the "
            "command line, safe_mode=False in Python."
        )
    package = part.module.partition(".")[0]
    likely = f", probably {package}" if package and package != "__main__" else ""
    return ModelError(
        f"'{whole.path}' is not opened: it needs {part.name!r}{at}, a class or function of its maker's own, whose code "
        f"is not in the file. Nothing of it was run. Name the module that registers it{likely}: --custom MODULE on the "
        "command line, custom_objects={'" + part.name.rpartition(">")[2] + "': …} or custom_objects='module' in Python."
    )


def _custom(given: Custom) -> dict[str, object]:
    """Classes and functions by name."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    try:
        names: list[object] = [given] if isinstance(given, str) else list(given)
    except TypeError:  # nothing that holds names
        names = [given]
    objects: dict[str, object] = {}
    for name in names:
        if not isinstance(name, str):
            raise ModelError(
                f"custom_objects holds {shown(name)}. It is a mapping from names to classes and functions, or the name "
                "of a module that defines them. Give one of these."
            )
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:  # somebody else's module may raise anything
            raise ModelError(
                f"The module {name!r} of custom classes cannot be imported: {type(error).__name__}: "
                f"{' '.join(str(error).split())[:200]}. It is looked for on PYTHONPATH and in the folder where the "
                "program was started. Correct the name."
            ) from error
        own = {key: one for key, one in vars(module).items() if getattr(one, "__module__", None) == module.__name__}
        objects |= {key: one for key, one in own.items() if callable(one) and not key.startswith("_")}
    return objects


# ---- SavedModel


def _saved_model(folder: Path, safe_mode: bool) -> keras.Model:
    if safe_mode:
        raise ModelError(
            f"'{folder}' is a SavedModel, a graph of TensorFlow, which can read and write files when it runs. Nothing "
            "of it was run. If you trust where it comes from, allow it: --unsafe on the command line, safe_mode=False "
            "in Python. It has no layers: occlusion and RISE explain it. Or save the model it was made from: "
            "model.save('my_model.keras')."
        )
    import keras
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
        signatures = dict(loaded.signatures)
    except Exception as error:  # TensorFlow raises whatever it stumbles over
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(
            f"The SavedModel '{folder}' cannot be loaded: {reason}. A part of it may be missing. Copy the whole folder."
        ) from error
    endpoint = next((name for name in ("serving_default", *signatures) if name in signatures), None)
    images = [] if endpoint is None else list(signatures[endpoint].structured_input_signature[1].values())
    if endpoint is None or len(images) != 1:
        raise ModelError(
            f"The SavedModel '{folder}' cannot be used: it has {len(images)} inputs at {endpoint or 'no signature'}. "
            "One signature that takes pictures is needed. Export the model again: model.export('folder')."
        )
    image = keras.Input(batch_shape=(None, *images[0].shape[1:]), dtype=images[0].dtype.name, name="image")
    scores = keras.layers.TFSMLayer(str(folder), call_endpoint=endpoint, name="saved_model")(image)
    if isinstance(scores, Mapping) and len(scores) == 1:
        (scores,) = scores.values()
    return keras.Model(image, scores, name=folder.name)
