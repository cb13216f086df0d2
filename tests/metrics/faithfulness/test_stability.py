"""Sensitivity to small noise, against the map's own formula."""

import numpy as np
import pytest
from bright import a_case, counter, picture, shades

import camcore
from camcore.metrics.faithfulness.stability import RADIUS, max_sensitivity, noisy, relative_change


def finished(work):
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def test_relative_change():
    assert relative_change([[3, 4]], [[3, 0]]) == pytest.approx(4 / 5)
    assert relative_change(np.zeros((2, 2)), np.zeros((2, 2))) == 0
    assert relative_change(np.zeros((2, 2)), np.eye(2)) == 1  # all of it is new


def test_noise_is_small_and_seeded():
    case = a_case(counter(), picture(shades()))
    moved = noisy(case, 0) - case.x
    assert np.abs(moved).max() <= RADIUS * np.ptp(case.x)
    assert np.abs(moved).max() > 0.9 * RADIUS * np.ptp(case.x)
    assert np.array_equal(noisy(case, 0), noisy(case, 0))
    assert not np.array_equal(noisy(case, 0), noisy(case, 1))


def test_the_largest_change_over_the_draws():
    """Grad-CAM of the counter is the picture itself, divided by its maximum."""
    net, pic = counter(), picture(shades())
    case = a_case(net, pic)
    (m,) = camcore.explain(net, pic, "gradcam", classes=1, framing="stretch")

    def values(x):
        light = np.maximum(x[0, ..., 0], 0)
        return light / light.max()

    changes = [relative_change(values(case.x), values(noisy(case, seed))) for seed in range(4)]
    assert finished(max_sensitivity(case, m, 4)) == pytest.approx(max(changes), abs=1e-6)


def test_what_does_not_look_does_not_move():
    net, pic = counter(), picture(shades())
    (m,) = camcore.explain(net, pic, "centre", classes=1, framing="stretch")
    assert finished(max_sensitivity(a_case(net, pic), m, 2)) == 0
