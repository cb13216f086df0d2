"""The null spread: how far networks of one recipe and other seeds differ, and the limits that let all of them pass.

A limit below that spread refuses a new version for what chance alone does, one far above it finds nothing.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import permutations
from math import ceil, floor
from pathlib import Path

from camcore.audits.engine import AUDIT_CHOICES, a_source
from camcore.audits.sources import list_pictures
from camcore.audits.step import AuditStep
from camcore.audits.store import Audit, open_audit
from camcore.checks import checked, many, number, one_of, optional
from camcore.generators import Returning
from camcore.heatmaps.arguments import a_network, a_path
from camcore.network import Network
from camcore.release.kinds import AT_LEAST, JUDGED_BY, KINDS, WORST, Rule
from camcore.release.masks import mask_files
from camcore.release.measured import Figure, measure
from camcore.release.notes import check_classes
from camcore.release.steps import Auditing, Choices, an_audit, begin, compare

_STEP = 1000
"""Limits are rounded to so many parts of one, away from the figures."""


@dataclass(frozen=True)
class NullFigure:
    """A rule's figure over all ordered pairs of networks: ``figures``, and the ``rule`` that all of them keep.

    ``unknown``: why it could not be had of every pair; then ``rule`` has no limit that means anything.
    """

    rule: Rule
    figures: tuple[Figure, ...]
    unknown: str = ""

    @property
    def mean(self) -> float:
        """The mean figure."""
        return sum(one.value for one in self.figures) / len(self.figures)

    @property
    def worst(self) -> float:
        """The lowest figure of a rule that asks for at least something, else the highest."""
        values = [one.value for one in self.figures]
        return min(values) if self.rule.kind.limit == AT_LEAST else max(values)


@dataclass(frozen=True)
class Spread:
    """The spread of networks of one recipe on the same ``pictures``: a NullFigure for each kind of rule.

    ``margin``: by which its limits were loosened.
    """

    networks: tuple[str, ...]
    pictures: str
    count: int
    rules: tuple[NullFigure, ...]
    margin: float = 0.0


@dataclass(frozen=True, eq=False)
class SpreadStep:
    """The progress of a spread: ``done`` of ``total`` audits and comparisons; the last one has the ``result``.

    ``audit``: the step of an audit that is made.
    """

    done: int
    total: int
    audit: AuditStep | None = None
    result: Spread | None = None


_MORE = "Give two networks or more, of one recipe and other seeds."


@checked(
    networks=many(a_network, least=2, what_to_do=_MORE),
    pictures=a_source,
    out=a_path,
    masks=optional(a_path),
    by=one_of(*JUDGED_BY),
    **AUDIT_CHOICES,
)
def spread(
    networks: Sequence[Network],
    pictures: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    masks: str | os.PathLike[str] | None = None,
    by: str = WORST,
    method: str | None = None,
    layer: object = None,
    framing: str | None = None,
    workers: int | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Generator[SpreadStep, None, None]:
    """Measure how far networks of one recipe differ on the same pictures; the last SpreadStep has the Spread.

    Each stands for the new version and for the old one of every other. ``by``: the end of the interval that is to keep
    the limits. The others as ``check`` takes them, whose audits below ``out`` are the same.

    With ``net = camcore.load("cats_vs_dogs")``, ``folder``, one that holds a picture, and ``out``, a new one:

    >>> *_, step = camcore.spread([net, net], folder, out)
    >>> [(one.rule.name, one.worst) for one in step.result.rules if one.rule.name == "flips"]
    [('flips', 0.0)]
    """
    files = None if masks is None else mask_files(masks)
    for one in networks[1:]:
        check_classes(networks[0].labels, one.labels)
    listing = list_pictures(os.fspath(pictures))
    choices = Choices(method, layer, framing, workers, limit, seed)
    audits = [begin(network, listing, Path(out), choices) for network in networks]
    return _audited(audits, files, by)


@checked(audits=many(an_audit, least=2, what_to_do=_MORE), masks=optional(a_path), by=one_of(*JUDGED_BY))
def spread_audits(
    audits: Sequence[Audit | str | os.PathLike[str]],
    *,
    masks: str | os.PathLike[str] | None = None,
    by: str = WORST,
) -> Generator[SpreadStep, None, None]:
    """Measure the spread as ``spread`` does, by audits of the same pictures that are there already.

    With ``out``, the folder of an audit:

    >>> *_, step = camcore.spread_audits([out, out])
    >>> [one.worst for one in step.result.rules if one.rule.name == "reasons_moved"]
    [0.0]
    """
    opened = [one if isinstance(one, Audit) else open_audit(one) for one in audits]
    for one in opened[1:]:
        check_classes(opened[0].manifest.network.labels, one.manifest.network.labels)
    return _compared(opened, None if masks is None else mask_files(masks), by)


def _audited(
    audits: Sequence[Auditing], masks: Mapping[str, Path] | None, by: str
) -> Generator[SpreadStep, None, None]:
    for one in audits:
        with closing(one.steps) as steps:
            for step in steps:
                yield SpreadStep(audits.index(one), _total(len(audits)), step)
    yield from _compared([open_audit(one.folder) for one in audits], masks, by)


def _total(count: int) -> int:
    """The audits and comparisons of so many networks."""
    return count + count * (count - 1)


def _compared(opened: Sequence[Audit], masks: Mapping[str, Path] | None, by: str) -> Generator[SpreadStep, None, None]:
    pairs = list(permutations(range(len(opened)), 2))
    done, total = len(opened), _total(len(opened))
    rules = [Rule(name, kind.low, by) for name, kind in KINDS.items()]
    found: list[list[Figure]] = [[] for _ in rules]
    unknown = [""] * len(rules)
    count = 0
    for old, new in pairs:
        steps = Returning(compare(opened[old], opened[new], masks))
        for _ in steps:
            yield SpreadStep(done, total)
        done, count = done + 1, steps.result.common
        for place, rule in enumerate(rules):
            measured = measure(steps.result, rule)
            unknown[place] = unknown[place] or measured.unknown
            if measured.figure is not None:
                found[place].append(measured.figure)
    figures = [_null(rule, each, why) for rule, each, why in zip(rules, found, unknown, strict=True)]
    names = tuple(one.manifest.network.name for one in opened)
    yield SpreadStep(total, total, result=Spread(names, opened[0].manifest.pictures, count, tuple(figures)))


@checked(margin=number(0, 100))
def loosened(found: Spread, margin: float) -> Spread:
    """The spread with each limit moved away from its figures: by ``margin`` times the distance of the worst from their
    mean. The figures stay, and so does a limit that all pairs meet alike.
    """
    rules = tuple(_null(one.rule, one.figures, one.unknown, margin) for one in found.rules)
    return replace(found, rules=rules, margin=margin)


def _null(rule: Rule, figures: Sequence[Figure], unknown: str, margin: float = 0.0) -> NullFigure:
    """The figures of all pairs and the rule that lets each of them pass."""
    ends = [one.end(rule) for one in figures]
    if unknown or not ends:
        return NullFigure(rule, tuple(figures), unknown)
    kind, mean = rule.kind, sum(ends) / len(ends)
    if kind.limit == AT_LEAST:
        limit = min(ends) - margin * (mean - min(ends))
        limit = floor(limit) if kind.whole else floor(limit * _STEP) / _STEP
    else:
        limit = ceil((max(ends) + margin * (max(ends) - mean)) * _STEP) / _STEP
        if kind.counted and rule.by == WORST:
            limit = max(limit, 1 / _STEP)  # no interval ends at 0
    return NullFigure(replace(rule, limit=max(min(limit, kind.high), kind.low)), tuple(figures))
