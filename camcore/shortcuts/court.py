"""The court of an audit: copies are searched for, every group is tried, and the most suspicious comes first.

Its state is kept in ``court.json``: what was searched and tried there is not done again. Of networks with very many
classes the largest classes and groups come in turn until the budget is spent; the others say that they were not tried.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from camcore.audits.filters import Filters
from camcore.audits.finding import write_groups, write_verdicts
from camcore.audits.groups import Group, read_groups
from camcore.audits.patches import patch_box
from camcore.audits.store import Audit, open_audit
from camcore.checks import checked
from camcore.framing import CellGrid
from camcore.generators import Returning
from camcore.heatmaps.arguments import a_network, a_path
from camcore.metrics.intervals import Rate
from camcore.shortcuts import rule, search, style_search
from camcore.shortcuts.gallery import Gallery
from camcore.shortcuts.state import State, group_key, read_state, write_state
from camcore.shortcuts.style_trial import SET, Sides, style_passes, try_style
from camcore.shortcuts.styles import style_layer
from camcore.shortcuts.transplants import to_input
from camcore.shortcuts.trial import Exhibit, Tally, passes, try_group
from camcore.shortcuts.verdict import Verdict

if TYPE_CHECKING:
    from camcore.audits.finding import StyleGroup
    from camcore.audits.patches import PatchBox
    from camcore.network import Network
    from camcore.shortcuts.transplants import Framed

CLASSES = 40
"""Classes in which copies are searched for: those that are said most often."""
TRIED = 120
"""Groups that are tried: those with copies, then the largest."""
LEAST = 6
"""Members of a group that is tried."""
OTHERS = 120
"""Pictures of other classes that patches are pasted into."""
PASTES, PAINTS = 32, 16
"""Trials of a group of alike evidence."""
AGAIN_PASTES = 120
"""Pastes of the second trial of such a group."""
COPY_PASTES, COPY_PAINTS = 240, 40
"""Trials of a group in which something comes again."""
WITHOUT = 60
"""Pictures without what comes again, whose pieces stand beside it."""
STYLE_PASTES, STYLE_PAINTS = 240, 40
"""Trials of a group that has a style in common."""


@dataclass(frozen=True)
class CourtStep:
    """``done`` of ``total`` pictures that the network has to answer; the total is an upper bound until the end."""

    done: int
    total: int


@dataclass(frozen=True, eq=False)
class _Rows:
    """The answered rows of an audit: paths, true classes (empty where nobody says) and classes said."""

    paths: np.ndarray
    labels: np.ndarray
    said: np.ndarray

    def of(self, label: str, without: Collection[str] = ()) -> list[str]:
        """The pictures said to be of a class."""
        return [str(path) for path in self.paths[self.said == label] if path not in without]

    def besides(self, label: str, count: int, rng: np.random.Generator) -> list[str]:
        """Random pictures that are of other classes, and are said to be."""
        others = np.flatnonzero((self.said != label) & (self.labels != label))
        return [str(path) for path in self.paths[rng.permutation(others)[:count]]]


@checked(network=a_network, folder=a_path)
def hold_court(network: Network, folder: str | os.PathLike[str]) -> Generator[CourtStep, None, tuple[Group, ...]]:
    """Try the groups of an audit, which the network made, and write them anew, the most suspicious first.

    A trial that was stopped is taken up again. Raises CamcoreError where the audit or its groups cannot be read.
    """
    home = Path(folder)
    audit = open_audit(home)
    layer = style_layer(network, audit.manifest.layer)
    sitting = _Sitting(network, audit, _rows(audit), Gallery(network, audit.manifest), read_state(home), layer)
    labels = [
        label for label, count in Counter(sitting.rows.said.tolist()).most_common(CLASSES) if count >= search.LEAST
    ]
    done, total = 0, sum(map(sitting.searched, labels)) + sum(map(sitting.passes, _order(read_groups(home))))
    yield CourtStep(0, total)
    for label in labels:
        for count in sitting.search(label):
            yield CourtStep(min(done + count, total), total)
        done += sitting.searched(label)
    copies = [copy for label in labels for copy in sitting.state.copies[label]]
    groups = write_groups(home, copies, [style for label in labels for style in sitting.styles(label)])
    total = done + sum(map(sitting.passes, _order(groups)))
    for group in _order(groups):
        for count in sitting.try_group(group, sitting.state.tallies, *_counts(group)):
            yield CourtStep(min(done + count, total), total)
        done += sitting.passes(group)
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


def held(folder: Path) -> bool:
    """Says whether the groups of an audit have been tried."""
    return all(one.verdict is not None for one in read_groups(folder))


@dataclass(frozen=True, eq=False)
class _Sitting:
    """What a court works with."""

    network: Network
    audit: Audit
    rows: _Rows
    gallery: Gallery
    state: State
    layer: str | None
    """The layer at which styles are compared; None where the network has none."""

    def searched(self, label: str) -> int:
        """The pictures that the network answers in the search of a class."""
        count = int((self.rows.said == label).sum())
        styles = 0 if self.layer is None else style_search.sample_size(count, len(self.rows.said) - count)
        return search.sample_size(self.audit.manifest, count) + styles

    def passes(self, group: Group) -> int:
        """The pictures that the network answers in the trial of a group."""
        if group.styled is None:
            return passes(group.size, 1, *_counts(group), ways=2 if group.copied is None else 3)
        rest = int((self.rows.said == group.label).sum()) - group.size
        return style_passes(group.size, rest, *_counts(group))

    def styles(self, label: str) -> list[StyleGroup]:
        """The groups of a class with a style in common, less the pictures in which something comes again."""
        taken = self._taken(label)
        groups = (replace(one, paths=tuple(p for p in one.paths if p not in taken)) for one in self.state.styles[label])
        return [one for one in groups if len(one.paths) >= LEAST]

    def search(self, label: str) -> Iterator[int]:
        """Search the pictures of a class for copies and styles, unless that was done; the pictures answered so far."""
        if label in self.state.styles:
            return
        rng = self._rng("search", label)
        paths, others = self.rows.of(label), self.rows.besides(label, OTHERS, rng)
        copies = Returning(search.search(self.network, self.audit, self.gallery, label, paths, others, rng))
        done = 0
        for done in accumulate(copies):
            yield done
        self.state.copies[label], styles = list(copies.result), []
        if self.layer is not None:
            given = self.network, self.layer, self._target(label), self.gallery
            found = Returning(style_search.search(*given, label, paths, others, rng))
            for count in accumulate(found):
                yield done + count
            styles = list(found.result)
        self.state.styles[label] = styles
        write_state(self.audit.folder, self.state)

    def try_group(self, group: Group, into: dict[str, Tally], pastes: int, paints: int) -> Iterator[int]:
        """Try a group, unless that was done, and keep its tally; the pictures answered so far."""
        key = group_key(group)
        if key in into:
            return
        rng = self._rng("again" if into is self.state.again else "trial", key)
        members = [group.members[place] for place in rng.permutation(len(group.members))[: max(pastes, paints)]]
        others = [picture for _, picture in self.gallery.there(self.rows.besides(group.label, OTHERS, rng))]
        tally = Tally(missing=sum(path in self.gallery.missing for path in members))
        target, answered = self._target(group.label), 0
        if group.styled is not None:
            sides = self._sides(group, members, rng)
            made = try_style(self.network, group.styled.layer, target, sides, others, pastes, paints, rng)
        else:
            exhibits = list(exhibits_of(self.audit, self.gallery, members, self.state.boxes(group)))
            without = () if group.copied is None else self._without(group.label, others, rng)
            made = try_group(self.network, target, exhibits, others, pastes, paints, rng, without)
        for count, part in made:
            tally, answered = tally + part, answered + count
            yield answered
        into[key] = tally
        write_state(self.audit.folder, self.state)

    def _sides(self, group: Group, members: Sequence[str], rng: np.random.Generator) -> Sides:
        """The pictures whose styles are compared in the trial of a group that was found by its style."""
        rest = rng.permutation(self.rows.of(group.label, set(group.members)))[:SET].tolist()
        controls = [path for one in self.state.styles[group.label] for path in one.controls]
        return Sides(*([one for _, one in self.gallery.there(paths)] for paths in (members, rest, controls)))

    def _without(self, label: str, others: Sequence[Framed], rng: np.random.Generator) -> Sequence[Framed]:
        """Pictures of a class in which nothing comes again; those of ``others`` where it has hardly any."""
        paths = rng.permutation(self.rows.of(label, self._taken(label)))[:WITHOUT].tolist()
        found = [picture for _, picture in self.gallery.there(paths)]
        return found if len(found) >= LEAST else others

    def _taken(self, label: str) -> set[str]:
        """The pictures of a class in which something comes again."""
        return {path for copy in self.state.copies[label] for path in copy.boxes}

    def _target(self, label: str) -> list[int]:
        """The indices of the class: several where the network has two of its name."""
        return [index for index, own in enumerate(self.network.labels) if own == label]

    def _rng(self, *words: str) -> np.random.Generator:
        """Chance that is the same for the same audit, class and group, whatever was done before."""
        digest = sha256("\0".join(words).encode("utf-8", "surrogatepass")).digest()
        return np.random.default_rng([self.audit.manifest.seed, int.from_bytes(digest[:8], "little")])


def _rows(audit: Audit) -> _Rows:
    table = audit.table(["path", "label", "predicted"], Filters())
    paths, labels, said = (table[name].to_pylist() for name in ("path", "label", "predicted"))
    return _Rows(np.array(paths, object), np.array([one or "" for one in labels], object), np.array(said, object))


def _order(groups: Sequence[Group]) -> list[Group]:
    """The groups that are tried, in turn."""
    able = [one for one in groups if one.evidence and one.size >= LEAST]
    return sorted(able, key=lambda one: (one.alike, -one.size))[:TRIED]


def _counts(group: Group) -> tuple[int, int]:
    if group.styled is not None:
        return STYLE_PASTES, STYLE_PAINTS
    return (PASTES, PAINTS) if group.copied is None else (COPY_PASTES, COPY_PAINTS)


def exhibits_of(
    audit: Audit, gallery: Gallery, members: Sequence[str], boxes: Mapping[str, PatchBox]
) -> Iterator[Exhibit]:
    """The members that can be opened, each with its patch: the box that is known, or the part that its map rests on."""
    manifest = audit.manifest
    cells = manifest.cells or CellGrid.uniform(manifest.grid, manifest.network.input_size)
    maps = dict(zip(members, audit.maps(members), strict=True))
    for path, picture in gallery.there(members):
        box = boxes.get(path) or patch_box(np.nan_to_num(maps[path]), picture.frame, cells)
        if box is not None:
            yield Exhibit(picture, to_input(box, picture.frame))


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
