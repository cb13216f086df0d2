"""Probabilities on the page: the charts that an audit has, by its number of classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audited import make_audit
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from ui.audit import probabilities
from ui.audit.opened import opening

MANY = tuple(f"class {i}" for i in range(9))


@pytest.mark.parametrize(
    ("classes", "chosen", "keys"),
    [
        (("cat", "dog"), None, ["calibration", "roc", "scores", "sweep"]),
        (("cat", "dog", "owl"), None, ["calibration", "roc"]),
        (MANY, "class 3", ["calibration", "roc"]),
        (MANY, None, ["calibration"]),
    ],
)
def test_each_audit_has_its_charts(tmp_path: Path, classes: tuple[str, ...], chosen: str | None, keys: list) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 90, classes=classes)
    *_, last = opening(made.folder).steps(None, None)
    *_, read = probabilities.read(last.value, chosen).steps(None, None)
    charts = list(probabilities.chart_list(read.value, chosen, 0.5))
    assert [one.key for one in charts] == keys
    for one in charts:
        one.make()
    if chosen is not None:
        rows = [row for row in made.rows if row["error"] is None]
        own = softmax(np.array([row["logits"] for row in rows], np.float64), axis=1)[:, classes.index(chosen)]
        area = roc_auc_score([row["label"] == chosen for row in rows], own)
        assert f"area {area:.4f}" in charts[1].alt
