"""A classifier of a few filters in a folder of its own, for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from camcore.models.gap_classifier import gap_classifier

from camcore.models import saved

SIDE = 32


def network_folder(folder: Path, labels: Sequence[str]) -> str:
    """Save an untrained one under the folder's name; its head has random weights, so that it says something."""
    outputs = 1 if len(labels) == 2 else len(labels)
    shape = {"size": SIDE, "stem": 4, "widths": [6], "blocks": [1], "outputs": outputs}
    model = gap_classifier(**shape)
    head = model.get_layer("scores")
    kernel, bias = head.get_weights()
    head.set_weights([np.random.default_rng(0).normal(0, 1, kernel.shape), bias])
    saved.write(
        folder,
        model,
        name=folder.name,
        architecture={"builder": "gap_classifier", **shape},
        input_size=(SIDE, SIDE),
        preprocessing="tf",
        labels=labels,
        trained={},
    )
    return str(folder)
