"""The decision of a review: the answers counted, what they prove, and whether the sham maps were noticed."""

from __future__ import annotations

from dataclasses import dataclass

from camcore.reviews.bounds import least_right, most_right
from camcore.reviews.order import LEAST_SHAMS

OPEN, YES, NO, UNDECIDED, REFUSED = STATES = ("open", "yes", "no", "undecided", "refused")

SHAM_LEVEL = 0.01
"""The greatest p-value with which shams count as noticed: so seldom would one pass who sees no difference."""


@dataclass(frozen=True)
class Goal:
    """The claim to be decided: at least ``share`` of the decisions have the right reason, with this ``confidence``."""

    share: float = 0.9
    confidence: float = 0.95


@dataclass(frozen=True)
class Tally:
    """The answers, counted. ``unseen``: pictures that could not be shown. ``shams``: in no other number."""

    right: int = 0
    wrong: int = 0
    unseen: int = 0
    shams: int = 0
    shams_right: int = 0

    @property
    def judged(self) -> int:
        """The pictures whose own map was judged."""
        return self.right + self.wrong


@dataclass(frozen=True)
class Outcome:
    """The result so far: the share of right reasons is at least ``low`` and at most ``high``, each with confidence.

    ``p``: at the end, of Fisher's exact test that real maps are called right more often than shams. REFUSED: they are
    not, so that no lower bound is proved.
    """

    state: str
    low: float
    high: float
    p: float


def outcome(tally: Tally, pictures: int, empty: int, goal: Goal, finished: bool) -> Outcome:
    """What the answers prove of ``pictures`` with a map and of ``empty`` ones, whose map is zero.

    A map that is zero marks nothing, so its reason is counted as wrong without a look. A picture that could not be
    shown counts against each bound. ``finished``: nothing is left to look at. NO needs no shams: calling all wrong can
    only lower the bound.
    """
    count, lost = pictures + empty, tally.unseen
    low = least_right(tally.right, tally.wrong + lost, pictures, goal.confidence) / count
    high = most_right(tally.right + lost, tally.wrong, pictures, goal.confidence) / count
    reached = low >= goal.share
    if high < goal.share:
        return Outcome(NO, low, high, no_difference(tally))
    if finished or (reached and tally.shams >= LEAST_SHAMS):
        p = no_difference(tally)
        if p > SHAM_LEVEL:
            return Outcome(REFUSED, 0.0, high, p)
        return Outcome(YES if reached else UNDECIDED, low, high, p)
    return Outcome(OPEN, low, high, 1.0)


def no_difference(tally: Tally) -> float:
    """The p-value of Fisher's exact test, one-sided, of real and sham maps being called right equally often.

    R. A. Fisher, "The Design of Experiments" (1935). Given how many maps were called right, the number of shams among
    them is hypergeometric; the test needs no guess at how many shams happen to mark the object.
    """
    from scipy.stats import hypergeom

    if not tally.judged:
        return 1.0
    called_right = tally.right + tally.shams_right
    return float(hypergeom.cdf(tally.shams_right, tally.judged + tally.shams, called_right, tally.shams))
