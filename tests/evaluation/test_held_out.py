"""The record of a training on its held-out pictures, and records that are none."""

import pytest

from camcore.evaluation.held_out import held_out
from camcore.metrics.intervals import rate

RECORD = {
    "val_accuracy": 0.9,
    "held_out": {"cat": 5, "dog": 15},
    "held_out_by_framing": {"stretch": {"accuracy": 0.95}},
}


def test_the_share_becomes_a_count_with_its_interval():
    assert held_out(RECORD) == held_out(RECORD, "crop") == rate(18, 20)
    assert held_out(RECORD, "stretch") == rate(19, 20)


@pytest.mark.parametrize(
    "change",
    [{"val_accuracy": None}, {"val_accuracy": 1.5}, {"val_accuracy": float("nan")}, {"held_out": {}}, {"held_out": 5},
     {"held_out": {"cat": "many"}}, {"held_out": {"cat": float("inf")}}, {"held_out": {"cat": 10**400}},
     {"held_out_by_framing": []}],
)  # fmt: skip
def test_a_record_that_does_not_say_it(change):
    assert held_out({**RECORD, **change}, "crop") is None
