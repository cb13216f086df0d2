"""The figures that the rules of a policy limit, each with its 95 % interval, or why it cannot be had.

Shares of pictures have Wilson's interval, differences of two shares of the same pictures Tango's (``audits.paired``),
means over pictures a bootstrap's (``metrics.intervals``). Where both versions are one network nothing can differ, on
these pictures or on others, and the interval of a change is 0 to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from camcore.metrics.intervals import Interval, Rate, bootstrap, rate
from camcore.release.kinds import AT_LEAST, BEST, FIGURE, MAP, Rule
from camcore.text import counted, percent, readable

if TYPE_CHECKING:
    from camcore.audits.comparison import ClassComparison
    from camcore.audits.paired import PairedRates
    from camcore.release.masks import InsideMasks
    from camcore.release.versions import Versions

LEAST_MASKED = 10
"""Pictures with masks below which nothing is said about them."""
_NAMED = 5  # classes that a sentence names

NO_LABELS = "The pictures have no labels that both networks know. Give a folder for each class, or a table with labels."


@dataclass(frozen=True)
class Figure:
    """A figure between ``low`` and ``high`` with 95 % confidence, of ``n`` pictures; without interval all are equal.

    ``of``: the class or group that it is of, where it is one of several.
    """

    value: float
    low: float
    high: float
    n: int
    of: str = ""

    def end(self, rule: Rule) -> float:
        """The end of the interval that must keep the rule's limit."""
        if rule.by == FIGURE:
            return self.value
        return self.low if (rule.kind.limit == AT_LEAST) == (rule.by != BEST) else self.high

    def keeps(self, rule: Rule) -> bool:
        """Tell whether the limit is kept."""
        return self.end(rule) >= rule.limit if rule.kind.limit == AT_LEAST else self.end(rule) <= rule.limit


@dataclass(frozen=True)
class Measured:
    """A rule's figure; None where it cannot be had. ``unknown``: what could not be examined, and what to do."""

    figure: Figure | None
    unknown: str = ""


def _exact(value: float, n: int, of: str = "") -> Figure:
    return Figure(value, value, value, n, of)


def _of_rate(one: Rate) -> Measured:
    return Measured(Figure(one.value, one.low, one.high, one.n)) if one.n else Measured(None, NO_LABELS)


def _of_mean(one: Interval) -> Figure:
    return Figure(one.mean, one.low, one.high, one.n)


def _pictures(versions: Versions, rule: Rule) -> Measured:
    return Measured(_exact(versions.common, versions.total))


def _unreadable(versions: Versions, rule: Rule) -> Measured:
    return Measured(_exact((versions.total - versions.common) / versions.total, versions.total))


def _accuracy(versions: Versions, rule: Rule) -> Measured:
    return _of_rate(versions.comparison.accuracy.new)


def _accuracy_lost(versions: Versions, rule: Rule) -> Measured:
    found = versions.comparison.accuracy
    return Measured(_lost(found, versions.identical)) if found.old.n else Measured(None, NO_LABELS)


def _lost(found: PairedRates, identical: bool, of: str = "") -> Figure:
    if identical:
        return _exact(0.0, found.old.n, of)
    return Figure(0.0 - found.difference, -found.high, -found.low, found.old.n, of)


def _class_accuracy(versions: Versions, rule: Rule) -> Measured:
    def figure(one: ClassComparison) -> Figure:
        new = one.found.new
        return Figure(new.value, new.low, new.high, new.n, readable(one.label))

    return _worst_class(versions, rule, figure)


def _class_accuracy_lost(versions: Versions, rule: Rule) -> Measured:
    return _worst_class(versions, rule, lambda one: _lost(one.found, versions.identical, readable(one.label)))


def _worst_class(versions: Versions, rule: Rule, figure: Callable[[ClassComparison], Figure]) -> Measured:
    classes = versions.comparison.classes
    if not classes:
        return Measured(None, NO_LABELS)
    large = [figure(one) for one in classes if one.found.old.n >= rule.smallest_class]
    small = [one for one in classes if one.found.old.n < rule.smallest_class]
    worst = sorted(large, key=lambda one: one.end(rule), reverse=rule.kind.limit != AT_LEAST)
    return Measured(worst[0] if worst else None, _too_small(small, rule) if small else "")


def _too_small(small: Sequence[ClassComparison], rule: Rule) -> str:
    shown = ", ".join(f"{readable(one.label)} ({one.found.old.n})" for one in small[:_NAMED])
    has = "has" if len(small) == 1 else "have"
    return (
        f"{counted(len(small), 'class', 'classes')} {has} fewer than {counted(rule.smallest_class, 'picture')}: {shown}"
        f"{' …' if len(small) > _NAMED else ''}. Give more of them, or lower smallest_class."
    )


def _calibration_error(versions: Versions, rule: Rule) -> Measured:
    judged = versions.comparison.accuracy.new.n
    return Measured(_exact(versions.calibration_error, judged)) if judged else Measured(None, NO_LABELS)


def _flips(versions: Versions, rule: Rule) -> Measured:
    return Measured(_changed(versions, versions.changed, versions.common))


def _regressions(versions: Versions, rule: Rule) -> Measured:
    judged = versions.comparison.accuracy.new.n
    return Measured(_changed(versions, versions.regressions, judged)) if judged else Measured(None, NO_LABELS)


def _changed(versions: Versions, count: int, n: int) -> Figure:
    if versions.identical:
        return _exact(0.0, n)
    one = rate(count, n)
    return Figure(one.value, one.low, one.high, n)


def _evidence_inside(versions: Versions, rule: Rule) -> Measured:
    found = versions.inside
    if found is None or len(found.paths) < LEAST_MASKED:
        return Measured(None, _no_masks(found))
    return Measured(_of_mean(bootstrap(found.new.tolist())))


def _evidence_inside_lost(versions: Versions, rule: Rule) -> Measured:
    found = versions.inside
    if found is None or len(found.paths) < LEAST_MASKED:
        return Measured(None, _no_masks(found))
    return Measured(_of_mean(bootstrap((found.old - found.new).tolist())))


def _no_masks(found: InsideMasks | None) -> str:
    if found is None:
        return "No masks of the objects were given. Give the folder of them (--masks FOLDER)."
    why = f" {counted(found.unusable, 'mask')} cannot be used: {found.reason}" if found.unusable else ""
    return (
        f"Only {counted(len(found.paths), 'picture')} of {len(found.paths) + found.without + found.unusable:,} "
        f"{'has' if len(found.paths) == 1 else 'have'} a mask that can be used; it takes {LEAST_MASKED}.{why} A mask "
        "lies at its picture's path below the folder of the masks. Give more of them."
    )


def _reasons_moved(versions: Versions, rule: Rule) -> Measured:
    if rule.reason != MAP and not versions.comparable_evidence:
        return Measured(
            None,
            "The evidence is of different layers, whose channels cannot be compared. Audit both networks at a layer of "
            "one name and width, or compare the maps (reason = 'map').",
        )
    distances = versions.distances(rule.reason)
    if not len(distances):
        return Measured(None, "No picture has the same answer as before, so there are no reasons to compare.")
    return Measured(_changed(versions, int(np.count_nonzero(distances > rule.distance)), len(distances)))


def _suspects(versions: Versions, rule: Rule) -> Measured:
    """The largest suspect group; one that was not tried, and is larger than the limit, leaves it unexamined."""
    if not any(one.tried for one in versions.groups):
        return Measured(
            None,
            "No group of the new network's audit was tried for a shortcut: there are none, or the audit left the "
            "trials out. Give more pictures of each class, or audit it with the trials.",
        )
    suspects = versions.suspects
    figure = _exact(suspects[0].share, versions.common, suspects[0].name) if suspects else _exact(0.0, versions.common)
    untried = [one for one in versions.groups if not one.tried and one.share > rule.limit]
    if not untried:
        return Measured(figure)
    shown = ", ".join(f"{one.name} ({percent(one.share)} of its class)" for one in untried[:_NAMED])
    more = " …" if len(untried) > _NAMED else ""
    return Measured(figure, f"{counted(len(untried), 'larger group')} could not be tried: {shown}{more}.")


MEASURES: Mapping[str, Callable[[Versions, Rule], Measured]] = MappingProxyType(
    {
        "pictures": _pictures,
        "unreadable": _unreadable,
        "accuracy": _accuracy,
        "accuracy_lost": _accuracy_lost,
        "class_accuracy": _class_accuracy,
        "class_accuracy_lost": _class_accuracy_lost,
        "calibration_error": _calibration_error,
        "flips": _flips,
        "regressions": _regressions,
        "evidence_inside": _evidence_inside,
        "evidence_inside_lost": _evidence_inside_lost,
        "reasons_moved": _reasons_moved,
        "suspects": _suspects,
    }
)
"""The figure of each kind of rule."""


def measure(versions: Versions, rule: Rule) -> Measured:
    """The figure that a rule limits, of two versions on the same pictures."""
    return MEASURES[rule.name](versions, rule)
