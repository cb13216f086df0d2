"""The record of an evaluation, report.json: its figures, and the network and weights that they are of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from camcore.evaluation.measures import accuracy, auc, brier, calibration, confusion, log_loss, sweep
from camcore.files import read_json_object
from camcore.models.pickling import weights_hash

if TYPE_CHECKING:
    from camcore.evaluation.predict import Predictions
    from camcore.models.saved import SavedNetwork
    from camcore.network import Network

REPORT = "report.json"
"""The record beside a network that ``python -m camcore evaluate … --out`` writes."""


@dataclass(frozen=True)
class EvaluatedNetwork:
    """The network of an evaluation; what is not recorded is empty.

    ``weights``: where they came from, in words. ``weights_sha256``: over all of them, as an audit has it;
    ``file_sha256``: of a saved network's weights file.
    """

    name: str
    weights: str
    framing: str
    weights_sha256: str = ""
    file_sha256: str = ""

    @classmethod
    def of(cls, network: Network, framing: str | None = None) -> EvaluatedNetwork:
        """The network as it is evaluated. Reads all weights, a second for the largest."""
        origin, given = network.origin, network.load_arguments
        own = origin is not None and given is not None and given.weights is None
        return cls(
            network.name,
            network.weights_note,
            network.framing_for(framing),
            weights_hash(network),
            origin.sha256 if origin is not None and own else "",
        )

    def is_of(self, saved: SavedNetwork, weights_sha256: str = "") -> bool | None:
        """Tell whether the weights are those of a saved network; None where that is not recorded.

        ``weights_sha256``: over the network's weights, where it is known.
        """
        known = [
            mine == theirs
            for mine, theirs in ((self.file_sha256, saved.sha256), (self.weights_sha256, weights_sha256))
            if mine and theirs
        ]
        return any(known) if known else None


def read_record(path: Path) -> EvaluatedNetwork | None:
    """The network that a record of an evaluation names; None where there is no record that can be read."""
    content = read_json_object(path)
    if content is None:
        return None
    keys = ("network", "weights", "framing", "weights_sha256", "file_sha256")
    return EvaluatedNetwork(*(text if isinstance(text := content.get(key), str) else "" for key in keys))


def summary(network: EvaluatedNetwork, p: Predictions, threshold: float = 0.5) -> dict[str, object]:
    """All figures as values that JSON can hold; None where a figure is not defined."""
    right = accuracy(p, threshold)
    figures: dict[str, object] = {
        "network": network.name,
        "weights": network.weights,
        "weights_sha256": network.weights_sha256 or None,
        "file_sha256": network.file_sha256 or None,
        "framing": network.framing,
        "pictures": len(p),
        "skipped": [{"file": str(one.file), "reason": one.reason} for one in p.skipped],
        "classes": list(p.classes),
        "threshold": threshold if len(p.classes) == 2 else None,
        "accuracy": {
            "value": _defined(right.value),
            "low": _defined(right.low),
            "high": _defined(right.high),
            "correct": right.count,
        },
        "confusion": confusion(p, threshold).counts.tolist(),
        "auc": _defined(auc(p)),
        "ece": _defined(calibration(p).ece),
        "log_loss": _defined(log_loss(p)),
        "brier": _defined(brier(p)),
    }
    if len(p.classes) == 2:
        tried = sweep(p)
        figures["best_threshold"] = {"value": tried.best, "accuracy": tried.best_accuracy}
    return figures


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else value
