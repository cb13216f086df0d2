"""Pictures decided because of the same things: of evidence like that of a picture, or of a box of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from camcore.audits.clustering import directions
from camcore.audits.evidence_matrix import evidence_matrix
from camcore.audits.manifest import read_manifest
from camcore.audits.patches import cell_edges
from camcore.audits.rows import evidence
from camcore.checks import checked, numbers, optional, text, whole
from camcore.errors import CamcoreError
from camcore.framing import CellGrid, frame_for
from camcore.heatmaps.arguments import a_path
from camcore.text import counted

if TYPE_CHECKING:
    from camcore.audits.manifest import Manifest
    from camcore.framing import Box
    from camcore.network import Network
    from camcore.pictures.picture import Picture


@dataclass(frozen=True)
class Alike:
    """A picture, the class it was said to be of, and the cosine between its evidence and the one asked for."""

    path: str
    predicted: str
    similarity: float


@checked(folder=a_path, vector=numbers, count=whole(1, example=12), said=optional(text))
def most_alike(
    folder: str | os.PathLike[str], vector: NDArray[np.floating], count: int = 12, said: str | None = None
) -> tuple[Alike, ...]:
    """The pictures of an audit whose evidence is most like ``vector`` (K,), the most alike first.

    ``said``: only those said to be of this class. Pictures without evidence are like none. Raises CamcoreError for a
    vector of another length or without direction, and where a part is damaged.
    """
    wanted = directions(np.reshape(vector, (1, -1)))[0]
    if not wanted.any() or not np.isfinite(wanted).all():
        raise CamcoreError(
            "Nothing can be like this evidence: it is zero, or not finite. The map has nothing there. Choose a place "
            "where the map is bright, or another picture."
        )
    home = Path(folder)
    manifest = read_manifest(home)
    if len(wanted) != manifest.channels:
        raise CamcoreError(
            f"The evidence of the audit in '{home}' has {counted(manifest.channels, 'channel')}, not {len(wanted)}. "
            "What is compared with it is of another layer or network. Take that of the audit's own."
        )
    matrix = evidence_matrix(home, manifest)
    cosines = matrix.cosines(wanted)
    if said is not None:
        cosines[~pc.equal(matrix.said, said).to_numpy(zero_copy_only=False)] = 0
    least = np.partition(cosines, -count)[-count] if count < len(cosines) else 0.0
    rows = np.flatnonzero((cosines >= least) & (cosines > 0))
    order = rows[np.argsort(-cosines[rows], kind="stable")[:count]].tolist()
    return tuple(Alike(matrix.paths[row].as_py(), matrix.said[row].as_py(), float(cosines[row])) for row in order)


def evidence_in_box(
    network: Network, manifest: Manifest, pic: Picture, values: NDArray[np.floating], box: Box
) -> NDArray[np.float32]:
    """The evidence (K,) within a box of a picture, (top, left, bottom, right) in its pixels: one forward pass.

    ``values``: its map (h, w). A cell counts as far as the box covers it. Zero where the map is zero in the box.
    """
    frame = frame_for((pic.height, pic.width), network.input_size, manifest.framing)
    cells = manifest.cells or CellGrid.uniform(manifest.grid, network.input_size)
    covered = [_covered(cell_edges(frame, cells, manifest.grid[axis], axis), box[axis::2]) for axis in (0, 1)]
    x, _ = network.prepare(pic, manifest.framing)
    A = network.tap(x, [manifest.layer]).activations[manifest.layer]
    return evidence(A, (values * np.outer(*covered))[None])[0]


def _covered(edges: NDArray[np.float64], span: tuple[float, ...]) -> NDArray[np.float64]:
    """The share of each cell's (low, high) that lies within a span, along one axis."""
    length = edges[:, 1] - edges[:, 0]
    inside = np.minimum(edges[:, 1], span[1]) - np.maximum(edges[:, 0], span[0])
    return np.divide(np.maximum(inside, 0), length, out=np.zeros_like(length), where=length > 0)
