"""Whether there are two classes to weigh against each other."""

import math

from camcore.predictions import Prediction
from ui.compare.contrast_view import lone_answer


def test_a_regression_has_no_two_classes() -> None:
    age = Prediction(0, "raises age", math.nan, 37.2, "value")
    assert "one number" in lone_answer(("raises age", "lowers age"), (age,))
    assert "one class only" in lone_answer(("cat",), ())


def test_a_classifier_has() -> None:
    assert lone_answer(("cat", "dog"), (Prediction(0, "cat", 0.7, 1.0),)) == ""
    assert lone_answer(("cat", "dog"), ()) == ""
