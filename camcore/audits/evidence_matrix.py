"""The evidence of all answers of an audit, read once into a matrix that every comparison goes through.

In half precision, as the parts hold it, the matrix of a million answers may still be larger than the memory that a page
may take: it lies in a temporary file without a name, which the system keeps in memory as long as there is room.
"""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from camcore.audits.answered import answered_rows
from camcore.audits.manifest import NAME, Manifest
from camcore.audits.schema import PARTS
from camcore.cache import ByteLRU
from camcore.files import unwritable

_BLOCK = 1 << 18
"""Numbers compared at a time, which fit into a processor's own cache."""

_KEPT = 2
"""Audits whose evidence is kept."""


@dataclass(frozen=True, eq=False)
class EvidenceMatrix:
    """``values``: float16 (n, K), a row for each answer; ``norms`` (n,); ``paths`` and the classes ``said``: (n,)."""

    values: NDArray[np.float16]
    norms: NDArray[np.float32]
    paths: pa.StringArray
    said: pa.StringArray

    def cosines(self, direction: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine between each row and a direction (K,) of length 1: (n,); 0 where a row is zero."""
        found = np.empty(len(self.norms), np.float32)
        step = max(1, _BLOCK // max(1, self.values.shape[1]))
        for start in range(0, len(found), step):
            found[start : start + step] = self.values[start : start + step].astype(np.float32) @ direction
        return np.divide(found, self.norms, out=np.zeros_like(found), where=self.norms > 0)


def _bytes(one: EvidenceMatrix) -> int:
    return int(one.norms.nbytes + one.paths.nbytes + one.said.nbytes)


_kept: ByteLRU[EvidenceMatrix] = ByteLRU(1 << 30, _bytes, _KEPT)
_reading = threading.Lock()


def evidence_matrix(folder: Path, manifest: Manifest) -> EvidenceMatrix:
    """The matrix of an audit, as it is now. Raises CamcoreError where a part is damaged, or no file can be made."""
    places = (folder / NAME, folder / PARTS)
    key = (folder.absolute(), *(place.stat().st_mtime_ns for place in places if place.exists()))
    with _reading:
        return _kept.get(key) or _kept.put(key, _read(folder, manifest.channels))


def _read(folder: Path, channels: int) -> EvidenceMatrix:
    norms, paths, said = [np.empty(0, np.float32)], list[pa.Array](), list[pa.Array]()
    try:
        with tempfile.TemporaryFile() as file:  # its content lives as long as the array
            for part in answered_rows(folder, ["path", "predicted", "evidence"]):
                vectors = part.lists("evidence", channels)
                file.write(vectors.astype(np.float16).data)
                norms.append(np.linalg.norm(vectors, axis=1))
                paths += part.table.column("path").chunks
                said += part.table.column("predicted").chunks
            file.flush()
            shape = (sum(map(len, norms)), channels)
            values = np.memmap(file, np.float16, "r", shape=shape) if shape[0] else np.empty(shape, np.float16)
    except OSError as error:
        raise unwritable(Path(tempfile.gettempdir()), error) from error
    texts = (pa.chunked_array(one, pa.string()).combine_chunks() for one in (paths, said))
    return EvidenceMatrix(values, np.concatenate(norms), *texts)
