"""The figures of an audit as values that JSON can hold, and the command that makes it again."""

from __future__ import annotations

import os
import shlex
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from camcore.audits.figures import accuracy, class_figures, confusion, mistakes
from camcore.audits.groups import Group, rate_to_json
from camcore.evaluation.measures import Calibration
from camcore.evaluation.measures import calibration as reliability
from camcore.evaluation.predict import Predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from camcore.audits.manifest import Manifest
    from camcore.audits.store import Audit

MATRIX = 12
"""The most classes whose confusion is told in full; of more the most frequent mistakes are."""


def summary(audit: Audit, groups: Sequence[Group] = ()) -> dict[str, object]:
    """All figures of an audit; None where one is not defined, as without labels."""
    manifest = audit.manifest
    right = accuracy(audit)
    table = confusion(audit)
    told = calibration(audit)
    return {
        "network": manifest.network.name,
        "weights_sha256": manifest.network.weights_sha256,
        "method": manifest.method,
        "layer": manifest.layer,
        "framing": manifest.framing,
        "source": manifest.pictures,
        "pictures_sha256": manifest.pictures_sha256,
        "pictures": manifest.total,
        "done": manifest.done,
        "failed": manifest.failed,
        "left_out": manifest.left_out,
        "seconds": manifest.seconds,
        "accuracy": rate_to_json(right),
        "ece": None if told is None else told.ece,
        "classes": [
            {
                "class": one.name,
                "found": rate_to_json(one.found),
                "precision": rate_to_json(one.precision),
                "said": one.said,
                "probability": None if isnan(one.probability) else one.probability,
            }
            for one in class_figures(audit)
        ],
        "confusion": {"classes": list(table.classes), "counts": table.counts.tolist()}
        if 0 < len(table.classes) <= MATRIX
        else None,
        "mistakes": [
            {"class": one.label, "said": one.said, "count": one.count, "of": one.of} for one in mistakes(audit)
        ],
        "groups": [
            {
                "class": one.label,
                "number": one.number,
                "size": one.size,
                "share": one.share,
                "accuracy": rate_to_json(one.accuracy),
                "class_accuracy": rate_to_json(one.class_accuracy),
                "clearly_failing": one.clearly_failing,
                "suspect": one.suspect,
            }
            for one in groups
        ],
    }


def calibration(audit: Audit) -> Calibration | None:
    """The probability of the class said against how often it is right; None without labels."""
    table = audit.sql("select probability, correct from rows where error is null and correct is not null")
    if not len(table):
        return None
    p = table["probability"].to_numpy().astype(np.float64)
    right = table["correct"].to_numpy(zero_copy_only=False).astype(np.int64)
    answers = Predictions(("",) * len(p), right, np.stack([1 - p, p], axis=1), ("wrong", "right"))
    return reliability(answers, of=1)


def command(manifest: Manifest, folder: str | os.PathLike[str]) -> str:
    """The command that makes an audit again; empty for a network that only Python can make."""
    if not manifest.network.source:
        return ""
    words = ["python", "-m", "camcore", "audit", manifest.pictures, "--model", manifest.network.source]
    words += ["--out", os.fspath(folder), "--method", manifest.method, "--layer", manifest.layer]
    words += ["--framing", manifest.framing]
    if manifest.limit is not None:
        words += ["--limit", str(manifest.limit), "--seed", str(manifest.seed)]
    if not manifest.labelled:
        words.append("--unlabelled")
    return shlex.join(words)
