"""Judgements in words."""

from __future__ import annotations

import pytest

from camcore.release.judged import FAILED, judged
from camcore.release.kinds import Rule
from camcore.release.measured import Figure, Measured


@pytest.mark.parametrize(
    ("rule", "figure", "said"),
    [
        (
            Rule("accuracy", 0.29),
            Figure(0.3, 0.254, 0.3512, 300),
            "Right answers of the new network: 30.0 % (25.4 to 35.1) of 300 pictures. Asked for: at least 29 %, the "
            "worse end of the interval. The figure itself keeps the limit, and more pictures would make its interval "
            "narrower.",
        ),
        (
            Rule("class_accuracy_lost", 0.0125, by="figure"),
            Figure(0.02, -0.01, 0.05, 1200, "red fox"),
            "Right answers lost in the class that loses most (red fox): 2.0 points (−1.0 to 5.0) of 1,200 pictures. "
            "Asked for: at most 1.25 points.",
        ),
        (
            Rule("pictures", 1500),
            Figure(1200, 1200, 1200, 1200),
            "Pictures that both networks answered: 1,200. Asked for: at least 1,500.",
        ),
    ],
)
def test_the_figure_its_interval_and_the_limit_in_a_sentence(rule: Rule, figure: Figure, said: str) -> None:
    one = judged(rule, Measured(figure))
    assert (one.state, one.sentence) == (FAILED, said)
