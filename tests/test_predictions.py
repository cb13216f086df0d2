"""Probabilities and top classes."""

from __future__ import annotations

import numpy as np
import pytest

import camcore
from camcore.predictions import Prediction, probabilities, top_predictions

LABELS = ("ant", "bee", "cat", "dog")


def test_softmax():
    z = np.log([[1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_allclose(probabilities(z, "softmax"), [[0.1, 0.2, 0.3, 0.4]])
    np.testing.assert_allclose(probabilities(z, "linear"), [[0.1, 0.2, 0.3, 0.4]])


def test_sigmoid():
    z = np.array([-1.0, 0.0, np.log(3)])
    np.testing.assert_allclose(probabilities(z, "sigmoid"), [1 / (1 + np.e), 0.5, 0.75])


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "linear"])
def test_nothing_overflows(activation):
    with np.errstate(all="raise", under="ignore"):
        p = probabilities(np.array([1e4, -1e4, 0.0, 1e4]), activation)
    wanted = [1, 0, 0.5, 1] if activation == "sigmoid" else [0.5, 0, 0, 0.5]
    np.testing.assert_allclose(p, wanted, atol=1e-300)


def test_half_precision_logits_are_fine():
    p = probabilities(np.array([60000, -60000], np.float16), "softmax")
    np.testing.assert_allclose(p, [1, 0], atol=1e-300)
    assert p.dtype == np.float64


def test_a_regression_has_no_probability():
    assert np.isnan(probabilities([[3.0, -3.0]], "none")).all()
    assert probabilities([[3.0]], "sigmoid").item() == pytest.approx(1 / (1 + np.exp(-3)))


def test_log_probabilities():
    np.testing.assert_allclose(probabilities(np.log([0.25, 0.7]), "exp"), [0.25, 0.7])
    assert probabilities([1e-7], "exp").item() == 1  # a rounding error is no probability above 1


def test_a_regression_has_one_answer():
    (said,) = top_predictions([-3.0, 3.0], [np.nan, np.nan], ("raises", "lowers"), 5, "value")
    assert (said.index, said.label, said.logit, said.lowers) == (0, "raises", -3.0, False)
    assert Prediction(1, "lowers", np.nan, 3.0, "value").lowers
    assert not Prediction(1, "bee", 0.5, 0.0).lowers


def test_top_classes_in_order():
    found = top_predictions([0.0, 2.0, -1.0, 1.0], probabilities([0.0, 2.0, -1.0, 1.0], "softmax"), LABELS, 3)
    assert [(p.index, p.label) for p in found] == [(1, "bee"), (3, "dog"), (0, "ant")]
    assert [p.logit for p in found] == [2.0, 1.0, 0.0]
    e = np.exp([2.0, 1.0, 0.0, -1.0])
    np.testing.assert_allclose([p.probability for p in found], (e / e.sum())[:3])
    assert [type(p.index) for p in found] == [int] * 3


def test_ties_go_in_the_order_of_the_classes():
    assert [p.index for p in top_predictions([1.0] * 4, [0.25] * 4, LABELS, 4)] == [0, 1, 2, 3]


def test_more_than_there_are_gives_all():
    assert len(top_predictions([1.0, 2.0, 3.0, 4.0], [0.1] * 4, LABELS, 99)) == 4


@pytest.mark.parametrize("top", [0, -1, 1.5, True, "3", None])
def test_a_wrong_top(top):
    with pytest.raises(camcore.CamcoreError, match=r"top=.*whole number of at least 1"):
        top_predictions([1.0, 2.0], [0.3, 0.7], ("a", "b"), top)
