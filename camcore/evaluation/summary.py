"""All figures of a classifier on a folder of pictures, as values that JSON can hold."""

from __future__ import annotations

from typing import Any

from camcore.evaluation import measures
from camcore.evaluation.predict import Predictions
from camcore.network import Network


def summary(network: Network, p: Predictions, threshold: float = 0.5, framing: str | None = None) -> dict[str, Any]:
    """All figures as values that JSON can hold; None where a figure is not defined."""
    table = measures.confusion(p, threshold)
    right = measures.accuracy(p, threshold)
    figures: dict[str, Any] = {
        "network": network.name,
        "weights": network.weights_note,
        "framing": network.framing_for(framing),
        "pictures": len(p),
        "skipped": [{"file": str(one.file), "reason": one.reason} for one in p.skipped],
        "classes": list(p.classes),
        "threshold": threshold if len(p.classes) == 2 else None,
        "accuracy": {"value": right.value, "low": right.low, "high": right.high, "correct": right.count},
        "confusion": table.counts.tolist(),
        "auc": measures.auc(p),
        "ece": measures.calibration(p).ece,
        "log_loss": measures.log_loss(p),
        "brier": measures.brier(p),
    }
    if len(p.classes) == 2:
        tried = measures.sweep(p)
        figures["best_threshold"] = {"value": tried.best, "accuracy": tried.best_accuracy}
    return _without_nan(figures)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and value != value else value
