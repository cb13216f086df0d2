"""The rule on made-up trials: those that are suspected, and those that are not."""

from __future__ import annotations

import numpy as np
import pytest

from camcore.audits.groups import Group, Stability
from camcore.shortcuts.rule import judged, not_tried
from camcore.shortcuts.trial import Tally
from camcore.shortcuts.verdict import Copied, Styled, Verdict, verdict_from_json, verdict_to_json


def group(copied: Copied | None = None, sameness: float = 0.1, styled: Styled | None = None) -> Group:
    return Group(
        "dog", 1, 30, 0.2, (), (), None, None, np.ones((2, 2)), (), Stability(1.0, ()), True, sameness, copied, styled
    )


def tally(flipped: int, random: int, of: int = 120, rest: int = 0, gain: float = 1.0) -> Tally:
    """A trial whose gains are ``gain`` on average, spread by one, where pieces without it leave four missing."""
    squares = of * (gain**2 + 1)
    return Tally(of, flipped, random, 20, 4, 1, rest_flipped=rest, gain=of * gain, gain_squares=squares, short=4 * of)


OTHERS = tally(8, 2)
COPY = Copied(0.9, 0.2)


@pytest.mark.parametrize(
    ("one", "others", "copied", "suspect"),
    [
        (tally(60, 3), OTHERS, None, True),  # three times the others' 7 %, which may be 13
        (tally(46, 3), OTHERS, None, False),  # more than five times as many, but three times is not proved
        (tally(20, 3), tally(0, 0), None, False),  # less than a fifth
        (tally(60, 40), OTHERS, None, True),  # apart from random pieces
        (tally(60, 58), OTHERS, None, True),  # random pieces work as well, and those of others do not
        (tally(60, 58), tally(8, 30), None, False),  # random pieces of all groups do
        (tally(60, 3), None, None, False),  # nothing to compare with
        (tally(40, 12, rest=40), OTHERS, COPY, True),
        (tally(40, 42, rest=12), OTHERS, COPY, True),  # what is painted over still shows at the rim
        (tally(40, 12), None, COPY, True),  # a copy needs no other group
        (tally(12, 12, rest=12), OTHERS, COPY, False),  # any foreign piece turns as many
        (tally(17, 12, rest=16), OTHERS, COPY, False),  # one in twenty-four more
        (tally(18, 12, rest=16), OTHERS, COPY, True),
        (tally(40, 12, gain=0.5), OTHERS, COPY, False),  # an eighth of the way, but a tenth is not proved
        (tally(40, 12, gain=0.7), OTHERS, COPY, True),
        (tally(40, 12, gain=-1), OTHERS, COPY, False),
        (Tally(), OTHERS, COPY, False),
    ],
)
def test_the_rule(one, others, copied, suspect):
    assert judged(group(copied), one, others, doubted=True).suspect is suspect


@pytest.mark.parametrize(
    ("one", "suspect"),
    [
        (tally(3, 3, gain=1.6), True),  # a third of the way is proved, whatever it turns
        (tally(60, 3, gain=1.45), False),  # more than a third, but that is not proved
        (tally(3, 3, of=8, gain=1.6), False),
        (tally(3, 3, gain=-1.6), False),
        (Tally(), False),
    ],
)
def test_the_rule_for_styles(one, suspect):
    assert judged(group(styled=Styled("conv")), one, None, doubted=True).suspect is suspect


def test_a_group_without_a_second_trial_or_alike_evidence_is_no_suspect():
    assert not judged(group(), tally(60, 3), OTHERS, doubted=False).suspect
    assert not judged(group(sameness=-0.01), tally(60, 3), OTHERS, doubted=True).suspect


def test_reasons_tell_the_counts():
    reasons = " ".join(judged(group(), tally(46, 2), OTHERS, doubted=True).reasons)
    for words in ("120 pictures", "46 became “dog” (38 %, 30 to 47)", "same pictures: 2", "other groups: 6.7 %"):
        assert words in reasons
    copied = " ".join(judged(group(COPY), tally(46, 2, rest=6), OTHERS, doubted=True).reasons)
    for words in (
        "pixel by pixel",
        "46 became “dog” (38 %, 30 to 47)",
        "it painted over: 2",
        "pictures without it: 5.0 %",
    ):
        assert words in copied
    assert "Painted over in 20 pictures of its own, 4 were" in reasons
    styled = " ".join(judged(group(styled=Styled("conv")), tally(46, 2), None, doubted=True).reasons)
    for words in ("at layer conv", "Given to 120 pictures of other classes, it made 46 “dog” (38 %, 30 to 47)"):
        assert words in styled
    assert "Taken from 20 pictures of its own, 4 were no longer called “dog”" in styled
    missing = judged(group(), tally(46, 2) + Tally(missing=1), OTHERS, doubted=True)
    assert "1 picture could not be opened any more and was left out." in missing.reasons


@pytest.mark.parametrize(
    "verdict", [judged(group(COPY), tally(46, 2), OTHERS, True), judged(group(), Tally(), None, True), not_tried("No.")]
)
def test_a_verdict_is_read_as_it_was_written(verdict):
    again = verdict_from_json(verdict_to_json(verdict))
    assert again is not None
    assert repr(again) == repr(verdict)  # NaN where there is nothing to count
    assert verdict_from_json({**verdict_to_json(None)}) is None
    assert isinstance(again, Verdict)
