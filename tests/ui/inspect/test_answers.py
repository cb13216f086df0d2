"""What the page says about the scores that maps explain."""

import math

import pytest

from camcore.graph.regions import Region
from camcore.predictions import Prediction
from ui.inspect.answers import differentiated


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("logit", ""),
        ("log-probability", "maps explain the log-probability of a class"),
        ("log-odds", "maps explain the log-odds of a class"),
        ("value", "one number: maps show what raises it"),
    ],
)
def test_which_score_is_explained_is_said_where_it_is_not_the_logit(kind: str, text: str) -> None:
    said = differentiated([Prediction(0, "cat", math.nan if kind == "value" else 0.5, 0.7, kind)])
    assert text in said
    assert bool(said) == bool(text)


def test_over_which_pixels_scores_of_a_map_are_means() -> None:
    said = differentiated([Prediction(0, "road", 0.5, 0.7)], Region("predicted").description)
    assert said.endswith("scores are means over the pixels whose answer is the class.")
    assert "logit" in said


def test_nothing_is_said_before_there_is_an_answer() -> None:
    assert differentiated([]) == ""
