"""The pictures that a network's training held out: how many it gets right, as its record has it, and which they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from camcore.errors import CamcoreError
from camcore.files import UNFIT, Json
from camcore.metrics.intervals import Rate, rate
from camcore.training.folders import LabelledFolder, read_folder, split
from camcore.training.runs import read_recipe

_MOST_PICTURES = 1 << 40


def held_out(trained: Mapping[str, Json], framing: str | None = None) -> Rate | None:
    """The share of the held-out pictures that the weights that were kept get right; None where nothing says it.

    ``trained``: the record in network.json. ``framing``: in which they were framed; None, and where the record has none
    of its own for it: as in training.
    """
    try:
        pictures = sum(map(int, trained["held_out"].values()))
        framed = trained.get("held_out_by_framing", {}).get(framing, {})
        share = float(framed.get("accuracy", trained["val_accuracy"]))
    except UNFIT:
        return None
    counted = 0 <= share <= 1 and 0 < pictures < _MOST_PICTURES
    return rate(round(share * pictures), pictures) if counted else None


def held_out_pictures(folder: Path) -> LabelledFolder:
    """The pictures that the run in a folder held out, drawn again by its recipe.

    Raises CamcoreError where the recipe does not tell, and where the pictures are not there any more or have changed.
    """
    recipe = read_recipe(folder) or {}
    try:
        pictures, classes = str(recipe["pictures"]), list(map(str, recipe["classes"]))
        share, seed = float(recipe["held_out"]), int(recipe["seed"])
    except UNFIT as error:
        raise CamcoreError(
            f"The recipe in '{folder}' does not say which pictures were held out. Another version wrote it, or it was "
            "changed. Evaluate the network on other pictures."
        ) from error
    return split(read_folder(pictures, classes), share, seed)[1]
