"""The accuracy of a trained network on the pictures that its training held out, as its record has it."""

from __future__ import annotations

from collections.abc import Mapping

from camcore.files import Json
from camcore.metrics.intervals import Rate, rate


def held_out(trained: Mapping[str, Json], framing: str | None = None) -> Rate | None:
    """The share of the held-out pictures that the weights that were kept get right; None where nothing says it.

    ``trained``: the record in network.json. ``framing``: in which they were framed; None, and where the record has none
    of its own for it: as in training.
    """
    try:
        pictures = sum(map(int, trained["held_out"].values()))
        framed = trained.get("held_out_by_framing", {}).get(framing, {})
        share = float(framed.get("accuracy", trained["val_accuracy"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return rate(round(share * pictures), pictures) if 0 <= share <= 1 and pictures > 0 else None
