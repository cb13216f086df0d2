"""Mean maps of an audit: of all its answers and of the classes said most often, right answers and wrong ones apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.answered import answered_rows
from camcore.audits.clustering import LEAST
from camcore.files import to_csv

if TYPE_CHECKING:
    from camcore.audits.store import Audit
    from camcore.evaluation.average_maps import Averages

MOST = 8
"""The most classes with mean maps of their own."""
_ANSWERS = (True, False, None)
"""The kinds of answers: right, wrong, without a label."""


@dataclass(frozen=True, eq=False)
class MeanMap:
    """The mean of ``count`` maps (h, w) in 0..1: of the answers ``label`` (None: of all classes).

    ``right``: those that are, or are not; None: those without a label.
    """

    label: str | None
    right: bool | None
    count: int
    values: NDArray[np.float64]


def mean_maps(audit: Audit) -> tuple[MeanMap, ...]:
    """The mean maps: of all classes first, then of those predicted most often; none of answers that do not occur.

    Classes that are predicted fewer than 2 · LEAST times have none of their own.
    """
    *_, (_, means) = averaging(audit)
    return means


def averaging(audit: Audit) -> Iterator[tuple[float, tuple[MeanMap, ...]]]:
    """The share of the rows that are summed up, and at the end the means as ``mean_maps`` has them."""
    said_here = audit.sql("select distinct predicted from rows where error is null")["predicted"].to_pylist()
    labels = tuple(dict.fromkeys([*audit.manifest.network.labels, *sorted(said_here)]))
    height, width = audit.manifest.grid
    sums = np.zeros((len(labels), len(_ANSWERS), height * width))
    counts = np.zeros((len(labels), len(_ANSWERS)), np.int64)
    place, rows = {name: number for number, name in enumerate(labels)}, audit.count()
    for part in answered_rows(audit.folder, ["predicted", "correct", "map"]):
        said = np.array([place[name] for name in part.table.column("predicted").to_pylist()], np.int64)
        kind = np.array([_ANSWERS.index(right) for right in part.table.column("correct").to_pylist()], np.int64)
        codes = said * len(_ANSWERS) + kind
        order = np.argsort(codes, kind="stable")
        found, starts, number = np.unique(codes[order], return_index=True, return_counts=True)
        maps = part.lists("map", height * width)[order]
        sums.reshape(-1, height * width)[found] += np.add.reduceat(maps, starts, axis=0, dtype=np.float64)
        counts.reshape(-1)[found] += number
        yield 0.99 * min(1.0, (part.first + len(part)) / max(rows, 1)), ()
    yield 1.0, tuple(_means(labels, sums.reshape(*counts.shape, height, width), counts))


def _means(labels: Sequence[str], sums: NDArray[np.float64], counts: NDArray[np.int64]) -> Iterator[MeanMap]:
    """The means by class and kind of answer, from sums (classes, kinds, h, w) and counts (classes, kinds)."""
    said = counts.sum(axis=1)
    often = [one for one in np.argsort(-said, kind="stable").tolist() if said[one] >= 2 * LEAST][:MOST]
    everything = (None, sums.sum(axis=0), counts.sum(axis=0))
    for name, of_class, numbers in [everything, *((labels[one], sums[one], counts[one]) for one in often)]:
        for kind, right in enumerate(_ANSWERS):
            if numbers[kind]:
                yield MeanMap(name, right, int(numbers[kind]), of_class[kind] / numbers[kind])


def means_of(averages: Averages, labels: Sequence[str]) -> tuple[MeanMap, ...]:
    """The means that an evaluation left, in the form of an audit's. ``labels``: the network's."""
    return tuple(
        MeanMap(labels[one.label], one.correct, one.count, one.values)
        for one in averages.groups
        if one.count and one.label < len(labels)
    )


def as_csv(means: Sequence[MeanMap]) -> bytes:
    """The means with a header: class predicted (empty: all), right (empty: unknown), pictures, row, and the columns."""
    columns = [f"column {j}" for j in range(means[0].values.shape[1] if means else 0)]
    rows = (
        [one.label or "", "" if one.right is None else int(one.right), one.count, i, *(f"{v:.6g}" for v in row)]
        for one in means
        for i, row in enumerate(one.values.tolist())
    )
    return to_csv([["class", "right", "pictures", "row", *columns], *rows])
