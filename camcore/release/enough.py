"""The number of pictures that a policy takes: limits that so few cannot prove, whatever the networks answer."""

from __future__ import annotations

from math import ceil
from statistics import NormalDist
from typing import TYPE_CHECKING

from camcore.errors import CamcoreError
from camcore.metrics.intervals import rate
from camcore.release.kinds import AT_LEAST, FIGURE, WORST, Rule
from camcore.release.measured import Figure
from camcore.text import counted

if TYPE_CHECKING:
    from camcore.release.policy import Policy

_Z2 = NormalDist().inv_cdf(0.975) ** 2
_OF_ALL = ("flips", "reasons_moved")
_OF_LABELLED = ("accuracy", "regressions")


def check_enough(policy: Policy, pictures: int, labelled: int) -> None:
    """Raise CamcoreError where a limit cannot be met by so many pictures, were every answer as wanted."""
    for rule in policy.rules:
        if rule.name == "pictures" and pictures < rule.limit:
            raise CamcoreError(
                f"[pictures] at_least = {rule.limit:.0f} of the policy cannot be met by "
                f"{counted(pictures, 'picture')}. Give more pictures, or lower the limit."
            )
        n = pictures if rule.name in _OF_ALL else labelled if rule.name in _OF_LABELLED else 0
        if n and rule.by == WORST and not _best(rule, n).keeps(rule):
            raise CamcoreError(
                f"[{rule.name}] {rule.kind.limit} = {rule.limit:g} of the policy cannot be met by "
                f"{counted(n, 'picture')}: even were every answer as wanted, the interval would reach beyond it. "
                f"It takes {_needed(rule):,}. Give more pictures, another limit, or by = {FIGURE!r}."
            )


def _best(rule: Rule, n: int) -> Figure:
    """The best figure that n pictures can give."""
    one = rate(n if rule.kind.limit == AT_LEAST else 0, n)
    return Figure(one.value, one.low, one.high, n)


def _needed(rule: Rule) -> int:
    """The pictures that a limit takes: of n alike answers Wilson's interval ends z² / (n + z²) away from them."""
    away = 1 - rule.limit if rule.kind.limit == AT_LEAST else rule.limit
    return ceil(_Z2 * (1 - away) / away)
