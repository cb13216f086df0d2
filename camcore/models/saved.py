"""Networks on disk: a folder with the weights and a small JSON file that says what they are the weights of.

    network.json            architecture, input, classes and record; its presence means that there is a network
    network.weights.h5      the weights, in Keras 3's layout; network.json tells the file's name and hash
    network.keras           in their place the whole model, where camcore could not build its architecture

Bundled ones lie in ``models/`` of the project, one's own in ``$CAMCORE_HOME/networks``. There are no pickles, and
nothing in a file is run as code: the architecture is chosen among those that camcore can build.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.files import Json, replaced_whole
from camcore.models.architectures import build_architecture
from camcore.models.catalogue import FRAMING, Built
from camcore.models.description import (
    BUNDLED,
    FORMAT,
    JSON_NAME,
    SavedNetwork,
    check_weights,
    checked,
    described,
    digest,
    weights_suffix,
)
from camcore.models.preprocessing import preprocessing as preprocessing_of
from camcore.models.weights import load_weights
from camcore.models.weights_contents import check_file
from camcore.models.weights_saving import check_finite, save_weights, save_whole
from camcore.models.whole import open_whole
from camcore.places import home, networks_folder

if TYPE_CHECKING:
    import keras


# ---- where they are


def saved_networks() -> tuple[SavedNetwork, ...]:
    """The bundled networks, then one's own; those that cannot be read are left out.

    Of two of the same name the first one counts. Quick: the folders are looked through, no weights are read.
    """
    networks: dict[str, SavedNetwork] = {}
    for folder in _folders():
        try:
            inside = sorted(folder.iterdir())
        except OSError:
            continue
        for one in inside:
            with suppress(ModelError):
                saved = described(one)
                if saved.weights.is_file():
                    networks.setdefault(saved.name, saved)
    return tuple(networks.values())


def _folders() -> tuple[Path, ...]:
    """Where networks lie: the bundled ones, those of this machine, and one's own where they lie elsewhere."""
    return tuple(dict.fromkeys((BUNDLED, home() / "networks", networks_folder())))


def is_own(saved: SavedNetwork) -> bool:
    """Tell whether a network is one of one's own, in the folder for these."""
    return not saved.bundled and saved.folder.parent == networks_folder()


def find(name: str | os.PathLike[str]) -> SavedNetwork | None:
    """The saved network of that name or in that folder; None where there is none.

    Raises ModelError where there is one that cannot be used.
    """
    for saved in saved_networks():
        if saved.name == name:
            return saved
    text = os.fspath(name)
    if not text:
        return None
    folders = [Path(text).expanduser().absolute()]
    if Path(text).name == text:  # a bare name is that of a folder where networks lie, before any other
        folders = [*(folder / text for folder in _folders()), *folders]
    try:
        for folder in folders:
            if (folder / JSON_NAME).exists():
                return read(folder)
        other = folders[-1]
        return read(other) if other.is_dir() and not (other / "saved_model.pb").exists() else None
    except (OSError, ValueError):  # it cannot be a path: too long, or with a zero in it
        return None


# ---- reading


def read(folder: str | os.PathLike[str]) -> SavedNetwork:
    """The network in a folder, its weights file checked by its hash.

    Raises ModelError where there is none, where network.json is damaged or of another format, and where the weights
    file is missing or is not the one that was saved.
    """
    saved = described(Path(folder).expanduser().absolute())
    check_weights(saved)
    return saved


def open_saved(saved: SavedNetwork, weights: str | os.PathLike[str] | None = None) -> Built:
    """Build a saved network and load its weights, or those of ``weights``.

    ``weights``: None for its own, the file of one of its checkpoints, or "random" for an untrained one. Raises
    ModelError where the architecture cannot be built or does not fit what network.json says or the weights.
    """
    if weights is None:
        check_weights(saved)
    if saved.whole:
        opened = open_whole(saved.weights, weights)
        model, note = opened.model, _note(saved) if weights is None else opened.weights_note
        _check_fit(saved, model)
    else:
        model, note = _built(saved, weights)
    feed = preprocessing_of(saved.preprocessing)
    return Built(model, feed, saved.labels, saved.input_size, note, saved.origin, framing=saved.framing)


def _built(saved: SavedNetwork, weights: str | os.PathLike[str] | None) -> tuple[keras.Model, str]:
    """The model with its weights, and the note about these."""
    if weights is None:
        path, note = saved.weights, _note(saved)
    elif weights == "random":
        path, note = None, "random weights"
    else:
        path = check_file(weights)
        note = f"weights from {path.name}"
    try:
        model = build_architecture(saved.architecture)
    except ModelError as error:
        raise ModelError(f"The network in '{saved.folder}' cannot be built. {error}") from error
    _check_fit(saved, model)
    if path is not None:
        load_weights(model, path)
    return model, note


def _note(saved: SavedNetwork) -> str:
    where = "bundled with camcore" if saved.bundled else "from this machine"
    learned = f", trained on {saved.summary}" if saved.summary else ""
    made = saved.mended
    copy = f"; a copy of {made.network} without a shortcut to {made.label!r}" if made else ""
    return f"weights {where}{learned}{copy}"


def _check_fit(saved: SavedNetwork, model: keras.Model) -> None:
    height, width, channels = model.input_shape[1:]
    fits = channels == 3 and (height, width) in (saved.input_size, (None, None))
    outputs = model.output_shape[-1]
    if not fits:
        problem = f"an input of {model.input_shape[1:]}, the file says {saved.input_size}"
    elif len(saved.labels) != (2 if outputs == 1 else outputs):
        problem = f"{outputs} outputs, the file names {len(saved.labels)} classes"
    elif model.count_params() != saved.parameters:
        problem = f"{model.count_params():,} parameters, the file says {saved.parameters:,}"
    else:
        return
    raise ModelError(
        f"The {JSON_NAME} in '{saved.folder}' does not fit itself: the architecture has {problem}. It was changed "
        "by hand, or written by another version. Take the folder anew from where it came."
    )


# ---- writing


def write(
    folder: str | os.PathLike[str],
    model: keras.Model,
    *,
    name: str,
    architecture: Mapping[str, Json],
    input_size: tuple[int, int],
    preprocessing: str,
    labels: Sequence[str],
    trained: Mapping[str, Json],
    framing: str = FRAMING,
    half: bool = False,
) -> SavedNetwork:
    """Save a keras.Model as the network of a folder, in place of an earlier one.

    ``half``: keep kernels (arrays of two or more axes) in half precision; loading gives single precision again.
    Whatever happens on the way, the folder holds either the earlier network or this one. Raises ModelError where a
    value is not fit to be saved, where a weight is no finite number, and where the folder cannot be written.
    """
    target = Path(folder).expanduser().absolute()
    check_finite(model, name, half)
    suffix = weights_suffix(architecture)
    file, part = f"network{suffix}", target / f"part{suffix}"
    earlier = _earlier_weights(target)
    content = {
        "format": FORMAT,
        "name": name,
        "architecture": architecture,
        "input_size": list(input_size),
        "preprocessing": preprocessing,
        "framing": framing,
        "labels": list(labels),
        "parameters": int(model.count_params()),
        "weights": file,
        "sha256": "0" * 64,
        "trained": trained,
    }
    try:
        content = json.loads(json.dumps(content, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The network {name!r} cannot be described in JSON: {error}. Its architecture and record are texts, "
            "finite numbers, and lists and mappings of these. Leave the rest away."
        ) from error
    _check_fit(checked(content, target / JSON_NAME), model)
    try:
        target.mkdir(parents=True, exist_ok=True)
        if suffix == ".keras":
            save_whole(model, part)
        else:
            save_weights(model, part, half)
        content["sha256"] = digest(part)
        if earlier == file:  # it stays until the new description is in place
            content["weights"] = f"network-{content['sha256'][:12]}{suffix}"
        os.replace(part, target / content["weights"])
        with replaced_whole(target / JSON_NAME, sync=True) as json_part:
            json_part.write_bytes(json.dumps(content, indent=1, ensure_ascii=False).encode())
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        kept = " The network that was there before is as it was." if earlier else ""
        raise ModelError(
            f"The network {name!r} cannot be saved in '{target}': {error.strerror or error}.{kept} Free space, allow "
            "writing, or choose another folder."
        ) from error
    if earlier and earlier != content["weights"]:
        with suppress(OSError):
            (target / earlier).unlink(missing_ok=True)
    return described(target)


def _earlier_weights(folder: Path) -> str | None:
    """The name of the weights file that the network there now uses."""
    try:
        return described(folder).weights.name
    except ModelError:
        return None
