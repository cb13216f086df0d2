"""How far maps agree: hand-computed figures, the measures' laws, ties, unseen cells, constant and tiny maps."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

import camcore
from camcore.framing import CellGrid, frame_for
from camcore.heatmaps.cam_map import CamMap
from camcore.metrics.agreement import (
    MEASURES,
    SSIM_WINDOW,
    agreement_matrix,
    aligned,
    consensus,
    difference,
    peakedness,
    rank_normalised,
    spearman,
    ssim,
    top_iou,
    why_undefined,
)

R = np.random.default_rng(5)
A = R.random((20, 24))
B = 0.7 * A + 0.3 * R.random((20, 24))
PAIR = {"spearman": spearman, "ssim": ssim, "top_iou": top_iou}


def cam_map(values, picture=(40, 60), input_size=(32, 32), framing="crop") -> CamMap:
    values = np.asarray(values, np.float32)
    return CamMap(
        method="gradcam",
        layer="features",
        class_index=0,
        label="a",
        probability=0.5,
        logit=0.0,
        raw=values,
        values=values,
        warning=None,
        seconds=0.0,
        offset=None,
        network="net",
        frame=frame_for(picture, input_size, framing),
        cells=CellGrid.uniform(values.shape, input_size),
    )


# ---- laws of all measures


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_symmetric_and_a_map_agrees_with_itself(name):
    measure = PAIR[name]
    assert measure(A, B) == measure(B, A)
    assert measure(A, A) == pytest.approx(1, abs=1e-14)
    assert measure(A.astype(np.float32), A.astype(np.float32)) == pytest.approx(1, abs=1e-14)
    assert -1 <= measure(A, 1 - A) < measure(A, B) < 1


@pytest.mark.parametrize("function", [np.sqrt, lambda v: v**3, lambda v: 0.2 + 0.5 * v])
def test_rank_measures_do_not_see_an_increasing_function(function):
    assert spearman(function(A), B) == pytest.approx(spearman(A, B), abs=1e-15)
    assert top_iou(function(A), B) == top_iou(A, B)
    np.testing.assert_array_equal(rank_normalised(function(A)), rank_normalised(A))


@pytest.mark.parametrize("name", MEASURES)
def test_what_one_map_lacks_counts_for_neither(name):
    """Unseen borders give the figure of the maps without them, whatever the other map has there."""
    a, b = A.copy(), B.copy()
    a[:, :3] = np.nan
    b[-2:] = np.nan
    assert PAIR[name](a, b) == pytest.approx(PAIR[name](A[:-2, 3:], B[:-2, 3:]), abs=1e-12)


@pytest.mark.parametrize("name", MEASURES)
def test_nothing_in_common_is_undefined(name):
    a, b = A.copy(), B.copy()
    a[:10] = np.nan
    b[10:] = np.nan
    assert PAIR[name](a, b) is None
    assert "no common part" in why_undefined(a, b, name)


@pytest.mark.parametrize("name", MEASURES)
def test_maps_of_different_shapes_are_refused(name):
    with pytest.raises(camcore.CamcoreError, match=r"\(20, 24\) and \(20, 23\).*aligned"):
        PAIR[name](A, B[:, 1:])


# ---- rank correlation


def test_spearman_by_hand():
    """Ranks 1 2 3 4 and 2 1 4 3: 1 − 6·Σd²/(n(n² − 1)) = 1 − 6·4/60."""
    assert spearman([[0.1, 0.2], [0.3, 0.9]], [[0.5, 0.0], [1.0, 0.7]]) == pytest.approx(0.6, abs=1e-15)


def test_spearman_with_ties_by_hand():
    """Ranks 1.5 1.5 3 and 1 2 3, less their mean: (−.5, −.5, 1)·(−1, 0, 1) / (√1.5 · √2) = √3 / 2."""
    assert spearman([0, 0, 1], [0, 0.5, 1]) == pytest.approx(np.sqrt(3) / 2, abs=1e-15)
    assert spearman([0, 0, 1], [1, 0.5, 0]) == pytest.approx(-np.sqrt(3) / 2, abs=1e-15)


def test_spearman_is_scipys():
    a, b = np.round(A, 1), np.round(B, 1)  # many ties
    assert spearman(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic, abs=1e-14)


@pytest.mark.parametrize("flat", [np.zeros((20, 24)), np.full((20, 24), 0.4), np.ones((20, 24))])
@pytest.mark.parametrize("name", ["spearman", "top_iou"])
def test_a_map_without_an_order_has_no_rank_measure(flat, name):
    assert PAIR[name](flat, A) is None
    assert PAIR[name](A, flat) is None
    assert PAIR[name](flat, flat) is None
    assert why_undefined(flat, A, name).startswith("The first map is the same everywhere")
    assert why_undefined(A, flat, name).startswith("The second map is the same everywhere")
    assert why_undefined(flat, flat, name).startswith("Both maps are the same everywhere")
    assert why_undefined(A, B, name) is None


def test_an_order_outside_the_common_part_is_none():
    a = np.full((4, 4), 0.5)
    a[0] = [0, 0.2, 0.4, 1]
    b = np.arange(16).reshape(4, 4) / 16
    b[0] = np.nan
    assert spearman(a, b) is None
    assert "first map" in why_undefined(a, b)


# ---- structure


def test_ssim_is_scikit_images():
    wanted = structural_similarity(A, B, data_range=1, gaussian_weights=True, use_sample_covariance=False)
    assert ssim(A, B) == pytest.approx(wanted, abs=1e-14)


def test_ssim_of_constant_maps_by_hand():
    """No variance: (2ab + C₁)/(a² + b² + C₁), C₁ = 0.01²; empty against empty is 1."""
    flat = np.ones((12, 12))
    assert ssim(0 * flat, 0 * flat) == 1
    assert ssim(0.2 * flat, 0.6 * flat) == pytest.approx((0.24 + 1e-4) / (0.4 + 1e-4), abs=1e-10)
    assert ssim(0 * flat, flat) == pytest.approx(1e-4 / (1 + 1e-4), abs=1e-10)
    assert why_undefined(0 * flat, flat, "ssim") is None


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (SSIM_WINDOW - 1, 40)])
def test_ssim_needs_a_whole_window(shape):
    one = R.random(shape)
    assert ssim(one, one) is None
    assert "11×11" in why_undefined(one, one, "ssim")


def test_ssim_needs_a_whole_window_of_common_cells():
    holes = A.copy()
    holes[::5, ::5] = np.nan
    assert ssim(holes, A) is None
    one = A.copy()
    one[0, 0] = np.nan  # only the window in that corner goes
    _, local = structural_similarity(A, B, data_range=1, gaussian_weights=True, use_sample_covariance=False, full=True)
    inner = local[5:-5, 5:-5].ravel()[1:]
    assert ssim(one, B) == pytest.approx(inner.mean(), abs=1e-12)


@pytest.mark.parametrize("wrong", [1.5, -0.2])
def test_raw_maps_have_no_ssim_and_no_difference(wrong):
    raw = A.copy()
    raw[3, 3] = wrong
    for function in (ssim, difference):
        with pytest.raises(camcore.CamcoreError, match=rf"{wrong:g} lies outside 0 to 1.*not raw"):
            function(A, raw)


def test_ssim_of_rows_is_refused():
    with pytest.raises(camcore.CamcoreError, match=r"\(30,\) has no structure"):
        ssim(np.zeros(30), np.zeros(30))


# ---- the top


def test_top_iou_by_hand():
    """Ten cells, the top three: {7, 8, 9} and {6, 8, 9} share 2 of 4."""
    a = np.arange(10) / 10
    b = a.copy()
    b[[6, 7]] = b[[7, 6]]
    assert top_iou(a, b, 0.3) == 0.5
    assert top_iou(a, b, 0.2) == 1
    assert top_iou(a, a[::-1], 0.5) == 0


def test_top_iou_of_shifted_squares():
    """20 of 100 cells each, half of them common: 10 / 30."""
    a, b = np.zeros((10, 10)), np.zeros((10, 10))
    a[:2], b[1:3] = 1, 1
    assert top_iou(a, b) == pytest.approx(1 / 3)


def test_zeros_are_nobodys_top():
    """Two of a hundred cells each, elsewhere zero: the zeros that would fill up the top do not agree."""
    a, b = np.zeros((10, 10)), np.zeros((10, 10))
    a[0, :2], b[5, 5:7] = 1, 1
    assert top_iou(a, b) == 0
    b[0, 1] = 1
    assert top_iou(a, b) == 0.25  # {00, 01} and {01, 55, 56}
    assert top_iou(a, a) == 1


def test_ties_are_not_broken_in_the_order_of_the_pixels():
    """All but one cell have the highest value; which 20 of them are taken is chance, not the first rows."""
    a = np.ones((10, 10))
    a[9, 9] = 0
    first_rows = np.zeros((10, 10))
    first_rows[:2] = 1
    last_rows = first_rows[::-1]
    assert 0 < top_iou(a, first_rows) < 0.5
    assert 0 < top_iou(a, last_rows) < 0.5
    assert top_iou(a, first_rows) == top_iou(a, first_rows)
    assert top_iou(a, a) == 1


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, np.nan])
def test_a_share_is_a_part(share):
    with pytest.raises(camcore.CamcoreError, match="above 0 and below 1"):
        top_iou(A, B, share)


def test_one_cell_orders_nothing():
    assert spearman([[0.3]], [[0.8]]) is None
    assert top_iou([[0.3]], [[0.8]]) is None
    assert rank_normalised([[0.3]]).tolist() == [[0.5]]
    assert consensus([[[0.3]], [[1.0]]]).spread.tolist() == [[0]]


def test_two_cells_have_a_top():
    assert top_iou([0.1, 0.9], [0.3, 0.4]) == 1
    assert top_iou([0.1, 0.9], [0.4, 0.3]) == 0


# ---- ranks and consensus


def test_rank_normalised_by_hand():
    """Values 0 0 3 5 7 → ranks 1.5 1.5 3 4 5 → (rank − 1) / 4."""
    found = rank_normalised([[0, 7, np.nan], [3, 0, 5]])
    np.testing.assert_allclose(found, [[0.125, 1, np.nan], [0.5, 0.125, 0.75]], atol=1e-15)


def test_rank_normalised_of_a_flat_map_is_half():
    for value in (0.0, 1.0):
        np.testing.assert_array_equal(rank_normalised(np.full((3, 2), value)), np.full((3, 2), 0.5))
    assert np.isnan(rank_normalised(np.full((2, 2), np.nan))).all()


def test_consensus_by_hand():
    """Ranks 0 ½ 1, 1 ½ 0 and 0 ½ 1, whatever the scales."""
    found = consensus([[0, 0.1, 0.2], [1.0, 0.3, 0.2], [0, 50, 99]])
    np.testing.assert_allclose(found.mean, [1 / 3, 0.5, 2 / 3], atol=1e-15)
    np.testing.assert_allclose(found.spread, [np.sqrt(2) / 3, 0, np.sqrt(2) / 3], atol=1e-15)


def test_consensus_laws():
    one = consensus([A])
    np.testing.assert_array_equal(one.mean, rank_normalised(A))
    assert not one.spread.any()
    opposed = consensus([A, 1 - A])
    np.testing.assert_allclose(opposed.mean, 0.5, atol=1e-15)
    assert opposed.spread.max() == pytest.approx(0.5)
    for order in permutations([A, B, 1 - B]):
        np.testing.assert_allclose(consensus(order).spread, consensus([A, B, 1 - B]).spread, atol=1e-15)


def test_consensus_ranks_the_common_cells_only():
    """The first map's highest cells were not seen by the second: they take no rank from the others."""
    found = consensus([[9, 8, 0.1, 0.2], [np.nan, np.nan, 0.5, 0.6]])
    np.testing.assert_array_equal(found.mean, [np.nan, np.nan, 0, 1])
    np.testing.assert_array_equal(found.spread, [np.nan, np.nan, 0, 0])


# ---- difference


def test_difference_by_hand():
    found = difference([[0, 1], [0.25, np.nan]], [[1, 0], [0.75, 0.5]])
    np.testing.assert_array_equal(found, [[-1, 1], [-0.5, np.nan]])


def test_difference_is_antisymmetric_and_zero_to_itself():
    np.testing.assert_array_equal(difference(A, B), -difference(B, A))
    assert not difference(A, A).any()


def test_a_rounding_beyond_one_is_no_error():
    found = difference(np.float32([1 + 1e-7, 0]), np.float32([0, 1]))
    np.testing.assert_array_equal(found, [1, -1])


# ---- the matrix


@pytest.mark.parametrize("name", MEASURES)
def test_the_matrix_holds_the_pairs(name):
    flat = np.full_like(A, 0.3)
    maps = [A, B, 1 - A, flat]
    found = agreement_matrix(maps, name)
    assert found.measure == name
    np.testing.assert_array_equal(found.values, found.values.T)
    for i, a in enumerate(maps):
        for j, b in enumerate(maps):
            pair = PAIR[name](a, b)
            assert found.values[i, j] == pytest.approx(np.nan if pair is None else pair, abs=1e-14, nan_ok=True)


def test_the_matrix_is_over_what_all_maps_have():
    third = B.copy()
    third[:8] = np.nan
    found = agreement_matrix([A, B, third]).values
    assert found[0, 1] == pytest.approx(spearman(A[8:], B[8:]), abs=1e-14)
    assert found[0, 1] != pytest.approx(spearman(A, B), abs=1e-6)
    assert found[1, 2] == pytest.approx(1, abs=1e-14)


def test_the_matrix_passes_its_share_on():
    assert agreement_matrix([A, B], "top_iou", 0.05).values[0, 1] == top_iou(A, B, 0.05) != top_iou(A, B)


def test_no_map_and_no_such_measure():
    with pytest.raises(camcore.CamcoreError, match="no map to compare"):
        agreement_matrix([])
    with pytest.raises(camcore.CamcoreError, match="no map to compare"):
        aligned([])
    with pytest.raises(camcore.CamcoreError, match=r"no measure 'spearmann'.*'spearman', perhaps"):
        agreement_matrix([A, B], "spearmann")


# ---- peakedness


def plain_gini(values) -> Fraction:
    """Mean absolute difference of all pairs over twice the mean, exactly; then n/(n − 1)."""
    cells = [Fraction(v) for v in values]
    n, total = len(cells), sum(cells)
    return sum(abs(a - b) for a in cells for b in cells) / (2 * n * total) * Fraction(n, n - 1)


@pytest.mark.parametrize(("values", "wanted"), [
    ([[1, 1], [1, 1]], 0),
    ([[0, 0], [0, 5]], 1),
    ([0, 1], 1),
    ([1, 3], 0.5),
    ([[0, 0], [1, 1]], 2 / 3),
    ([0, 0, 0], 0),
    ([[0.7]], 0),
    ([[0]], 0),
    ([], 0),
    ([np.nan, np.nan], 0),
    ([np.nan, 0, 1, np.nan], 1),
])  # fmt: skip
def test_peakedness_by_hand(values, wanted):
    assert peakedness(values) == pytest.approx(wanted, abs=1e-15)


def test_peakedness_is_the_mean_difference_of_all_pairs():
    values = [0, 3, 1, 4, 1, 5, 9, 2, 6, 0, 0]
    assert peakedness(values) == pytest.approx(float(plain_gini(values)), abs=1e-15)


@pytest.mark.parametrize("scale", [1e-300, 1e-40, 7.5, 1e300])
def test_peakedness_has_no_unit(scale):
    assert peakedness(scale * A) == pytest.approx(peakedness(A), rel=1e-12)


def test_peakedness_rises_as_less_remains():
    figures = [peakedness(A**power) for power in (0.1, 1, 2, 5, 50)]
    assert figures == sorted(figures)
    assert 0 < figures[0] < 0.1
    assert 0.8 < figures[-1] < 1
    assert peakedness(R.permutation(A.ravel())) == pytest.approx(peakedness(A), abs=1e-15)


@pytest.mark.parametrize("wrong", [-0.1, np.inf])
def test_peakedness_is_of_shares(wrong):
    with pytest.raises(camcore.CamcoreError, match="no Gini coefficient"):
        peakedness([0.5, wrong, 0.2])


# ---- one raster


def test_maps_of_different_layers_and_inputs_meet_on_the_picture():
    """The same brightness ramp over the picture, seen at 4×4 of a 32-pixel and at 8×8 of a 64-pixel input."""
    first = cam_map(np.tile((np.arange(4) + 0.5) / 4, (4, 1)))
    second = cam_map(np.tile((np.arange(8) + 0.5) / 8, (8, 1)), input_size=(64, 64))
    found = aligned([first, second], max_side=None)
    assert found.rasters.shape == (2, 40, 60)
    assert found.rasters.dtype == np.float32
    inner = found.rasters[:, :, 20:40]  # between the outermost centres of both
    np.testing.assert_allclose(inner[0][found.seen[:, 20:40]], inner[1][found.seen[:, 20:40]], atol=1e-6)
    assert spearman(*found.rasters) > 0.99


def test_only_what_all_saw_remains():
    whole = cam_map(np.ones((2, 2)), framing="stretch")
    middle = cam_map(np.ones((2, 2)), framing="crop")
    found = aligned([whole, middle], max_side=None)
    np.testing.assert_array_equal(found.seen, np.isfinite(middle.on_picture()))
    assert found.seen.sum() == 35 * 35  # 224/256 of the short side
    for raster in found.rasters:
        np.testing.assert_array_equal(np.isfinite(raster), found.seen)
        assert (raster[found.seen] == 1).all()
    assert aligned([whole]).seen.all()


def test_the_raster_is_the_reduced_picture():
    m = cam_map(A, picture=(400, 600), framing="stretch")
    found = aligned([m], max_side=60)
    assert found.rasters.shape == (1, 40, 60)
    np.testing.assert_array_equal(found.rasters[0], m.on_picture(max_side=60))
    assert aligned([m]).rasters.shape == (1, 149, 224)
    cells = aligned([m], max_side=60, smooth=False).rasters[0]
    assert np.isin(cells, m.values).all()


def test_maps_of_different_pictures_are_refused():
    with pytest.raises(camcore.CamcoreError, match=r"40×60 and of one of 60×40.*one picture"):
        aligned([cam_map(A), cam_map(A, picture=(60, 40))])


def test_the_maps_themselves_stay_as_they_are():
    m = cam_map(A, framing="stretch")
    before = m.values.copy()
    aligned([m, cam_map(B)])
    np.testing.assert_array_equal(m.values, before)
