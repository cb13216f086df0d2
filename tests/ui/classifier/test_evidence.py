"""The sum as it is shown: its figures add up exactly, and each is the real one to its last digit or so."""

import numpy as np
import pytest

from camcore.framing import CellGrid, frame_for
from camcore.heatmaps.evidence import Evidence
from ui.classifier.evidence import Equation, equation, hundredths

FRAME = frame_for((100, 120), (64, 64))


def made(values: np.ndarray, bias: float) -> Evidence:
    logit = float(values.mean()) + bias
    cells = CellGrid.uniform(values.shape, (64, 64))
    return Evidence(0, "cat", values, bias, logit, 1 / (1 + np.exp(-logit)), "top", FRAME, cells)


@pytest.mark.parametrize("seed", range(200))
def test_what_is_shown_adds_up_and_is_true(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = made(rng.normal(rng.normal(), 5, (7, 7)), float(rng.normal()))
    sums = equation(one)
    assert sums.supporting + sums.opposing == sums.mean
    assert sums.mean + sums.bias == sums.score
    real = Equation(*(100 * v for v in (one.supporting, one.opposing, one.sum - one.bias, one.bias, one.logit)))
    assert abs(sums.score - real.score) <= 0.5 + 1e-6
    assert abs(sums.bias - real.bias) <= 0.5 + 1e-6
    assert abs(sums.opposing - real.opposing) <= 0.5 + 1e-6
    assert abs(sums.mean - real.mean) <= 1 + 1e-6
    assert abs(sums.supporting - real.supporting) <= 1.5 + 1e-6


def test_figures_in_words() -> None:
    assert [hundredths(v) for v in (462, -48, 0, 5, -1234)] == ["+4.62", "−0.48", "0.00", "+0.05", "−12.34"]
