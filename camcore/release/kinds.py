"""The rules that a policy may have: the figure that each of them limits, and the keys that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Limit = Literal["at_least", "at_most"]
AT_LEAST: Limit = "at_least"
AT_MOST: Limit = "at_most"

FIGURE, WORST, BEST = JUDGED_BY = ("figure", "worst", "best")
"""The end that must keep the limit: the figure itself, or the worse or the better end of its 95 % interval."""
REFUSE, PASS = UNEXAMINED = ("refuse", "pass")
"""Whether a rule that cannot be examined refuses the new version."""
MAP, EVIDENCE = REASONS = ("map", "evidence")

SMALLEST_CLASS = 10
"""Pictures below which a class is not judged by itself."""
DISTANCE = 0.5
"""The distance of two maps, or of the evidence, above which the reason has moved."""


@dataclass(frozen=True)
class Kind:
    """A kind of rule. ``figure``: that it limits, in words. ``low`` and ``high``: of the limit.

    ``whole``: it counts things; else it is a share. ``counted``: a share of pictures, whose interval never ends at 0 or
    1. ``interval``: the figure has one. ``always``: it can be examined on any pictures. ``choices``: further keys.
    """

    limit: Limit
    figure: str
    low: float = 0
    high: float = 1
    whole: bool = False
    counted: bool = False
    interval: bool = True
    always: bool = False
    choices: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "pictures": Kind(
            AT_LEAST, "pictures that both networks answered", 1, 10**12, whole=True, interval=False, always=True
        ),
        "unreadable": Kind(AT_MOST, "pictures without an answer from both networks", interval=False, always=True),
        "accuracy": Kind(AT_LEAST, "right answers of the new network", counted=True),
        "accuracy_lost": Kind(AT_MOST, "right answers lost", -1),
        "class_accuracy": Kind(
            AT_LEAST, "right answers of the new network in its worst class", counted=True, choices=("smallest_class",)
        ),
        "class_accuracy_lost": Kind(
            AT_MOST, "right answers lost in the class that loses most", -1, choices=("smallest_class",)
        ),
        "calibration_error": Kind(AT_MOST, "expected calibration error of the new network", interval=False),
        "flips": Kind(AT_MOST, "pictures with another answer than before", counted=True),
        "regressions": Kind(AT_MOST, "pictures that were right and are wrong now", counted=True),
        "evidence_inside": Kind(AT_LEAST, "share of the new network's map inside the object's mask"),
        "evidence_inside_lost": Kind(AT_MOST, "share of the map inside the object's mask that is lost", -1),
        "reasons_moved": Kind(
            AT_MOST, "pictures with the same answer for another reason", counted=True, choices=("distance", "reason")
        ),
        "suspects": Kind(AT_MOST, "the largest suspect group's share of its class", interval=False),
    }
)
"""All kinds by the names that a policy gives them, in the order in which they are judged."""


@dataclass(frozen=True)
class Rule:
    """A rule of a policy: its kind's ``name`` and ``limit``, and the end of the interval that must keep it.

    ``if_not_examined``: of UNEXAMINED. ``smallest_class``: pictures of a class that is judged. ``distance``: from which
    on a ``reason``, of REASONS, has moved.
    """

    name: str
    limit: float
    by: str = WORST
    if_not_examined: str = REFUSE
    smallest_class: int = SMALLEST_CLASS
    distance: float = DISTANCE
    reason: str = MAP

    @property
    def kind(self) -> Kind:
        """The kind of rule."""
        return KINDS[self.name]
