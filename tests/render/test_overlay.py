"""The overlay's arithmetic, by hand."""

import numpy as np
import pytest

from camcore.errors import CamcoreError
from camcore.framing import frame_for
from camcore.render.colour import COLORMAPS, DIVERGING, colour
from camcore.render.overlay import UNSEEN, blend, spotlight

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8)
VALUES = RNG.random((48, 64), np.float32)


@pytest.mark.parametrize("colormap", [*COLORMAPS, DIVERGING])
@pytest.mark.parametrize("alpha", [0, 0.1, 0.35, 0.5, 0.9, 1])
def test_alpha_blending(alpha, colormap):
    values = VALUES * 2 - 1 if colormap == DIVERGING else VALUES
    expected = np.rint((1 - alpha) * PICTURE.astype(float) + alpha * colour(values, colormap).astype(float))
    result = blend(PICTURE, values, alpha, colormap)
    assert result.dtype == np.uint8
    assert np.abs(result - expected).max() <= 1


def test_by_hand():
    """Half of (200, 100, 0) and half of viridis' two ends."""
    picture = np.full((8, 8, 3), (200, 100, 0), np.uint8)
    values = np.zeros((8, 8), np.float32)
    values[4:] = 1
    result = blend(picture, values, 0.5, "viridis")
    assert np.abs(result[0, 0].astype(int) - (134, 50, 42)).max() <= 1  # with (68, 1, 84)
    assert np.abs(result[7, 7].astype(int) - (226, 165, 18)).max() <= 1  # with (253, 231, 37)


def test_the_ends_of_the_opacity():
    np.testing.assert_array_equal(blend(PICTURE, VALUES, 0), PICTURE)
    np.testing.assert_array_equal(blend(PICTURE, VALUES, 1), colour(VALUES))


@pytest.mark.parametrize("colormap", ["viridis", "diverging"])
def test_by_value_the_picture_shines_through_where_there_is_little(colormap):
    values = VALUES if colormap == "viridis" else 2 * VALUES - 1
    weights = 0.7 * np.abs(values)[..., None]
    expected = (1 - weights) * PICTURE + weights * colour(values, colormap)
    assert np.abs(blend(PICTURE, values, 0.7, colormap, by_value=True) - expected).max() <= 1
    nothing = np.where(np.arange(VALUES.shape[1]) < 8, 0.0, VALUES)
    drawn = blend(PICTURE, nothing, 1, by_value=True)
    np.testing.assert_array_equal(drawn[:, :8], PICTURE[:, :8])
    nothing[0, 0] = np.nan
    np.testing.assert_array_equal(blend(PICTURE, nothing, 1, by_value=True)[0, 0], np.rint(PICTURE[0, 0] * UNSEEN))


def test_equal_values_have_equal_weight():
    """Little evidence is coloured as strongly as much: the colour carries the value, not the opacity."""
    black = np.zeros((8, 8, 3), np.uint8)
    for value in (0.0, 0.2, 1.0):
        values = np.full((8, 8), value, np.float32)
        assert np.abs(blend(black, values, 0.5) - colour(values) / 2).max() <= 1


def test_what_was_not_seen_is_dimmed():
    values = VALUES.copy()
    values[:, :20] = np.nan
    values[7, 33] = np.nan
    result = blend(PICTURE, values, 0.4, "magma")
    unseen = np.isnan(values)
    assert np.abs(result[unseen] - UNSEEN * PICTURE[unseen].astype(float)).max() <= 0.51
    np.testing.assert_array_equal(result[~unseen], blend(PICTURE, VALUES, 0.4, "magma")[~unseen])
    assert UNSEEN == 0.35


def test_nothing_seen_at_all():
    result = blend(PICTURE, np.full((48, 64), np.nan))
    assert np.abs(result - UNSEEN * PICTURE.astype(float)).max() <= 0.51


def test_a_framed_map_on_its_picture():
    picture = np.full((480, 640, 3), 200, np.uint8)
    result = blend(picture, frame_for((480, 640), (224, 224)).to_picture(np.ones((7, 7))), 1.0)
    assert (result[30:450, 110:530] == colour(np.ones((1, 1)))[0, 0]).all()
    assert (result[:30] == 70).all()
    assert (result[:, 530:] == 70).all()


def test_inputs_are_left_alone():
    picture, values = PICTURE.copy(), VALUES.copy()
    values[:5] = np.nan
    picture.setflags(write=False)
    values.setflags(write=False)
    result = blend(picture, values)
    np.testing.assert_array_equal(picture, PICTURE)
    assert result.flags.writeable
    assert not np.shares_memory(result, picture)


@pytest.mark.parametrize("shape", [(4, 1), (1, 4), (1, 1), (4, 4), (8, 3000)])
def test_odd_shapes(shape):
    """cv2 reads an array of four numbers as one colour, if it is let."""
    picture = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    values = RNG.random(shape, np.float32)
    values[0, 0] = np.nan
    expected = (picture + colour(values).astype(float)) / 2
    expected[0, 0] = UNSEEN * picture[0, 0].astype(float)
    assert np.abs(blend(picture, values) - expected).max() <= 1


def test_slices_and_other_floats():
    values = VALUES.astype(np.float64)
    np.testing.assert_array_equal(blend(PICTURE[:, ::-2], values[:, ::-2]), blend(PICTURE, VALUES)[:, ::-2])


@pytest.mark.parametrize("alpha", [-0.01, 1.01, 50, float("nan"), float("inf")])
def test_opacity_out_of_range(alpha):
    with pytest.raises(CamcoreError, match=r"from 0 .* to 1") as caught:
        blend(PICTURE, VALUES, alpha)
    assert str(alpha) in str(caught.value)


def test_unknown_colour_map():
    with pytest.raises(CamcoreError, match="'viridis', perhaps"):
        blend(PICTURE, VALUES, 0.5, "virdis")


@pytest.mark.parametrize(
    ("picture", "values"),
    [
        (PICTURE, np.zeros((7, 7))),
        (PICTURE, VALUES.T),
        (PICTURE, VALUES[..., None]),
        (PICTURE[..., 0], VALUES),
        (PICTURE.astype(np.float32), VALUES),
        (PICTURE[:0], VALUES[:0]),
    ],
)
def test_arrays_that_do_not_fit(picture, values):
    with pytest.raises(CamcoreError, match="shape"):
        blend(picture, values)


def test_a_spotlight_keeps_what_is_lit_and_dims_the_rest():
    rgb = np.full((1, 4, 3), 200, np.uint8)
    lit = spotlight(rgb, np.array([[1, 0, np.nan, 0.5]]))
    assert lit[0, :, 0].tolist() == [200, round(200 * UNSEEN), round(200 * UNSEEN), round(100 * (1 + UNSEEN))]


def test_a_spotlight_of_another_size_is_refused():
    with pytest.raises(CamcoreError, match="does not lie on"):
        spotlight(np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2)))
