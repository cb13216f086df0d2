"""The entry of an evaluation: its figures are those of the predictions, and many classes are told by their mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from camcore.evaluation import measures
from camcore.evaluation.predict import Predictions
from camcore.report.blocks import CalibrationChart, Matrix, Paragraph, Table
from camcore.report.evaluation import Evaluated, confusion_block, evaluation_item


def predictions(classes: int, n: int = 60) -> Predictions:
    rng = np.random.default_rng(classes)
    shares = rng.dirichlet(np.ones(classes), n)
    labels = np.where(rng.random(n) < 0.7, shares.argmax(axis=1), rng.integers(0, classes, n))
    return Predictions(tuple(f"{i}.jpg" for i in range(n)), labels, shares, tuple(f"class_{k}" for k in range(classes)))


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_figures_are_those_of_the_predictions_at_the_threshold(threshold):
    p = predictions(2)
    item = evaluation_item(Evaluated("pets", p, threshold))
    right = measures.accuracy(p, threshold)
    assert f"right on {right.count} of 60" in item.answer
    table, matrix, chart = (item.sections[place].blocks[0] for place in range(3))
    found = measures.confusion(p, threshold)
    assert [row[1] for row in table.rows] == [found.recall(0), found.recall(1)]
    assert matrix == Matrix(("class 0", "class 1"), tuple(map(tuple, found.counts.tolist())))
    assert isinstance(chart, CalibrationChart)
    assert sum(int(point.text.split(" of ")[1].split()[0]) for point in chart.points) == 60


def test_many_classes_are_told_by_their_mistakes_the_most_frequent_first():
    p = predictions(30, 300)
    found = measures.confusion(p)
    block = confusion_block(found)
    assert isinstance(block, Table)
    counts = [int(row[2]) for row in block.rows]
    off = found.counts - np.diag(np.diag(found.counts))
    assert counts == sorted(off[off > 0].tolist(), reverse=True)[: len(counts)]
    worst = evaluation_item(Evaluated("many", p)).sections[0].blocks[1].rows
    assert [row[1].high for row in worst] == sorted(row[1].high for row in worst)


def test_no_mistake_at_all():
    p = Predictions(("a", "b"), np.array([0, 1]), np.eye(20)[:2], tuple(map(str, range(20))))
    assert confusion_block(measures.confusion(p)) == Paragraph("Every answer is right.")
