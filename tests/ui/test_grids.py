"""Maps for the browser: nothing is lost that can be seen, and a raster lies where it belongs."""

import base64
from typing import Any

import numpy as np
import pytest

from ui.grids import encoded, of_raster


def decoded(grid: dict[str, Any]) -> np.ndarray:
    words = np.frombuffer(base64.b64decode(grid["data"]), "<u2").astype(np.float64)
    return grid["low"] + words / 65535 * (grid["high"] - grid["low"])


def test_sixteen_bits_keep_a_map_to_a_hundred_thousandth_of_its_range():
    raw = np.random.default_rng(0).normal(0, 3, (9, 7)).astype(np.float32)
    assert decoded(encoded(raw)) == pytest.approx(raw.ravel(), abs=float(np.ptp(raw)) * 1e-5)


@pytest.mark.parametrize("value", [0.0, -2.5, 1e30])
def test_a_map_that_is_the_same_everywhere(value):
    assert decoded(encoded(np.full((3, 3), value))) == pytest.approx(np.full(9, value))


def test_a_raster_is_cut_to_what_was_seen_and_keeps_its_place():
    values = np.full((4, 6), np.nan)
    values[1:3, 2:5] = np.arange(6).reshape(2, 3)
    grid = of_raster(values, (40, 60), "cut")
    assert grid is not None
    assert (grid["rows"], grid["columns"]) == (2, 3)
    assert decoded(grid) == pytest.approx(np.arange(6), abs=1e-4)
    assert grid["seen"] == [10.0, 20.0, 30.0, 50.0]  # top, left, bottom, right in the picture's pixels
    assert grid["first"] == [14.5, 24.5]  # the centre of ten pixels from 10 on, and from 20 on
    assert grid["stride"] == [10.0, 10.0]


def test_a_raster_that_nobody_saw():
    assert of_raster(np.full((4, 6), np.nan), (40, 60), "nothing") is None
