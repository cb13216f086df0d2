"""Names of average maps."""

from __future__ import annotations

import numpy as np

from camcore.audits.averages import MeanMap
from ui.audit import averages


def test_a_mean_map_is_named_by_its_answers() -> None:
    at = np.zeros((1, 1))
    made = [MeanMap(None, None, 1, at), MeanMap("cat", True, 1, at), MeanMap("cat", False, 2, at)]
    assert [averages.title(one) for one in made] == ["all answers", "predicted cat, right", "predicted cat, wrong"]
