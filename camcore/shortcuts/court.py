"""The court of an audit: copies are searched for, every group is tried, and the most suspicious comes first.

Its state is kept in ``court.json``: what was searched and tried there is not done again. Of networks with very many
classes the largest classes and groups come in turn until the budget is spent; the others say that they were not tried.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits.finding import write_groups, write_verdicts
from camcore.audits.groups import Group, read_groups
from camcore.audits.store import open_audit
from camcore.checks import checked
from camcore.heatmaps.arguments import a_network, a_path
from camcore.metrics.intervals import Rate
from camcore.shortcuts import rule, search
from camcore.shortcuts.gallery import Gallery
from camcore.shortcuts.sitting import LEAST, Sitting, counts, rows_of
from camcore.shortcuts.state import TRIALS, State, group_key, read_state
from camcore.shortcuts.styles import style_layers
from camcore.shortcuts.trial import Tally, passes
from camcore.shortcuts.verdict import Verdict

if TYPE_CHECKING:
    from camcore.audits.finding import CopyGroup
    from camcore.network import Network

CLASSES = 40
"""Classes in which copies are searched for: those that are said most often."""
TRIED = 120
"""Groups that are tried: those with copies, then the largest."""
AGAIN_PASTES = 120
"""Pastes of the second trial of a group of alike evidence."""


@dataclass(frozen=True)
class CourtStep:
    """``done`` of ``total`` pictures that the network has to answer; the total is an upper bound until the end."""

    done: int
    total: int


@checked(network=a_network, folder=a_path)
def hold_court(network: Network, folder: str | os.PathLike[str]) -> Generator[CourtStep, None, tuple[Group, ...]]:
    """Try the groups of an audit, which the network made, and write them anew, the most suspicious first.

    A trial that was stopped is taken up again. Raises CamcoreError where the audit or its groups cannot be read.
    """
    home = Path(folder)
    audit = open_audit(home)
    layers = style_layers(network, audit.manifest.layer)
    kept = read_state(home)
    state = kept if kept.trials == TRIALS else State()
    sitting = Sitting(network, audit, rows_of(audit), Gallery(network, audit.manifest), state, layers)
    labels = [
        label for label, count in Counter(sitting.rows.said.tolist()).most_common(CLASSES) if count >= search.LEAST
    ]
    done, total = 0, sum(map(sitting.searched, labels)) + sum(map(sitting.passes, _order(read_groups(home))))
    yield CourtStep(0, total)
    for label in labels:
        for count in sitting.search(label):
            yield CourtStep(min(done + count, total), total)
        done += sitting.searched(label)
    groups, done = yield from _divided(sitting, home, labels, done)
    done = yield from _trials(sitting, groups, done)
    again = [one for one in groups if _promising(one, groups, sitting.state)]
    total = done + len(again) * passes(1, 1, AGAIN_PASTES, 0)
    for group in again:
        for count in sitting.try_group(group, sitting.state.again, AGAIN_PASTES, 0):
            yield CourtStep(min(done + count, total), total)
        done += passes(1, 1, AGAIN_PASTES, 0)
    verdicts = [_verdict(one, groups, sitting.state) for one in groups]
    order = sorted(range(len(groups)), key=lambda place: _suspicion(verdicts[place], groups[place]))
    judged = write_verdicts(home, verdicts, order)
    yield CourtStep(total, total)
    return judged


def _trials(sitting: Sitting, groups: Sequence[Group], done: int) -> Generator[CourtStep, None, int]:
    """Try groups, unless that was done; returns the pictures that were answered by then, ``done`` of them before."""
    total = done + sum(map(sitting.passes, _order(groups)))
    for group in _order(groups):
        for count in sitting.try_group(group, sitting.state.tallies, *counts(group)):
            yield CourtStep(min(done + count, total), total)
        done += sitting.passes(group)
    return done


def _divided(
    sitting: Sitting, home: Path, labels: Sequence[str], done: int
) -> Generator[CourtStep, None, tuple[tuple[Group, ...], int]]:
    """Divide the audit into groups; what lies all over its pictures is no copy but a style, where that works better.

    A texture comes again pixel by pixel, but a piece of it in another picture is hardly the texture. Returns the
    groups, and the pictures that were answered, ``done`` of them before, less those for trials of these groups.
    """
    copies = [copy for label in labels for copy in sitting.state.copies[label]]
    groups = write_groups(home, copies, sitting.styles(labels, copies))
    copied = [one for one in groups if one.copied is not None]
    after = yield from _trials(sitting, copied, done)
    weak = [copy for copy in copies if _is_weak(copy, groups, sitting)]
    if not weak:
        return groups, done
    strong = [copy for copy in copies if all(copy is not one for one in weak)]
    others = write_groups(home, strong, sitting.styles(labels, strong))
    styled = [one for one in others if one.styled is not None]
    after = yield from _trials(sitting, styled, after)
    pictures = {path for copy in weak for path in copy.boxes}
    works = [
        one for one in styled if pictures.intersection(one.members) and _verdict(one, others, sitting.state).suspect
    ]
    if not works:
        groups = write_groups(home, copies, sitting.styles(labels, copies))
        return groups, after - sum(map(sitting.passes, copied))
    tried = [one for one in others if not one.alike]
    return others, after - sum(map(sitting.passes, tried))


def _is_weak(copy: CopyGroup, groups: Sequence[Group], sitting: Sitting) -> bool:
    """Tell a copy that is suspected of nothing by its trial, and most of whose pictures have a style in common."""
    group = next((one for one in groups if one.label == copy.label and one.copied == copy.copied), None)
    if group is None or _verdict(group, groups, sitting.state).suspect:
        return False
    alike = {path for one in sitting.state.styles[copy.label] for path in one.paths}
    return 2 * len(alike.intersection(copy.boxes)) > len(copy.boxes)


def held(folder: Path) -> bool:
    """Says whether the groups of an audit have been tried, and not by a court of an earlier kind."""
    return read_state(folder).trials == TRIALS and all(one.verdict is not None for one in read_groups(folder))


def _order(groups: Sequence[Group]) -> list[Group]:
    """The groups that are tried, in turn."""
    able = [one for one in groups if one.evidence and one.size >= LEAST]
    return sorted(able, key=lambda one: (one.alike, -one.size))[:TRIED]


def _others(group: Group, groups: Sequence[Group], state: State) -> Tally | None:
    """The trials of the class's other groups of alike evidence together; None where none was tried."""
    alike = [one for one in groups if one is not group and one.label == group.label and one.alike]
    tallies = [state.tallies.get(group_key(one)) for one in alike]
    known = [one for one in tallies if one is not None]
    return sum(known, Tally()) if known else None


def _promising(group: Group, groups: Sequence[Group], state: State) -> bool:
    """Tell a group of alike evidence that may be a suspect by its first trial: a second one decides."""
    first, others = state.tallies.get(group_key(group)), _others(group, groups, state)
    if first is None or others is None or not group.alike:
        return False
    return rule.works_better(first, others, clearly=False)


def _verdict(group: Group, groups: Sequence[Group], state: State) -> Verdict:
    tally = state.tally(group)
    if tally is not None:
        painted = state.tallies[group_key(group)]
        both = replace(tally, painted=painted.painted, fell=painted.fell, random_fell=painted.random_fell)
        doubted = not group.alike or group_key(group) in state.again
        return rule.judged(group, both, _others(group, groups, state), doubted)
    if not group.evidence:
        return rule.not_tried("Not tried: their maps are zero, so nothing in them can be pasted or painted over.")
    if group.size < LEAST:
        return rule.not_tried(f"Not tried: fewer than {LEAST} pictures say too little.")
    return rule.not_tried(f"Not tried: the {TRIED} groups with copies or with the most pictures came first.")


def _suspicion(verdict: Verdict, group: Group) -> tuple[bool, bool, float, int]:
    """What sorts the groups, the most suspicious first: suspects, copies, then by how well their patches work."""
    share = -1.0
    if verdict.figures is not None and verdict.figures.sufficiency.n:
        share = verdict.figures.sufficiency.low - _value(verdict.figures.random)
    return not verdict.suspect, group.alike, -share, -group.size


def _value(one: Rate) -> float:
    return one.value if one.n else 0.0
