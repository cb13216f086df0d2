"""Figures of an audit, against counts in plain Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audited import MadeUp, make_audit
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from camcore.audits import figures
from camcore.audits.filters import Filters
from camcore.audits.store import Audit, open_audit

CLASSES = ("cat", "dog", "owl")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    home = tmp_path_factory.mktemp("audits")
    return make_audit(home / "audit", home, 75, classes=CLASSES, failed=(1, 2, 60))


@pytest.fixture(scope="module")
def audit(made: MadeUp) -> Audit:
    return open_audit(made.folder)


def answers(made: MadeUp) -> tuple[list[str], list[str]]:
    rows = [row for row in made.rows if row["error"] is None]
    return [row["label"] for row in rows], [row["predicted"] for row in rows]


def test_accuracy_is_that_of_the_rows(made: MadeUp, audit: Audit) -> None:
    labels, said = answers(made)
    hits = sum(a == b for a, b in zip(labels, said, strict=True))
    right = figures.accuracy(audit)
    assert (right.count, right.n) == (hits, 72)
    assert right.low == pytest.approx(binomtest(hits, 72).proportion_ci(method="wilson").low)
    assert figures.accuracy(audit, Filters(right=False)).count == 0


def test_figures_of_each_class_are_those_of_scikit_learn(made: MadeUp, audit: Audit) -> None:
    labels, said = answers(made)
    found = figures.class_figures(audit)
    assert [one.name for one in found] == list(CLASSES)
    np.testing.assert_allclose(
        [one.found.value for one in found], recall_score(labels, said, labels=CLASSES, average=None)
    )
    np.testing.assert_allclose(
        [one.precision.value for one in found], precision_score(labels, said, labels=CLASSES, average=None)
    )
    np.testing.assert_array_equal(figures.confusion(audit).counts, confusion_matrix(labels, said, labels=CLASSES))


def test_there_is_no_matrix_of_too_many_classes(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST", len(CLASSES) - 1)
    assert figures.confusion(audit).classes == ()


def test_mistakes_come_the_most_frequent_first(made: MadeUp, audit: Audit) -> None:
    labels, said = answers(made)
    table = confusion_matrix(labels, said, labels=CLASSES)
    found = figures.mistakes(audit)
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)
    assert {(one.label, one.said): (one.count, one.of) for one in found} == {
        (a, b): (table[i, k], table[i].sum())
        for i, a in enumerate(CLASSES)
        for k, b in enumerate(CLASSES)
        if i != k and table[i, k]
    }


def test_without_labels_the_answers_are_counted(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 30, labelled=False)
    audit = open_audit(made.folder)
    assert figures.accuracy(audit).n == 0
    assert figures.mistakes(audit) == ()
    found = figures.class_figures(audit)
    for one in found:
        given = [row["probability"] for row in made.rows if row.get("predicted") == one.name]
        assert (one.said, one.found.n, one.precision.n) == (len(given), 0, 0)
        assert one.probability == pytest.approx(np.mean(given), abs=1e-6)
    given = [row["probability"] for row in made.rows if row["error"] is None]
    np.testing.assert_array_equal(figures.surest_answers(audit, 8), np.histogram(given, 8, (0, 1))[0])
