"""Probabilities of an audit: those of its rows, and those that its scores stand for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited import MadeUp, make_audit
from sklearn.metrics import roc_auc_score

from camcore.audits import figures, probabilities
from camcore.audits.manifest import read_manifest, write_manifest
from camcore.audits.store import open_audit
from camcore.evaluation import measures

CLASSES = ("cat", "dog", "owl")


def answered(made: MadeUp) -> list[dict]:
    return [row for row in made.rows if row["error"] is None]


def with_activation(made: MadeUp, activation: str, labels: tuple[str, ...] | None = None) -> None:
    network = replace(made.manifest.network, activation=activation, labels=labels or made.manifest.network.labels)
    write_manifest(made.folder, replace(made.manifest, network=network))


def test_of_two_classes_they_are_those_of_the_rows(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 50)
    audit = open_audit(made.folder)
    p = probabilities.of_all(audit)
    rows = answered(made)
    assert p.labels.tolist() == [("cat", "dog").index(row["label"]) for row in rows]
    said = p.probabilities[np.arange(len(rows)), [("cat", "dog").index(row["predicted"]) for row in rows]]
    assert said == pytest.approx([row["probability"] for row in rows], abs=1e-12)
    assert p.probabilities.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-12)
    assert measures.accuracy(p) == figures.accuracy(audit)


@pytest.mark.parametrize("activation", ["softmax", "linear"])
def test_of_several_classes_they_are_the_softmax_of_the_scores(tmp_path: Path, activation: str) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 40, classes=CLASSES)
    with_activation(made, activation)
    p = probabilities.of_all(open_audit(made.folder))
    rows = answered(made)
    z = np.exp([np.asarray(row["logits"], np.float64) for row in rows])
    np.testing.assert_allclose(p.probabilities, z / z.sum(axis=1, keepdims=True), rtol=1e-12)
    assert [CLASSES[i] for i in p.labels] == [row["label"] for row in rows]
    assert [CLASSES[i] for i in p.predicted()] == [row["predicted"] for row in rows]


@pytest.mark.parametrize("classes", [CLASSES[:2], CLASSES])
def test_sigmoids_are_taken_each_by_itself(tmp_path: Path, classes: tuple[str, ...]) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 30, classes=classes)
    with_activation(made, "sigmoid")
    z = np.array([row["logits"] for row in answered(made)], np.float64)
    p = probabilities.of_all(open_audit(made.folder))
    np.testing.assert_allclose(p.probabilities, 1 / (1 + np.exp(-z)), rtol=1e-12)


def test_a_class_against_the_rest_is_that_of_scikit_learn(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 60, classes=CLASSES)
    audit = open_audit(made.folder)
    every = probabilities.of_all(audit)
    for index, name in enumerate(CLASSES):
        p = probabilities.against_rest(audit, name)
        assert p.classes == ("others", name)
        np.testing.assert_allclose(p.probabilities[:, 1], every.probabilities[:, index])
        assert measures.auc(p) == pytest.approx(roc_auc_score(every.labels == index, every.probabilities[:, index]))


def test_a_name_that_a_network_has_twice_is_one_class(tmp_path: Path) -> None:
    made = make_audit(tmp_path / "audit", tmp_path, 40, classes=CLASSES)
    every = probabilities.of_all(open_audit(made.folder)).probabilities
    with_activation(made, "softmax", ("cat", "dog", "cat"))
    p = probabilities.against_rest(open_audit(made.folder), "cat")
    np.testing.assert_allclose(p.probabilities[:, 1], every[:, 0] + every[:, 2])


def test_pictures_without_a_label_do_not_count(tmp_path: Path) -> None:
    for classes in (CLASSES, CLASSES[:2]):
        made = make_audit(tmp_path / str(len(classes)), tmp_path, 30, classes=classes, labelled=False)
        audit = open_audit(made.folder)
        assert len(probabilities.of_all(audit)) == len(probabilities.against_rest(audit, "cat")) == 0


def test_an_audit_that_does_not_tell_the_activation_knows_two_classes_only(tmp_path: Path) -> None:
    two, three = (make_audit(tmp_path / str(n), tmp_path, 12, classes=CLASSES[:n]) for n in (2, 3))
    for made in (two, three):
        content = json.loads((made.folder / "audit.json").read_text())
        del content["network"]["activation"]  # as the first audits were written
        (made.folder / "audit.json").write_text(json.dumps(content))
    assert probabilities.are_known(read_manifest(two.folder).network)
    assert not probabilities.are_known(read_manifest(three.folder).network)
    assert measures.accuracy(probabilities.of_all(open_audit(two.folder))).n == 11
