"""An audit for tests whose evidence is of known kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from audited import CHANNELS, CHUNK, MadeUp, make_audit

from camcore.audits.schema import SCHEMA, write_part

KINDS = 2
EMPTY = (11, 70)
"""Rows whose map is zero, and their evidence with it."""


def kind_of(place: int) -> int:
    """The kind of evidence of a row: of every ten the first four are of the second kind."""
    return int(place % 10 < 4)


def grouped_audit(folder: Path, pictures: Path, count: int = 120, labelled: bool = True) -> MadeUp:
    """An audit whose rows rest on channels 0 to 2 or 3 to 5, those of EMPTY on none."""
    made = make_audit(folder, pictures, count, labelled=labelled)
    r = np.random.default_rng(7)
    for place, row in enumerate(made.rows):
        kind = kind_of(place)
        vector = r.uniform(0, 0.1, CHANNELS)
        vector[kind * 3 : kind * 3 + 3] += r.uniform(0.8, 1.2, 3)
        made.evidence[place] = 0 if place in EMPTY else vector
        made.maps[place] = 0 if place in EMPTY else made.maps[place]
        if row["error"] is None:
            row["evidence"], row["map"] = made.evidence[place], made.maps[place].ravel()
    for chunk in range(-(-count // CHUNK)):
        write_part(folder, chunk, pa.Table.from_pylist(made.rows[chunk * CHUNK : (chunk + 1) * CHUNK], schema=SCHEMA))
    return made
