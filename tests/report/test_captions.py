"""Numbers and layers in words."""

import math
from types import SimpleNamespace

import pytest

from camcore.predictions import Prediction
from camcore.report.captions import answer_name, explained, geometry, headline, map_title
from camcore.text import counted, duration, minus, percent, readable, score_name, score_text, strength


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.71, "71 %"),
        (0.0714, "7.1 %"),
        (0.0996, "10 %"),
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
    ("seconds", "text"), [(0.0002, "< 1 ms"), (0.0312, "31 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"), (5.62, "5.6 s")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("stride", "field", "whole", "tokens", "text"),
    [
        ((32.0, 32.0), (491, 491), False, False, "7×7, one cell = 32×32 px of the input, receptive field 491 px"),
        ((37.375, 16.0), (40, 30), False, False, "7×7, one cell = 37.4×16 px of the input, receptive field 40×30 px"),
        ((8.0, 8.0), None, True, False, "7×7, one cell = 8×8 px of the input, gates see the whole picture"),
        ((8.0, 8.0), None, True, True, "7×7, one cell = 8×8 px of the input, attention sees the whole picture"),
    ],
)
def test_geometry_gives_grid_cell_and_receptive_field(stride, field, whole, tokens, text):
    info = SimpleNamespace(grid=(7, 7), stride=stride, receptive_field=field, whole_picture=whole, tokens=tokens)
    assert geometry(info) == text


def test_readable_takes_underscores_away():
    assert readable("Egyptian_cat") == "Egyptian cat"


_SAYS_CAT, _SAYS_AGE, _SAYS_VALUE = "says “cat”, 71 %", "says age is 37.2", "says the output is −1.5"


@pytest.mark.parametrize(
    ("said", "score", "strong", "name", "sentence"),
    [
        (Prediction(3, "big_cat", 0.71, 8.246), "logit 8.25", "71 %", "big cat", "says “big cat”, 71 %"),
        (Prediction(3, "cat", 0.71, -0.342, "log-probability"), "log-probability −0.34", "71 %", "cat", _SAYS_CAT),
        (Prediction(1, "cat", 0.71, 0.9, "log-odds"), "log-odds 0.90", "71 %", "cat", _SAYS_CAT),
        (Prediction(0, "raises age", math.nan, 37.2, "value"), "output value 37.20", "37.2", "age", _SAYS_AGE),
        (Prediction(1, "lowers age", math.nan, -37.2, "value"), "output value 37.20", "37.2", "age", _SAYS_AGE),
        (Prediction(0, "raises", math.nan, -1.5, "value"), "output value −1.50", "−1.5", "the output", _SAYS_VALUE),
    ],
)
def test_a_score_is_called_what_it_is(said, score, strong, name, sentence):
    assert score_text(said) == score
    assert score.startswith(score_name(said.score_kind))
    assert strength(said) == strong
    assert answer_name(said) == name
    assert headline("net", "trained", said) == f"net {sentence}"


@pytest.mark.parametrize(
    ("label", "index", "value", "title", "subject"),
    [
        ("raises age", 0, 37.2, "What raises age", "age 37.2, what raises it"),
        ("lowers age", 1, -37.2, "What lowers age", "age 37.2, what lowers it"),
        ("raises", 0, 37.2, "What raises the output", "the output 37.2, what raises it"),
    ],
)
def test_a_map_of_a_regression_explains_a_side_of_its_value(label, index, value, title, subject):
    said = Prediction(index, label, math.nan, value, "value")
    assert map_title(said) == map_title(said, quoted=True) == title
    assert explained(said) == subject


def test_a_map_of_a_class_explains_the_class():
    said = Prediction(3, "big_cat", 0.71, 8.2)
    assert map_title(said) == "Where it looks for big cat"
    assert map_title(said, quoted=True) == "Where it looks for “big cat”"
    assert explained(said) == "big cat 71 %"


def test_a_classifier_that_overflows_has_no_strength():
    assert strength(Prediction(0, "cat", math.nan, math.inf)) == "–"


def test_counts_and_signs() -> None:
    told = [counted(1, "class"), counted(3, "class"), counted(2000, "picture"), counted(2, "entry", "entries")]
    assert told == ["1 class", "3 classes", "2,000 pictures", "2 entries"]
    assert minus("-1.2e-04") == "−1.2e−04"
