"""The evidence of an audit as points of a plane: principal components of its directions, on a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.audits.clustering import directions
from camcore.audits.filters import Filters, condition

if TYPE_CHECKING:
    import pyarrow as pa

    from camcore.audits.store import Audit

POINTS = 2000
_PARTS = 64  # of which the sample is taken: to read evidence, a part is read whole


@dataclass(frozen=True, eq=False)
class Projection:
    """Pictures as points: ``rows`` has path, label, predicted, correct and group; ``points`` float64 (n, 2).

    ``explained``: the share of the variance that each axis shows. ``of``: pictures that the sample stands for.
    """

    rows: pa.Table
    points: NDArray[np.float64]
    explained: tuple[float, float]
    of: int

    def inside(self, box: tuple[float, float, float, float]) -> tuple[str, ...]:
        """The paths of the points between (left, right, bottom, top)."""
        left, right, bottom, top = box
        x, y = self.points.T
        chosen = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
        return tuple(self.rows["path"].filter(chosen).to_pylist())


def project(audit: Audit, where: Filters | None = None, most: int = POINTS) -> Projection | None:
    """The pictures that have an answer, at most ``most`` of them, evenly spaced; None of fewer than three.

    Evidence ÷ its norm, as the groups have it, on its first two principal components, each signed so that its largest
    weight is positive.
    """
    from sklearn.decomposition import PCA

    chosen, chunk = condition(where or Filters()), audit.manifest.chunk
    step = max(1, -(-audit.manifest.total // chunk) // _PARTS)
    rows = audit.sql(
        'select path, label, predicted, correct, "group" from rows '
        f'where {chosen.text} and ("index" // ?) % ? = 0 order by "index"',
        (*chosen.parameters, chunk, step),
    )
    if len(rows) > most:
        rows = rows.take(np.linspace(0, len(rows) - 1, most).round().astype(np.int64))
    if len(rows) < 3:
        return None
    vectors = directions(audit.evidence(rows["path"].to_pylist()))
    components = PCA(2, random_state=0).fit(vectors)
    points = components.transform(vectors)
    explained = np.nan_to_num(components.explained_variance_ratio_)
    return Projection(rows, points, (float(explained[0]), float(explained[1])), audit.count(where))
