"""Comparison of two audits of the same pictures: which network wins, what changed, and which reasons moved.

The pictures are joined by path and content. Reasons are compared on every picture that both have: by the distance of
the maps on the picture itself, and between layers of one name and width also by that of the evidence. Where these are
not of versions of one network, the channels have nothing to do with each other, and only the maps can be compared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits import parts
from camcore.audits.joined import CHANGES, SAME, Joined, join
from camcore.audits.manifest import Manifest
from camcore.audits.map_distance import evidence_distances, map_distances
from camcore.audits.paired import PairedRates, paired_rates
from camcore.audits.schema import PARTS, part_name
from camcore.audits.store import Audit, open_audit
from camcore.checks import checked, one_of, optional, whole
from camcore.heatmaps.arguments import a_path

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 4096
"""Pictures whose maps and evidence are held at once."""
FALSE_WINS = 0.05
"""The share of the classes with a winner that may have none in truth (Benjamini and Hochberg 1995)."""

_rows = whole(0, 1 << 62, example=60)


@dataclass(frozen=True)
class ClassComparison:
    """The shares of a class's pictures that the networks find. ``winner``: ``old`` or ``new``; empty: none is clear."""

    label: str
    found: PairedRates
    winner: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """The answers of two audits to the pictures that both have.

    ``accuracy``: of the pictures that both have the same label for, as ``classes``, those with the most changes first.
    ``pictures``: a row each, as the old audit lists them: path, height, width, label, the answers ``old`` and ``new``
    with their probabilities, ``change`` (of CHANGES), ``map_distance`` and ``evidence_distance`` (NaN where it is not
    defined). ``only_old``, ``only_new``: pictures with an answer in one audit alone; of both, ``replaced``: those that
    are another file now. ``relabelled``: pictures in both with different labels, which nobody judges.
    """

    old: Manifest
    new: Manifest
    pictures: pa.Table
    accuracy: PairedRates
    classes: tuple[ClassComparison, ...]
    only_old: int
    only_new: int
    replaced: int
    relabelled: int

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of pictures of each of CHANGES."""
        counted = {row["values"]: row["counts"] for row in self.pictures["change"].value_counts().to_pylist()}
        return {change: counted.get(change, 0) for change in CHANGES}

    @cached_property
    def moved(self) -> NDArray[np.float32]:
        """The map distances of the pictures with the same answer, the smallest first, without those not defined."""
        return self._moved("map_distance")

    @cached_property
    def evidence_moved(self) -> NDArray[np.float32]:
        """The same of the evidence; empty where that of the two audits cannot be compared."""
        return self._moved("evidence_distance")

    @checked(change=one_of(*CHANGES, kind="change between audits"), limit=optional(_rows), offset=_rows)
    def changed(self, change: str, limit: int | None = None, offset: int = 0) -> pa.Table:
        """The rows of one of CHANGES: those with the same answer by their map distance, others by the new probability.

        The largest come first. ``limit``: at most so many, from the row ``offset`` on.
        """
        import pyarrow.compute as pc

        places = pc.indices_nonzero(pc.equal(self.pictures["change"], change))
        key = self.pictures["map_distance" if change == SAME else "new_probability"].take(places)
        order = pc.sort_indices(key, sort_keys=[("", "descending")])
        return self.pictures.take(places.take(order.slice(offset, limit)))

    def _moved(self, column: str) -> NDArray[np.float32]:
        import pyarrow.compute as pc

        same = self.pictures[column].filter(pc.equal(self.pictures["change"], SAME)).to_numpy()
        return np.sort(same[~np.isnan(same)])


def _an_audit(name: str, value: object) -> Audit | Path:
    """An audit, or the path of one. Raises CamcoreError for anything else."""
    return value if isinstance(value, Audit) else a_path(name, value)


@checked(old=_an_audit, new=_an_audit)
def compare_audits(old: Audit | str | os.PathLike[str], new: Audit | str | os.PathLike[str]) -> Comparison:
    """Compare two audits, opened or by their folders. Raises CamcoreError where they have no picture in common.

    With ``out``, the folder of an audit of a picture without a label:

    >>> itself = camcore.compare_audits(out, out)
    >>> itself.counts["same answer"], itself.moved
    (1, array([0.], dtype=float32))
    """
    one, other = (audit if isinstance(audit, Audit) else open_audit(audit) for audit in (old, new))
    joined = join(one, other)
    return compared(one, other, joined, list(distances(one, other, joined.pairs)))


def distances(old: Audit, new: Audit, pairs: pa.Table) -> Iterator[NDArray[np.float32]]:
    """Distances between the reasons: (n, 2), of maps and of evidence, a batch of the joined pictures at a time.

    Raises CamcoreError where a part is damaged.
    """
    manifests = old.manifest, new.manifest
    versions = old.manifest.layer == new.manifest.layer and old.manifest.channels == new.manifest.channels
    for start in range(0, len(pairs), BATCH):
        rows = pairs.slice(start, BATCH)
        one, other = (
            _lists(audit, rows[name].to_numpy(), versions) for audit, name in ((old, "old_index"), (new, "new_index"))
        )
        found = np.full((len(rows), 2), np.nan, np.float32)
        sizes = np.stack([rows["height"].to_numpy(), rows["width"].to_numpy()], axis=1)
        maps = [lists["map"].reshape(-1, *audit.grid) for lists, audit in zip((one, other), manifests, strict=True)]
        found[:, 0] = map_distances(manifests, (maps[0], maps[1]), sizes)
        if versions:
            found[:, 1] = evidence_distances(one["evidence"], other["evidence"])
        yield found


def compared(old: Audit, new: Audit, joined: Joined, moved: Sequence[NDArray[np.float32]]) -> Comparison:
    """The comparison of two audits, from the pictures that they share and all ``distances`` of these."""
    import pyarrow as pa

    pictures, columns = joined.pairs.drop_columns(["old_index", "new_index"]), np.concatenate(moved)
    for place, name in enumerate(("map_distance", "evidence_distance")):
        pictures = pictures.append_column(name, pa.array(columns[:, place]))
    figures = [(one.both, one.only_old, one.only_new, one.neither) for one in joined.judged]
    return Comparison(
        old.manifest,
        new.manifest,
        pictures,
        paired_rates(*(sum(column) for column in zip((0, 0, 0, 0), *figures, strict=True))),
        _classes([one.label for one in joined.judged], [paired_rates(*counts) for counts in figures]),
        joined.only_old,
        joined.only_new,
        joined.replaced,
        joined.relabelled,
    )


def _classes(labels: Sequence[str], rates: Sequence[PairedRates]) -> tuple[ClassComparison, ...]:
    from scipy.stats import false_discovery_control

    clear = false_discovery_control([one.p for one in rates]) <= FALSE_WINS if rates else ()
    found = [
        ClassComparison(label, one, ("new" if one.difference > 0 else "old") if sure else "")
        for label, one, sure in zip(labels, rates, clear, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.found.only_old - one.found.only_new, one.label)))


def _lists(audit: Audit, at: NDArray[np.int64], with_evidence: bool) -> dict[str, NDArray[np.float32]]:
    """The maps, and perhaps the evidence, of the rows at these places of the audit, in this order: (n, numbers)."""
    height, width = audit.manifest.grid
    widths = {"map": height * width} | ({"evidence": audit.manifest.channels} if with_evidence else {})
    chunk_of = at // audit.manifest.chunk
    files = {
        audit.folder / PARTS / part_name(chunk): at[chunk_of == chunk].tolist()
        for chunk in np.unique(chunk_of).tolist()
    }
    indices, lists = parts.read_lists(files, widths)
    order = np.argsort(indices)
    places = order[np.searchsorted(indices, at, sorter=order)]
    return {column: values[places] for column, values in lists.items()}
