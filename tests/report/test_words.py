"""Numbers and layers in words."""

import math

import pytest

from camcore.report.words import duration, percent, readable


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.71, "71 %"),
        (0.0714, "7.1 %"),
        (0.995, "99.5 %"),
        (0.9999, "> 99.9 %"),
        (1.0, "100 %"),
        (0.0, "0 %"),
        (0.0004, "< 0.1 %"),
        (math.nan, "–"),
    ],
)
def test_percent(probability, text):
    assert percent(probability) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0312, "31 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"), (5.62, "5.6 s")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_readable_takes_underscores_away():
    assert readable("Egyptian_cat") == "Egyptian cat"
