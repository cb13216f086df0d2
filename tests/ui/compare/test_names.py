"""The words of the comparison."""

import math

from camcore.predictions import Prediction
from ui.compare import names


def test_the_headline_tells_a_class_from_a_quantity() -> None:
    cat, age = Prediction(0, "cat", 0.71, 2.0), Prediction(0, "raises age", math.nan, 37.2, "value")
    assert names.first_answer("Net", cat) == "why Net says “cat”, 71 %"
    assert names.first_answer("Net", age) == "what raises age, 37.2 by Net"
