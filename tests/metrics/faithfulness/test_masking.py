"""Average drop, gain, coherency, complexity and ADCC, by hand."""

import numpy as np
import pytest
from bright import a_case, a_map, counter, picture, probability, shades

from camcore.metrics.faithfulness.case import subject_of
from camcore.metrics.faithfulness.masking import adcc, coherency, complexity, drop, gain, masked, pearson


def test_drop_is_divided_by_the_score():
    assert drop(0.8, 0.2) == pytest.approx(0.75)
    assert drop(0.8, 0.9) == 0
    assert drop(0.0, 0.0) == 0


def test_gain_is_divided_by_what_could_be_gained():
    assert gain(0.8, 0.9) == pytest.approx(0.5)
    assert gain(0.8, 0.2) == 0
    assert gain(1.0, 1.0) == 0


def test_coherency_is_a_correlation_in_0_to_1():
    a = np.array([[0, 1], [2, 5.0]])
    assert coherency(a, 3 * a + 1) == pytest.approx(1)
    assert coherency(a, -a) == pytest.approx(0)
    b = np.array([[1, 0], [2, 2.0]])
    assert pearson(a, b) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1])
    assert coherency(a, np.zeros((2, 2))) == 0.5  # an empty map correlates with nothing


def test_complexity_is_the_mean():
    assert complexity([[0, 0.5], [1, 0]]) == pytest.approx(0.375)


def test_adcc_is_the_harmonic_mean_of_three():
    assert adcc(0.5, 0.75, 0.5) == pytest.approx(3 / (2 + 4 + 2))
    assert adcc(1, 0, 0) == pytest.approx(1)
    assert adcc(0.9, 0.2, 1.0) == 0  # all of the score lost
    assert adcc(0.0, 0.2, 0.2) == 0


def test_the_masked_picture_is_the_product():
    net, pic = counter(), picture(shades())
    values = np.random.default_rng(2).random((8, 10))
    case = a_case(net, pic)
    made = masked(case, subject_of(case, a_map(net, pic, values))).make()
    assert case.scores(made[None])[0] == pytest.approx(probability((shades() / 255 * values).mean()), abs=1e-6)


def test_the_letterbox_padding_is_not_masked():
    net, pic = counter((12, 10)), picture(shades((8, 10)))
    case = a_case(net, pic, "letterbox")
    made = masked(case, subject_of(case, a_map(net, pic, np.zeros((12, 10)), "letterbox"))).make()
    assert not made[2:10].any()
    assert np.array_equal(made[[0, 1, 10, 11]], case.picture[[0, 1, 10, 11]])
