"""Mean maps of an audit: of all its answers and of the classes said most often, right answers and wrong ones apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.answered import answered_rows
from camcore.audits.clustering import LEAST
from camcore.files import to_csv

if TYPE_CHECKING:
    from camcore.audits.store import Audit

MOST = 8
"""The most classes with mean maps of their own."""


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
    """The mean maps: of all classes first, then of those said most often; none of answers that do not occur.

    Classes that are said fewer than 2 · LEAST times have none of their own.
    """
    sums, counts = _sums(audit)
    said: dict[str, int] = {}
    for (label, _), count in counts.items():
        said[label] = said.get(label, 0) + count
    often = [label for label in sorted(said, key=lambda label: -said[label]) if said[label] >= 2 * LEAST][:MOST]
    means = []
    for name, labels in [(None, list(said)), *((label, [label]) for label in often)]:
        for right in (True, False, None):
            keys = [(label, right) for label in labels if (label, right) in counts]
            count = sum(counts[key] for key in keys)
            if count:
                means.append(MeanMap(name, right, count, np.sum([sums[key] for key in keys], axis=0) / count))
    return tuple(means)


def as_csv(means: Sequence[MeanMap]) -> bytes:
    """The means with a header: class predicted (empty: all), right (empty: unknown), pictures, row, and the columns."""
    columns = [f"column {j}" for j in range(means[0].values.shape[1] if means else 0)]
    rows = (
        [one.label or "", "" if one.right is None else int(one.right), one.count, i, *(f"{v:.6g}" for v in row)]
        for one in means
        for i, row in enumerate(one.values.tolist())
    )
    return to_csv([["class", "right", "pictures", "row", *columns], *rows])


_Key = tuple[str, bool | None]


def _sums(audit: Audit) -> tuple[dict[_Key, NDArray[np.float64]], dict[_Key, int]]:
    """The sums of the maps and their numbers, by class said and whether it is right."""
    sums: dict[_Key, NDArray[np.float64]] = {}
    counts: dict[_Key, int] = {}
    height, width = audit.manifest.grid
    for part in answered_rows(audit.folder, ["predicted", "correct", "map"]):
        said, correct = (part.table.column(name).to_pylist() for name in ("predicted", "correct"))
        maps = part.lists("map", height * width).reshape(-1, height, width)
        for key, values in zip(zip(said, correct, strict=True), maps.astype(np.float64), strict=True):
            counts[key] = counts.get(key, 0) + 1
            sums[key] = sums[key] + values if key in sums else values
    return sums, counts
