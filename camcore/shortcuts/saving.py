"""A mended network saved among the networks of one's own, with the record of its mending."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from camcore.errors import CamcoreError, ModelError
from camcore.models.architectures import WHOLE
from camcore.models.listing import backbones
from camcore.models.preprocessing import PREPROCESSINGS, preprocessing
from camcore.models.saved import write
from camcore.places import networks_folder
from camcore.shortcuts.mended import mending_to_json

if TYPE_CHECKING:
    from camcore.files import Json
    from camcore.models.saved import SavedNetwork
    from camcore.network import Network
    from camcore.shortcuts.mending import Mended


def free_folder(network: str) -> Path:
    """A folder for the mended copy of a network of this name, among one's own networks, that is not there yet."""
    text = re.sub(r"[^\w .,+()-]+", " ", network)
    stem = re.sub(r" mended( \d+)?$", "", text).strip(" .,+(-")[:60].rstrip(" .,+(-") or "network"
    home, taken = networks_folder(), {row.name for row in backbones()}
    names = (f"{stem} mended", *(f"{stem} mended {number}" for number in range(2, len(taken) + 3)))
    return next(home / name for name in names if name not in taken and not (home / name).exists())


def save_mended(mended: Mended, folder: str | os.PathLike[str]) -> SavedNetwork:
    """Save a mended network as the network of a folder, under the folder's name; an earlier one there is replaced.

    Where camcore cannot build its architecture, the whole model is saved. Raises CamcoreError for a network that is
    fed by a function which no preprocessing by name equals, or that has several inputs or outputs.
    """
    network, home = mended.network, Path(folder).absolute()
    trained: dict[str, Json] = {"mended": mending_to_json(mended.record)}
    return write(
        home,
        network.model,
        name=home.name,
        architecture=_architecture(network),
        input_size=network.input_size,
        preprocessing=_preprocessing(network),
        framing=network.framing,
        labels=network.labels,
        trained=trained | ({"summary": mended.summary} if mended.summary else {}),
    )


def _architecture(network: Network) -> dict[str, Json]:
    if len(network.model.inputs) != 1 or len(network.model.outputs) != 1:
        raise ModelError(
            f"{network.name!r} has several inputs or outputs, which a saved network cannot say what to do with. Use it "
            "in Python, or save its model yourself: network.model.save('mended.keras')."
        )
    known = {} if network.origin is None else dict(network.origin.architecture)
    if known.get("builder") == "backbone":  # told without its head
        classes = {"classes": int(network.model.output_shape[-1])}
        known = {**known, "builder": "classifier", "options": {**known.get("options", {}), **classes}}
        return known if network.activation == "softmax" else {"builder": WHOLE}
    return known or {"builder": WHOLE}


def _preprocessing(network: Network) -> str:
    """The name of the network's preprocessing; where nobody named it, of the one that does the same."""
    if network.origin is not None:
        return network.origin.preprocessing
    rgb = np.random.default_rng(0).integers(0, 256, (1, *network.input_size, 3)).astype(np.float32)
    fed = network.preprocess(rgb)
    for name in PREPROCESSINGS:
        like = preprocessing(name)(rgb)
        if like.shape == np.shape(fed) and np.allclose(fed, like, rtol=1e-4, atol=1e-4):
            return name
    raise CamcoreError(
        f"The network {network.name!r} is fed by a function that is none of the preprocessings with a name "
        f"({', '.join(PREPROCESSINGS)}), and code cannot be saved. Save its model yourself: "
        "network.model.save('mended.keras')."
    )
