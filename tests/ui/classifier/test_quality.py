"""The charts show what the measures say, at every threshold, and the files hold the same."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from camcore.evaluation import measures
from camcore.evaluation.predict import Predictions
from camcore.evaluation.table import read_csv
from ui.classifier import quality


def predictions(classes: int, n: int = 200, seed: int = 1) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    scores = rng.normal(0, 1, (n, classes)) + 2 * np.eye(classes)[labels]
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return Predictions(tuple(f"{i}.jpg" for i in range(n)), labels, p, ("cat", "dog", "fox", "owl")[:classes])


@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.31, 0.5, 0.99, 1.0])
def test_a_threshold_moves_every_chart(threshold: float) -> None:
    p = predictions(2)
    found = {chart.key: chart for chart in quality.chart_list(p, threshold)}
    assert list(found) == ["scores", "confusion", "roc", "calibration"]
    table = measures.confusion(p, threshold)
    texts = found["confusion"].make().data[0].text
    shown = [[int(cell.split("</b>")[0].removeprefix("<b>")) for cell in row] for row in texts]
    assert shown == table.counts.tolist()
    point = found["roc"].make().data[-1]
    assert point.x[0] == pytest.approx(1 - table.recall(0).value)
    assert point.y[0] == pytest.approx(table.recall(1).value)
    curve = measures.roc(p)
    on_curve = (np.abs(curve.fpr - point.x[0]) + np.abs(curve.tpr - point.y[0])).min()
    assert on_curve == pytest.approx(0, abs=1e-12), "the point in use lies on the curve"
    assert found["calibration"].make().layout.shapes[0].x0 == threshold
    bars = found["scores"].make().data
    assert [sum(bar.y) for bar in bars] == [int((p.labels == 0).sum()), int((p.labels == 1).sum())]
    assert all(chart.alt for chart in found.values())


def test_many_classes_have_no_threshold() -> None:
    p = predictions(4)
    found = {chart.key: chart.make() for chart in quality.chart_list(p, 0.5)}
    assert not found["scores"].layout.shapes
    assert sum(sum(bar.y) for bar in found["scores"].data) == len(p)
    assert sum(trace.name in p.classes for trace in found["roc"].data) == 4


def test_a_class_without_pictures_is_no_accident() -> None:
    p = predictions(2)
    only = Predictions(p.files[:3], np.zeros(3, np.int64), p.probabilities[:3], p.classes)
    for chart in quality.chart_list(only, 0.5):
        chart.make()


def test_files_hold_the_same(tmp_path) -> None:
    p = predictions(2)
    path = tmp_path / "p.csv"
    path.write_bytes(quality.predictions_csv(p))
    again = read_csv(path)
    assert (again.files, again.probabilities.tolist()) == (p.files, p.probabilities.tolist())
    shown = json.loads(quality.figures_json(SimpleNamespace(name="pets", summary="200 pictures"), p, 0.3))
    assert (shown["network"], shown["framing"], shown["pictures"], shown["threshold"]) == ("pets", "crop", 200, 0.3)
