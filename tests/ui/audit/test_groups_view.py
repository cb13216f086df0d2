"""The order of the groups' cards, and what they say of a trial."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from camcore.audits.groups import Group, Stability
from camcore.metrics.intervals import rate
from camcore.shortcuts.rule import FALSE_ALARMS
from camcore.shortcuts.verdict import Figures, Verdict
from ui import trial_chart
from ui.audit import court_view
from ui.audit.groups_view import ordered


def group(label: str, number: int, size: int, right: int, of_class: tuple[int, int]) -> Group:
    return Group(
        label, number, size, 0.5, (), (), rate(right, size), rate(*of_class), np.ones((2, 2)), (), Stability(1.0, ())
    )


def test_failing_groups_come_first_and_classes_of_one_group_not_at_all() -> None:
    groups = (
        group("cat", 1, 300, 297, (340, 400)),
        group("cat", 2, 60, 25, (340, 400)),
        group("cat", 3, 40, 18, (340, 400)),
        group("dog", 1, 500, 400, (400, 500)),
        group("owl", 1, 90, 89, (99, 100)),
        group("owl", 2, 10, 10, (99, 100)),
    )
    assert ordered(groups) == [1, 2, 0, 4, 5]
    assert ordered(groups[3:4]) == []


def test_suspects_come_before_those_that_fail_also_where_a_class_has_one_group() -> None:
    groups = (
        group("cat", 1, 60, 25, (340, 400)),
        replace(group("dog", 1, 500, 400, (400, 500)), verdict=Verdict(None, True, ("It was pasted.",))),
        replace(group("cat", 2, 30, 29, (340, 400)), verdict=Verdict(None, False, ("Not tried.",))),
    )
    assert ordered(groups) == [1, 0, 2]


def test_a_suspicion_stands_beside_its_rate_of_false_alarms() -> None:
    tried = group("dog", 1, 500, 400, (400, 500))
    assert court_view.lines(tried) == ()
    innocent = replace(tried, verdict=Verdict(None, False, ("It was pasted.",)))
    assert court_view.lines(innocent) == ("It was pasted.",)
    suspect = replace(tried, verdict=Verdict(None, True, ("It was pasted.",)))
    assert court_view.lines(suspect) == ("It was pasted.", FALSE_ALARMS)


def test_bars_are_of_the_width_of_their_shares() -> None:
    one = replace(
        group("<dog>", 1, 40, 30, (40, 50)),
        verdict=Verdict(
            Figures(rate(30, 120), rate(6, 120), rate(3, 60), rate(4, 16), rate(0, 0)),
            True,
            ("Copies.", "Pasted into 120 pictures.", "Painted over in 16."),
        ),
    )
    drawn = trial_chart.bars(one)
    assert re.findall(r"<u style=\"width:([\d.]+)%", drawn) == ["25.0", "5.0", "5.0", "25.0"]
    assert "<dog>" not in drawn
    assert "30 of 120, 25 %" in drawn
    assert court_view.apart(one)[0] == "Copies."
    assert not any("Past" in line or "Paint" in line for line in court_view.apart(one))


def test_a_group_that_was_not_tried_has_its_reason() -> None:
    one = replace(group("dog", 1, 40, 30, (40, 50)), verdict=Verdict(None, False, ("Not tried: too few.",)))
    assert trial_chart.bars(one) == ""
    assert court_view.apart(one) == ("Not tried: too few.",)
