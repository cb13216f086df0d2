"""Simulated reviewers: how often a bound holds, how soon it decides, and who is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from camcore.reviews.decision import OPEN, Goal, Outcome, Tally, outcome
from camcore.reviews.order import plan


@dataclass(frozen=True)
class Reviewer:
    """The chances of calling a map right: one ``placed`` on the object, one ``elsewhere``."""

    placed: float
    elsewhere: float


CAREFUL = Reviewer(1.0, 0.0)
"""Sees what there is to see, without a slip."""
SLIPPING = Reviewer(0.95, 0.05)
"""Presses the wrong key once in twenty times."""
ALWAYS_YES, ALWAYS_NO = Reviewer(1.0, 1.0), Reviewer(0.0, 0.0)
GUESSING, NODDING = Reviewer(0.5, 0.5), Reviewer(0.95, 0.95)
"""Do not look: press either key, or nearly always yes."""


@dataclass(frozen=True)
class Simulated:
    """One review. ``share``: of all pictures that this reviewer would call right, which the bounds are about.

    ``low``, ``high``: the tightest bounds on the way to the ``outcome``. ``maps``: judged; ``pictures``: without shams.
    """

    outcome: Outcome
    share: float
    low: float
    high: float
    maps: int
    pictures: int

    @property
    def low_holds(self) -> bool:
        """The lower bound was never above the share."""
        return self.low <= self.share

    @property
    def high_holds(self) -> bool:
        """The upper bound was never below the share."""
        return self.high >= self.share


def simulate(
    reviewer: Reviewer,
    right: int,
    pictures: int,
    goal: Goal,
    budget: int,
    rng: np.random.Generator,
    hits: float = 0.0,
) -> Simulated:
    """The review of ``pictures`` of which ``right`` have the right reason. ``hits``: shams that mark the object."""
    items = plan(int(rng.integers(1 << 53)), pictures, budget)
    placed = rng.permutation(pictures) < right
    own = rng.random(pictures) < np.where(placed, reviewer.placed, reviewer.elsewhere)
    shams = rng.random(len(items)) < np.where(rng.random(len(items)) < hits, reviewer.placed, reviewer.elsewhere)
    low, high, tally = 0.0, 1.0, Tally()
    for number, item in enumerate(items):
        if item.sham:
            tally = replace(tally, shams=tally.shams + 1, shams_right=tally.shams_right + int(shams[number]))
        elif own[item.rank]:
            tally = replace(tally, right=tally.right + 1)
        else:
            tally = replace(tally, wrong=tally.wrong + 1)
        found = outcome(tally, pictures, 0, goal, number + 1 == len(items))
        low, high = max(low, found.low), min(high, found.high)
        if found.state != OPEN:
            break
    return Simulated(found, float(own.mean()), low, high, number + 1, tally.judged)
