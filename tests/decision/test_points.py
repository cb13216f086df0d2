"""The rules, question by question, on figures made up at their borders."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from camcore.audits.groups import Group, Stability
from camcore.decision import points
from camcore.decision.measured import MeasuredAccuracy
from camcore.metrics.intervals import rate
from camcore.release.kept import KeptCheck
from camcore.reviews.decision import NO, REFUSED, UNDECIDED, YES
from camcore.shortcuts.judgements import Judgement
from camcore.shortcuts.state import group_key
from camcore.shortcuts.verdict import Figures, Verdict

TRIED = Figures(rate(1, 40), rate(1, 40), None, rate(0, 9), rate(0, 9))


def measured(right: int, cats: tuple[int, int], dogs: tuple[int, int], **changes: object) -> MeasuredAccuracy:
    classes = (("cat", rate(*cats)), ("dog", rate(*dogs)))
    made = MeasuredAccuracy("here", rate(right, cats[1] + dogs[1]), classes)
    return replace(made, **changes)


def group(number: int, suspect: bool, figures: Figures | None = TRIED) -> Group:
    verdict = Verdict(figures, suspect, ("because",))
    stability = Stability(1.0, ())
    return Group(
        "dog", number, 30, 0.2, (f"{number}.png",), (), None, None, np.ones((2, 2)), (), stability, verdict=verdict
    )


def review(state: str | None, text: str = "told") -> SimpleNamespace:
    result = None if state is None else SimpleNamespace(state=state)
    return SimpleNamespace(record=SimpleNamespace(result=result), text=text)


def judged(*answers: str | None) -> dict[str, Judgement]:
    pairs = [(group(number, True), answer) for number, answer in enumerate(answers, 1)]
    return {group_key(one): Judgement(answer, "2026-01-01") for one, answer in pairs if answer is not None}


@pytest.mark.parametrize(
    ("right", "cats", "dogs", "state"),
    [
        (95, (48, 50), (47, 50), "for"),
        (60, (30, 50), (30, 50), "for"),  # Wilson's interval begins at 50.2 %
        (59, (30, 50), (29, 50), "against"),  # at 49.2 %, where naming one of the two every time is right on 50 %
        (95, (95, 95), (0, 5), "against"),  # who says cat to everything is as right
    ],
)
def test_accuracy_has_to_be_clearly_above_naming_one_class(right, cats, dogs, state):
    one = points.accuracy([measured(right, cats, dogs)])
    assert (one.state, one.required) == (state, True)


def test_only_new_pictures_count_and_of_these_the_most():
    few, many = measured(9, (5, 5), (4, 5)), measured(90, (45, 50), (45, 50))
    own = measured(1000, (500, 500), (500, 500), counts=False, caution="It learned from them.")
    assert points.counting([few, own, many]) is many
    told = points.accuracy([own])
    assert told.state == "open"
    assert "It learned from them." in told.text
    assert told.lacks


def test_the_weakest_class_is_named_by_the_end_of_its_interval():
    one = measured(92, (4, 5), (88, 96))
    assert one.weakest[0] == "dog", "four of five may be chance"
    assert measured(93, (0, 0), (93, 100)).weakest is None


def test_a_suspect_is_settled_by_a_person_alone():
    two = (group(1, True), group(2, True), group(3, False))
    assert points.shortcuts((), {}).state == "open"
    assert points.shortcuts((group(1, False, None),), {}).state == "open", "it was not tried"
    assert points.shortcuts((group(3, False),), {}).state == "for"
    for answers, state in (
        ((None, None), "open"),
        (("thing", None), "open"),
        (("thing", "unsure"), "open"),
        (("thing", "thing"), "for"),
        (("shortcut", None), "against"),
        (("shortcut", "thing"), "against"),
    ):
        assert points.shortcuts(two, judged(*answers)).state == state, answers
    assert "dog 1" in points.shortcuts(two, judged("shortcut")).text


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ((), "open"),
        ((None,), "open"),
        ((UNDECIDED, REFUSED), "open"),
        ((UNDECIDED, YES), "for"),
        ((YES, NO), "against"),
    ],
)
def test_a_review_that_misses_its_goal_speaks_against_it(states, state):
    one = points.people([review(each, f"It is {each}.") for each in states])
    assert one.state == state
    decided = next((each for each in (NO, YES) if each in states), None)
    if decided:
        assert one.text == f"It is {decided}."


def test_maps_and_gate_are_told_and_not_required():
    told = points.maps(["trust", "trust", "distrust", ""])
    assert told.state == "note"
    assert "Of 3 maps" in told.text
    assert "2 beat chance" in told.text
    assert points.maps([]).state == points.versions(None).state == "open"
    assert not points.maps([]).required
    for passed, state in ((True, "for"), (False, "against")):
        assert points.versions(KeptCheck(passed, "Said.", "policy.toml", "old", "0")).state == state
