"""Boxes in an address, and what became of the scores in words."""

import csv
import io
import math
from types import SimpleNamespace
from typing import Any

import pytest

from camcore.predictions import Prediction
from camcore.verdict.what_if import ScoreChange
from ui.trust.what_if_view import changes_csv, read_box, sentence, write_box


def test_a_box_goes_into_the_address_and_comes_back() -> None:
    assert read_box(write_box((1, 20, 300, 40))) == (1, 20, 300, 40)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3", "four whole numbers"),
        ("1,2,3,4,5", "four whole numbers"),
        ("a,2,3,4", "four whole numbers"),
        ("1.5,2,3,4", "four whole numbers"),
        ("5,2,5,4", "top has to lie above"),
        ("1,4,5,2", "left edge before"),
        ("-1,0,5,5", "top has to lie above"),
    ],
)
def test_what_is_no_box_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_box(text)


def change(label: str, before: float, after: float, index: int = 0) -> ScoreChange:
    return ScoreChange(Prediction(index, label, before, 1.5), Prediction(index, label, after, -0.25))


def found(*changes: ScoreChange, keep: bool = False) -> Any:
    return SimpleNamespace(changes=changes, keep=keep)


def test_the_sentence() -> None:
    fell = found(change("tabby_cat", 0.8, 0.2), change("dog", 0.1, 0.7))
    assert (
        sentence(fell)
        == "Without what is in the box “tabby cat” falls from 80 % to 20 %; the network says “dog”, 70 %."
    )
    rose = found(change("cat", 0.2, 0.9), keep=True)
    assert sentence(rose).startswith("Without all around the box “cat” rises from 20 % to 90 %")
    assert "stays at 20 %" in sentence(found(change("cat", 0.2, 0.203)))
    assert sentence(found(change("y", math.nan, math.nan))) == (
        "Without what is in the box the score of “y” goes from 1.500 to −0.250."
    )


def test_the_table_can_be_read_back() -> None:
    rows = list(csv.DictReader(io.StringIO(changes_csv(found(change('a "b", c', 0.1, 0.2, 7))).decode())))
    assert rows == [
        {"index": "7", "label": 'a "b", c', "probability_before": "0.1", "probability_after": "0.2",
         "logit_before": "1.5", "logit_after": "-0.25"}
    ]  # fmt: skip
