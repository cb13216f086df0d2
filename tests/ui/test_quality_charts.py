"""The charts show what the measures say, at every threshold."""

import numpy as np
import pytest
from plotly.graph_objects import Figure

from camcore.evaluation import measures
from camcore.evaluation.predict import Predictions
from ui import quality_charts


def predictions(classes: int, n: int = 200, seed: int = 1) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    scores = rng.normal(0, 1, (n, classes)) + 2 * np.eye(classes)[labels]
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return Predictions(tuple(f"{i}.jpg" for i in range(n)), labels, p, ("cat", "dog", "fox", "owl")[:classes])


def roc(p: Predictions, at: float) -> Figure:
    chart = quality_charts.roc(p, at)
    assert chart is not None
    return chart.make()


@pytest.mark.parametrize("at", [0.0, 0.01, 0.31, 0.5, 0.99, 1.0])
def test_a_threshold_moves_every_chart(at: float) -> None:
    p = predictions(2)
    table = measures.confusion(p, at)
    matrix = quality_charts.confusion(p, at)
    assert matrix is not None
    shown = [[int(cell.split("</b>")[0].removeprefix("<b>")) for cell in row] for row in matrix.make().data[0].text]
    assert shown == table.counts.tolist()
    point = roc(p, at).data[-1]
    assert point.x[0] == pytest.approx(1 - table.recall(0).value)
    assert point.y[0] == pytest.approx(table.recall(1).value)
    curve = measures.roc(p)
    on_curve = (np.abs(curve.fpr - point.x[0]) + np.abs(curve.tpr - point.y[0])).min()
    assert on_curve == pytest.approx(0, abs=1e-12), "the point in use lies on the curve"
    assert quality_charts.reliability(p, at).make().layout.shapes[0].x0 == at
    bars = quality_charts.scores(p, at).make().data
    assert [sum(bar.y) for bar in bars] == [int((p.labels == 0).sum()), int((p.labels == 1).sum())]


@pytest.mark.parametrize("at", [0.0, 0.2, 0.5, 0.93, 1.0])
def test_the_sweep_shows_the_shares_at_each_threshold(at: float) -> None:
    p = predictions(2)
    swept = quality_charts.sweep(p, at)
    assert swept is not None
    figure = swept.make()
    table = measures.confusion(p, at)
    shares = [one.y[list(np.round(one.x)).index(round(100 * at))] for one in figure.data]
    assert shares == pytest.approx([measures.accuracy(p, at).value, table.recall(0).value, table.recall(1).value])
    assert figure.layout.shapes[0].x0 == pytest.approx(100 * at)


def test_many_classes_have_no_threshold() -> None:
    p = predictions(4)
    scores = quality_charts.scores(p, 0.5).make()
    assert not scores.layout.shapes
    assert sum(sum(bar.y) for bar in scores.data) == len(p)
    assert sum(trace.name in p.classes for trace in roc(p, 0.5).data) == 4
    assert not quality_charts.reliability(p, 0.5).make().layout.shapes


def test_a_class_without_pictures_is_no_accident() -> None:
    p = predictions(2)
    only = Predictions(p.files[:3], np.zeros(3, np.int64), p.probabilities[:3], p.classes)
    for make in (quality_charts.scores, quality_charts.confusion, quality_charts.reliability):
        chart = make(only, 0.5)
        assert chart is not None
        chart.make()
    assert quality_charts.roc(only, 0.5) is quality_charts.sweep(only, 0.5) is None
    assert quality_charts.numbers(only, 0.5)[2][0] == "–"


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    p = predictions(2, 9000)
    curve = measures.roc(p)
    drawn = roc(p, 0.5).data[1]
    assert len(drawn.x) == quality_charts.POINTS < len(curve.fpr)
    assert (drawn.x[0], drawn.y[0], drawn.x[-1], drawn.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(drawn.y, drawn.x) == pytest.approx(curve.auc, abs=1e-4)
