"""Shown against hidden: log-odds of the counter are linear, so the lead is known."""

import numpy as np
import pytest
from bright import OFFSET, SLOPE, a_case, a_map, counter, picture, probability, shades

import camcore
from camcore.metrics.faithfulness.case import controls, subject_of
from camcore.metrics.faithfulness.sufficiency import measure_sufficiency, passes

SHARES = (0.25, 0.5)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "linear"])
def test_lead_and_scores_by_hand(activation):
    net, grey = counter(activation=activation), shades()
    pic = picture(grey)
    case = a_case(net, pic)
    *_, last = measure_sufficiency(case, [subject_of(case, a_map(net, pic, grey / 255))], SHARES)
    (found,) = last.results
    x = np.sort(grey.ravel())[::-1] / 255
    mean = x.mean()
    hidden = np.array([SLOPE * np.where(np.arange(80) < k, mean, x).mean() + OFFSET for k in (20, 40)])
    shown = np.array([SLOPE * np.where(np.arange(80) < k, x, mean).mean() + OFFSET for k in (20, 40)])
    assert found.lead == pytest.approx((shown - hidden).mean(), abs=1e-6)
    assert found.spread == pytest.approx(shown.max() - hidden.min(), abs=1e-6)
    score = (lambda z: z) if activation == "linear" else (lambda z: probability((z - OFFSET) / SLOPE))
    assert found.hidden == pytest.approx(score(hidden), abs=1e-6)
    assert found.shown == pytest.approx(score(shown), abs=1e-6)
    y = score(SLOPE * mean + OFFSET)
    assert found.removed(0.25) == pytest.approx((y - score(hidden[0])) / abs(y), abs=1e-6)


def test_the_class_that_an_empty_picture_is_taken_for_gains_nothing():
    """A map's lead for one class is minus its lead for the other, whatever the network leans to."""
    net, grey = counter(), shades()
    pic = picture(grey)
    bright = a_case(net, pic)
    dark = type(bright)(net, bright.x, bright.frame, 0)
    subjects = controls(bright, 3)
    leads = [[one.lead for one in list(measure_sufficiency(case, subjects))[-1].results] for case in (bright, dark)]
    assert leads[0] == pytest.approx([-lead for lead in leads[1]], abs=1e-12)


def test_a_map_that_is_the_same_everywhere_is_judged_like_the_others():
    case = a_case(counter(), picture(shades()))
    subject = subject_of(case, a_map(case.network, picture(shades()), np.zeros((8, 10))))
    *_, last = measure_sufficiency(case, [subject])
    assert np.isfinite([last.results[0].lead, *last.results[0].hidden]).all()


def test_passes_are_told_and_shared():
    case = a_case(counter(), picture(shades()))
    blob, *_ = controls(case, 1)
    steps = list(measure_sufficiency(case, [blob, blob], SHARES))
    assert passes(2, SHARES) == 9
    assert steps[-2].done == 5  # the second time nothing is asked
    assert steps[-1].done == steps[-1].total == 9


def test_answers_to_controls_serve_another_class_and_another_map_to_the_last_digit():
    net, grey, memory = counter(), shades(), camcore.Memory()
    pic = picture(grey)
    bright = a_case(net, pic)
    dark = type(bright)(net, bright.x, bright.frame, 0)
    other = type(bright)(net, bright.x / 2, bright.frame, 1)
    for case, asked in ((bright, 41), (dark, 11), (other, 41)):  # another picture has answers of its own
        subjects = [subject_of(bright, a_map(net, pic, grey / 255)), *controls(bright, 2)]
        *_, alone = measure_sufficiency(case, subjects)
        *steps, last = measure_sufficiency(case, subjects, memory=memory)
        assert max(step.done for step in steps) == asked
        for one, found in zip(alone.results, last.results, strict=True):
            assert (one.lead, one.spread, one.score) == (found.lead, found.spread, found.score)
            assert np.array_equal(one.hidden, found.hidden)
            assert np.array_equal(one.shown, found.shown)
