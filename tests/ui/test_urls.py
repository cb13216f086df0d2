"""What a link may say, and what the page answers where it names nothing."""

import pytest

from ui.urls import Parameter, whole_number


def test_a_known_word_is_taken() -> None:
    assert Parameter("method", "method", "gradcam", ("gradcam", "layercam")).read("layercam") == ("layercam", None)


def test_an_unknown_word_is_named_with_the_nearest_and_the_default() -> None:
    value, problem = Parameter("model", "backbone", "A", ("A", "MobileNetV2")).read("mobilenetv")
    assert value == "A"
    assert problem is not None
    assert "“mobilenetv”" in problem
    assert "Did you mean “MobileNetV2”?" in problem
    assert "Showing “A” instead." in problem


@pytest.mark.parametrize(
    ("text", "wrong"), [("abc", "whole number"), ("140", "between 0 and 100"), ("1.5", "whole number")]
)
def test_numbers_are_checked(text: str, wrong: str) -> None:
    value, problem = Parameter("opacity", "opacity", 50, parse=whole_number(0, 100)).read(text)
    assert value == 50
    assert problem is not None
    assert wrong in problem


def test_a_very_long_word_is_cut() -> None:
    _, problem = Parameter("method", "method", "gradcam", ("gradcam",)).read("x" * 5000)
    assert problem is not None
    assert len(problem) < 200
