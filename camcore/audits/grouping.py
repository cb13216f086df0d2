"""The evidence of an audit, class by class, divided into groups: fitted on a sample, then all rows assigned.

The rows are read part by part, so that no more than some hundred MB of evidence are in memory, however many there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from camcore.audits.answered import AnsweredRows, answered_rows
from camcore.audits.clustering import Division, directions, divide, nearest_centre, similarity
from camcore.audits.manifest import Manifest

Array32 = NDArray[np.float32]
Ints = NDArray[np.int64]

SAMPLE = 20_000
"""Pictures of a class on which its groups are found."""
NEAREST = 12
"""Members kept of each group, those most like its centre."""

_HELD_BYTES = 512 << 20  # of evidence, while groups are found

_ANSWERS = ("path", "height", "width", "predicted", "correct")


@dataclass(frozen=True, eq=False)
class Member:
    """A picture of a group, its size in pixels, its map (h, w), and the cosine between its evidence and the centre."""

    path: str
    size: tuple[int, int]
    values: Array32
    similarity: float


@dataclass(frozen=True, eq=False)
class Apart:
    """Pictures said to be of a class that were found to belong together by something else than their evidence."""

    label: str
    paths: frozenset[str]


@dataclass(eq=False)
class Gathered:
    """The sums over a group's members. ``empty``: the members whose map is zero, so that they have no evidence.

    ``direction_sum``: of their evidence ÷ its norm, by which their mean cosine is known. ``apart``: the place of its
    members among those that were set apart; None for a group of evidence.
    """

    label: str
    empty: bool
    map_sum: NDArray[np.float64]
    evidence_sum: NDArray[np.float64]
    direction_sum: NDArray[np.float64]
    size: int = 0
    labelled: int = 0
    correct: int = 0
    nearest: list[tuple[float, int, Member]] = field(default_factory=list)
    apart: int | None = None

    def members(self) -> list[Member]:
        """The members most like the centre, the most alike first."""
        return [member for _, _, member in sorted(self.nearest, key=lambda one: (-one[0], -one[1]))]


@dataclass(frozen=True, eq=False)
class Grouping:
    """All rows with an answer, in groups: ``paths`` and the index of each one's group; ``divisions`` by class."""

    groups: tuple[Gathered, ...]
    divisions: Mapping[str, Division]
    paths: tuple[str, ...]
    group_of: Ints


def group_rows(folder: Path, manifest: Manifest, apart: Sequence[Apart] = ()) -> Grouping:
    """Divide the rows of each class said by their evidence; those of ``apart`` are groups of their own.

    Raises CamcoreError where a part is damaged.
    """
    said = _said(folder)
    order = {label: place for place, label in enumerate(manifest.network.labels)}
    labels = sorted(set(said.tolist()), key=lambda label: order.get(label, len(order)))
    rows_of = {label: np.flatnonzero(said == label) for label in labels}
    divisions = dict(_divided(folder, manifest, rows_of))
    return _gathered(folder, manifest, labels, divisions, apart)


def _said(folder: Path) -> NDArray[np.str_]:
    """The class said of each row that has an answer."""
    said = [part.texts("predicted") for part in answered_rows(folder, ["predicted"])]
    return np.concatenate(said) if said else np.empty(0, np.str_)


def _divided(folder: Path, manifest: Manifest, rows_of: Mapping[str, Ints]) -> Iterator[tuple[str, Division]]:
    """The division of each class that has evidence, found on a sample of its rows."""
    rng = np.random.default_rng(manifest.seed)
    samples = {
        label: rows if len(rows) <= SAMPLE else np.sort(rng.choice(rows, SAMPLE, replace=False))
        for label, rows in rows_of.items()
    }
    most = _HELD_BYTES // (4 * manifest.channels)
    for labels in _together({label: len(rows) for label, rows in samples.items()}, most):
        wanted = np.concatenate([samples[label] for label in labels])
        evidence = _evidence_of(folder, manifest.channels, wanted)
        first = 0
        for label in labels:
            vectors = directions(evidence[first : first + len(samples[label])])
            first += len(samples[label])
            vectors = vectors[vectors.any(axis=1)]
            if len(vectors):
                yield label, divide(vectors, manifest.seed)


def _together(sizes: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """The classes in turns of at most ``most`` rows, or of one class."""
    turn: list[str] = []
    held = 0
    for label, size in sizes.items():
        if turn and held + size > most:
            yield turn
            turn, held = [], 0
        turn.append(label)
        held += size
    if turn:
        yield turn


def _evidence_of(folder: Path, channels: int, rows: Ints) -> Array32:
    """The evidence of some rows, in their order."""
    evidence = np.zeros((len(rows), channels), np.float32)
    order = np.argsort(rows)
    for part in answered_rows(folder, ["evidence"]):
        start, end = np.searchsorted(rows[order], [part.first, part.first + len(part)])
        places = order[start:end]
        if len(places):
            evidence[places] = part.lists("evidence", channels)[rows[places] - part.first]
    return evidence


def _gathered(
    folder: Path,
    manifest: Manifest,
    labels: Sequence[str],
    divisions: Mapping[str, Division],
    apart: Sequence[Apart],
) -> Grouping:
    groups: list[Gathered] = []
    first: dict[str, int] = {}
    for label in labels:
        first[label] = len(groups)
        count = len(divisions[label].centres) if label in divisions else 0
        groups += [
            Gathered(label, empty, np.zeros(manifest.grid), np.zeros(manifest.channels), np.zeros(manifest.channels))
            for empty in [False] * count + [True]
        ]
    first_apart = len(groups)
    K = manifest.channels
    groups += [
        Gathered(one.label, False, np.zeros(manifest.grid), np.zeros(K), np.zeros(K), apart=place)
        for place, one in enumerate(apart)
    ]
    paths: list[str] = []
    of_rows: list[Ints] = []
    for part in answered_rows(folder, [*_ANSWERS, "map", "evidence"]):
        said = part.texts("predicted")
        evidence = part.lists("evidence", manifest.channels)
        vectors = directions(evidence)
        alike = np.zeros(len(part), np.float32)
        group = np.empty(len(part), np.int64)
        for label in set(said.tolist()):
            rows = np.flatnonzero(said == label)
            there = rows[vectors[rows].any(axis=1)]
            group[rows] = first[label] + (len(divisions[label].centres) if label in divisions else 0)
            if len(there):
                centres = divisions[label].centres
                nearest = nearest_centre(vectors[there], centres)
                group[there] = first[label] + nearest
                alike[there] = similarity(vectors[there], centres[nearest])
            for place, one in enumerate(apart):
                if one.label == label:
                    own = [row for row in rows.tolist() if part.table.column("path")[row].as_py() in one.paths]
                    group[own] = first_apart + place
        _add(groups, group, alike, part, part.lists("map", int(np.prod(manifest.grid))), evidence, vectors)
        paths += part.table.column("path").to_pylist()
        of_rows.append(group)
    group_of = np.concatenate(of_rows) if of_rows else np.empty(0, np.int64)
    # Those that nobody belongs to go; of a class the largest comes first.
    kept = [place for place, one in enumerate(groups) if one.size]
    kept.sort(key=lambda place: (first[groups[place].label], groups[place].empty, -groups[place].size))
    new = np.zeros(len(groups), np.int64)
    new[kept] = np.arange(len(kept))
    return Grouping(tuple(groups[place] for place in kept), divisions, tuple(paths), new[group_of])


def _add(
    groups: Sequence[Gathered],
    group: Ints,
    alike: Array32,
    part: AnsweredRows,
    maps: Array32,
    evidence: Array32,
    vectors: Array32,
) -> None:
    """Add the rows of a part to the sums of their groups."""
    correct = part.table.column("correct").to_pylist()
    for place in np.unique(group).tolist():
        one = groups[place]
        rows = np.flatnonzero(group == place)
        one.size += len(rows)
        one.labelled += sum(correct[row] is not None for row in rows)
        one.correct += sum(correct[row] is True for row in rows)
        one.map_sum += maps[rows].sum(axis=0, dtype=np.float64).reshape(one.map_sum.shape)
        one.evidence_sum += evidence[rows].sum(axis=0, dtype=np.float64)
        one.direction_sum += vectors[rows].sum(axis=0, dtype=np.float64)
        for row in rows[np.argsort(-alike[rows], kind="stable")[:NEAREST]].tolist():
            path, height, width = (part.table.column(name)[row].as_py() for name in _ANSWERS[:3])
            member = Member(path, (height, width), maps[row].reshape(one.map_sum.shape), float(alike[row]))
            entry = (float(alike[row]), -(part.first + row), member)
            (heapq.heappush if len(one.nearest) < NEAREST else heapq.heappushpop)(one.nearest, entry)
