"""Sentences and tables on the audits of a bias study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from camcore.audits.groups import Group, Stability
from camcore.bias.court import HeadCourt
from camcore.bias.cue import CORNER
from camcore.bias.study import HEADS, TRIALS, Study, StudyHead
from camcore.metrics.intervals import Rate, rate
from camcore.shortcuts.verdict import Copied, Figures, Verdict
from ui.classifier.bias_court import conclusion


def group(suspect: bool, turned: int = 60) -> Group:
    figures = Figures(rate(turned, 240), rate(1, 240), rate(6, 240), rate(2, 40), rate(0, 40))
    return Group(
        "dog", 1, 48, 0.96, (), (), None, None, np.ones((2, 2)), (), Stability(1.0, ()),
        copied=Copied(0.9, 0.3), verdict=Verdict(figures, suspect, ("It was pasted.",)),
    )  # fmt: skip


def rates(count: int) -> dict[str, Rate]:
    return dict.fromkeys(TRIALS, rate(count, 100))


def study(courts: dict[str, HeadCourt]) -> Study:
    heads = tuple(StudyHead(name, rates(50), {}, np.ones((2, 2)), {}, 1.0, courts[name]) for name in HEADS)
    return Study(("cat", "dog"), 1, CORNER, 200, 100, (), 0, heads=heads)


FREE = HeadCourt(3, 0, group(suspect=False), 20)
FOUND = HeadCourt(4, 1, group(suspect=True), 47, mended=rates(93))


@pytest.mark.parametrize(
    ("planted", "mended", "said"),
    [
        (
            FOUND,
            FREE,
            "**Would an audit have found it?** Yes. Each network was also audited on the marked test pictures, and the "
            "audit was not told of the mark. In *planted* it suspects 48 pictures predicted as “dog”, 47 of them with "
            "the mark. What they share, pasted into 240 pictures of other classes, makes 60 of them “dog”; pieces "
            "without it: 6 of 240. With that taken out of its head, it is right for **93 %** with the "
            "mark swapped, 50 % before. In *clean* and *mended* it suspects nothing.",
        ),
        (replace(FOUND, marked=0, mended={}), FOUND, "Not the mark, but something else."),
        (FREE, FREE, "Not here. Each"),
        (
            FOUND,
            HeadCourt(3, 1, group(suspect=True, turned=11), 47),
            "In *mended* it suspects 48 pictures, too, though what they share turns only 11 of 240: a suspicion is a "
            "question, not a proof.",
        ),
        (HeadCourt(0, 0, None, 0), FREE, "It suspects nothing in *planted*. In *clean*"),
        (FOUND, FOUND, "In *clean* it suspects nothing. In *mended* it suspects 48 pictures, too."),
    ],
)
def test_what_the_audits_found(planted: HeadCourt, mended: HeadCourt, said: str) -> None:
    courts = {"clean": FREE, "planted": planted, "mended": mended}
    assert said in conclusion(study(courts), courts)
