"""Tables and arrays as files, in one form everywhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def to_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows, the header first, as CSV in UTF-8: commas, a line feed after each row; an empty row is an empty line."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def to_npz(**arrays: ArrayLike) -> bytes:
    """Arrays under their names as a compressed NumPy file, which ``numpy.load`` reads."""
    file = io.BytesIO()
    values: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez_compressed(file, **values)
    return file.getvalue()
