"""An audit for tests of reviews: photographs that are there, with their digests, and maps of one bright corner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from audited import CHUNK, GRID, MadeUp, draw_pictures, make_audit

import camcore
from camcore.audits.schema import SCHEMA, write_part


def reviewed_audit(
    home: Path, count: int = 120, classes: tuple[str, ...] = ("cat", "dog"), empty: tuple[int, ...] = ()
) -> MadeUp:
    """An audit below ``home`` without failures; the maps of the rows in ``empty`` are zero."""
    made = make_audit(home / "audit", home / "pictures", count, classes, failed=())
    draw_pictures(made, (10, 12))
    rng = np.random.default_rng(3)
    for place, row in enumerate(made.rows):
        corner = np.zeros(GRID)
        corner[rng.integers(0, 2) : 2, rng.integers(1, 3) : 3] = rng.uniform(0.5, 1)
        made.maps[place] = 0 if place in empty else corner
        row["map"] = made.maps[place].ravel()
        row["sha256"] = camcore.open_picture(home / "pictures" / row["path"]).sha256
    write_rows(made)
    return made


def write_rows(made: MadeUp) -> None:
    """Write the rows of an audit as they are now."""
    for chunk in range(-(-len(made.rows) // CHUNK)):
        rows = made.rows[chunk * CHUNK : (chunk + 1) * CHUNK]
        write_part(made.folder, chunk, pa.Table.from_pylist(rows, schema=SCHEMA))
