"""Several maps in their colours, by hand."""

import numpy as np
import pytest

from camcore.errors import CamcoreError
from camcore.render.overlay import MIX_COLOURS, UNSEEN, mix

FIRST, SECOND = (np.array(list(bytes.fromhex(colour[1:]))) for colour in MIX_COLOURS[:2])


def test_colours_cover_by_their_strength():
    rgb = np.full((1, 4, 3), 100, np.uint8)
    maps = np.array([[[1, 0], [0, 0.5], [0.6, 0.6], [0, 0]]])
    drawn = mix(rgb, maps, opacity=0.5).astype(int)
    np.testing.assert_allclose(drawn[0, 0], 50 + 0.5 * FIRST, atol=0.51)
    np.testing.assert_allclose(drawn[0, 1], 75 + 0.25 * SECOND, atol=0.51)
    np.testing.assert_allclose(drawn[0, 2], 70 + 0.3 * (FIRST + SECOND) / 2, atol=0.51)
    assert drawn[0, 3].tolist() == [100, 100, 100]


def test_the_stronger_gives_the_tone():
    drawn = mix(np.zeros((1, 1, 3), np.uint8), np.array([[[0.8, 0.4]]]), opacity=1).astype(int)
    np.testing.assert_allclose(drawn[0, 0], 0.8 * (0.64 * FIRST + 0.16 * SECOND) / 0.8, atol=0.51)


def test_what_was_not_seen_is_gray_and_dimmed():
    rgb = np.zeros((1, 2, 3), np.uint8)
    rgb[..., 0] = 255
    drawn = mix(rgb, np.array([[[np.nan], [0.0]]]))
    assert drawn[0, 1].tolist() == [76, 76, 76], "ITU-R BT.601"
    assert drawn[0, 0].tolist() == [round(76 * UNSEEN)] * 3


def test_refusals():
    rgb = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(CamcoreError, match="does not lie on"):
        mix(rgb, np.zeros((3, 2, 1)))
    with pytest.raises(CamcoreError, match="13 maps"):
        mix(rgb, np.zeros((2, 2, 13)))
    with pytest.raises(CamcoreError, match=r"opacity of 1\.5"):
        mix(rgb, np.zeros((2, 2, 1)), 1.5)
