"""Maps and arrays drawn on their picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import flat

import camcore
from camcore.framing import CellGrid
from camcore.render.colour import table
from camcore.render.overlay import blend

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), preprocess="tf")


def test_an_overlay_of_what_is_no_picture_or_no_map(network):
    (m,) = camcore.explain(network, PIC)
    with pytest.raises(camcore.PictureError, match="is not a Picture"):
        camcore.overlay("photo.jpg", m)
    with pytest.raises(camcore.CamcoreError, match=r"a uint8 array \(height, width, 3\)"):
        camcore.overlay(PIC.rgb / 255, m)
    with pytest.raises(camcore.CamcoreError, match="a CamMap or a numpy array"):
        camcore.overlay(PIC, [m])
    with pytest.raises(camcore.CamcoreError, match="lies on its own picture only"):
        camcore.overlay(PIC.rgb[:-1], m)
    np.testing.assert_array_equal(camcore.overlay(PIC.rgb, m), camcore.overlay(PIC, m))


def test_an_overlay_of_an_array_is_that_of_the_stretched_map(network):
    """What compute_heatmap gives lies on the picture as a map of framing ``stretch`` does, where cells are uniform."""
    values = np.random.default_rng(5).random((3, 4)).astype(np.float32)
    (m,) = camcore.explain(network, PIC, framing="stretch")
    uniform = CellGrid.uniform(values.shape, network.input_size)
    wanted = replace(m, values=values, cells=uniform)
    for smooth in (True, False):
        drawn = camcore.overlay(PIC.rgb, values, alpha=0.7, colormap="magma", smooth=smooth)
        np.testing.assert_allclose(drawn, camcore.overlay(PIC, wanted, 0.7, "magma", smooth), atol=1)
        np.testing.assert_array_equal(drawn, camcore.overlay(PIC, values, 0.7, "magma", smooth))
    own = np.random.default_rng(6).random(PIC.rgb.shape[:2]).astype(np.float32)
    np.testing.assert_array_equal(camcore.overlay(PIC, own), blend(PIC.rgb, own))


def test_an_overlay_of_an_array_that_leaves_its_range():
    with pytest.raises(camcore.CamcoreError, match=r"values from -1 to 0.5; they are drawn from 0 to 1"):
        camcore.overlay(PIC, np.array([[-1.0, 0.5]]))
    with pytest.raises(camcore.CamcoreError, match="values from 0 to 7"):
        camcore.overlay(PIC, np.array([[0.0, 7.0]]))
    signed = np.array([[-1.0, 1.0]])
    drawn = camcore.overlay(PIC, signed, 1.0, "diverging", smooth=False)
    np.testing.assert_array_equal(drawn[0, [0, -1]], table("diverging")[[1, 255]])
    for wrong in (np.zeros((2, 3, 4)), np.zeros(0), np.array([["a"]])):
        with pytest.raises(camcore.CamcoreError):
            camcore.overlay(PIC, wrong)
