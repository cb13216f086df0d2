"""Average maps to take away: the values that are drawn."""

from __future__ import annotations

import csv
import io

import numpy as np

from camcore.audits.averages import MeanMap
from ui.audit import averages


def test_the_file_holds_the_values() -> None:
    values = np.arange(6, dtype=np.float64).reshape(2, 3) / 7
    means = (MeanMap(None, None, 9, values), MeanMap("cat", False, 4, 2 * values))
    header, *rows = csv.reader(io.StringIO(averages.as_csv(means).decode("utf-8-sig")))
    assert header == ["class", "right", "pictures", "row", "column 0", "column 1", "column 2"]
    assert [row[:4] for row in rows] == [
        ["", "", "9", "0"],
        ["", "", "9", "1"],
        ["cat", "0", "4", "0"],
        ["cat", "0", "4", "1"],
    ]
    np.testing.assert_allclose(
        np.array([row[4:] for row in rows], float), np.concatenate([values, 2 * values]), rtol=1e-5
    )


def test_a_mean_map_is_named_by_its_answers() -> None:
    at = np.zeros((1, 1))
    made = [MeanMap(None, None, 1, at), MeanMap("cat", True, 1, at), MeanMap("cat", False, 2, at)]
    assert [averages.title(one) for one in made] == ["all answers", "called cat, right", "called cat, wrong"]
