"""How far maps agree: on one common raster, by rank, by structure, and at their top.

Arrays are rasters or grids of one shape, ``values`` in 0..1 unless said; cells that are NaN in either of two maps (of
any, where there are several) take no part. A figure that is not defined for a pair is None (NaN in a matrix), never
0: ``why_undefined`` says in words why.

A map that is the same everywhere, the empty one above all, puts no place before another. So it has no rank
correlation and no top. Its SSIM is defined, and is scikit-image's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, flag, many, numbers, shown
from camcore.checks import max_side as a_side
from camcore.errors import CamcoreError, nearest
from camcore.heatmaps.arguments import maps as several_maps
from camcore.heatmaps.cam_map import CamMap

Array64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Maps = Sequence[ArrayLike] | NDArray[np.floating]
Measure = Literal["spearman", "ssim", "top_iou"]

MEASURES: tuple[Measure, ...] = ("spearman", "ssim", "top_iou")

# The raster of a comparison: finer than any late layer's grid, small enough for many maps at once.
COMMON_SIDE = 224

# The Gaussian window of Wang et al. 2004, cut off as scikit-image does, is this many cells wide.
SSIM_WINDOW = 11

# One order for all maps and all times, so that equal maps have equal tops.
_TIE_SEED = 0


@dataclass(frozen=True, eq=False)
class Aligned:
    """Maps of one picture on one raster.

    ``rasters``: float32 (n, H, W), each map's ``values`` in 0..1, NaN where any of the networks did not look.
    ``seen``: (H, W), True where all of them did.
    """

    rasters: NDArray[np.float32]
    seen: Mask


@dataclass(frozen=True, eq=False)
class Consensus:
    """What several maps say together: (H, W) float64 each, NaN where any map has no value.

    ``mean``: of the rank-normalised maps, 0..1. ``spread``: their standard deviation, 0 (all agree) to 0.5 (half
    of them put the place first, the other half last).
    """

    mean: Array64
    spread: Array64


@dataclass(frozen=True, eq=False)
class AgreementMatrix:
    """One figure for each pair of maps: ``values`` (n, n) float64, symmetric, NaN where it is not defined."""

    measure: Measure
    values: Array64


def _a_share(name: str, value: Any) -> float:
    """A part of a map's cells, above 0 and below 1."""
    if isinstance(value, (int, float, np.number)) and 0 < value < 1:
        return float(value)
    raise CamcoreError(
        f"The top {shown(value)} of a map is not a part of it. The share lies above 0 and below 1. Give 0.2, perhaps."
    )


def _a_measure(name: str, value: Any) -> str:
    """One of MEASURES."""
    if not isinstance(value, str) or value not in MEASURES:
        near = nearest(value, MEASURES, 0.4)
        raise CamcoreError(
            f"There is no measure {shown(value)}. Maps are compared by one of {', '.join(MEASURES)}. "
            f"Choose {f'{near!r}, perhaps' if near else 'one of these'}."
        )
    return value


@checked(maps=several_maps, max_side=a_side, smooth=flag)
def aligned(maps: Sequence[CamMap], max_side: int | None = COMMON_SIDE, smooth: bool = True) -> Aligned:
    """Maps of one picture, whatever their layers, framings and networks, on the picture's own pixels.

    ``max_side``: the raster is the picture reduced so that its long side is at most this; None for its full size.
    ``smooth``: as in ``CamMap.on_picture``. The maps need not look at one another's areas: where any of them did
    not look, all are NaN, and where nothing is left, everything is.

    Raises CamcoreError where there is no map, or the pictures' sizes differ.
    """
    if not maps:
        raise CamcoreError("There is no map to compare. A comparison needs at least one. Compute a map first.")
    first = maps[0].frame.picture_size
    for m in maps:
        if m.frame.picture_size != first:
            raise CamcoreError(
                f"Maps of a picture of {_size(first)} and of one of {_size(m.frame.picture_size)} cannot be compared: "
                "they are of different pictures. Give maps of one picture."
            )
    rasters = np.stack([m.on_picture(smooth, max_side) for m in maps])
    seen = _seen(rasters)
    rasters[:, ~seen] = np.nan
    return Aligned(rasters, seen)


# ---- two maps


@checked(a=numbers, b=numbers)
def spearman(a: ArrayLike, b: ArrayLike) -> float | None:
    """Spearman's rank correlation of two maps, −1..1; ties have their mean rank.

    Depends on the order of the cells only, so any strictly increasing function of a map leaves it as it is. None
    where either map is the same everywhere (the covariance is divided by a spread of 0), or no cells are common.

    Spearman, The Proof and Measurement of Association between Two Things, 1904.
    """
    return _pair(_by_rank, a, b)


@checked(a=numbers, b=numbers)
def ssim(a: ArrayLike, b: ArrayLike) -> float | None:
    """Mean structural similarity of two maps in 0..1, −1..1: scikit-image's, as in the paper.

    A Gaussian window of σ = 1.5 (11×11 cells), population covariances, data range 1, K₁ = 0.01, K₂ = 0.03; the
    mean over all windows that lie on common cells. Constant maps are defined: two equal ones have 1, others less by
    the difference of their brightness. It depends on the raster: compare figures of one raster only. None where no
    whole window lies on common cells: a 7×7 grid is too small, see ``aligned``.

    Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004.
    Raises CamcoreError for values outside 0..1.
    """
    return _pair(_by_structure, a, b)


@checked(a=numbers, b=numbers, share=_a_share)
def top_iou(a: ArrayLike, b: ArrayLike, share: float = 0.2) -> float | None:
    """Intersection over union of the two maps' highest cells, 0..1.

    The top is the ``share`` of the common cells (rounded, at least one) with the highest values. Cells of one value
    that only in part belong to it are taken in one fixed random order, the same for all maps, not in the order of
    the pixels. A cell at the map's minimum is never in its top: of a map that is zero nearly everywhere the top is
    what is above zero, else two such maps would agree on their zeros. None where either map is the same everywhere
    (it has no top), or no cells are common.

    Raises CamcoreError for a share that is not above 0 and below 1.
    """
    return _pair(lambda stack, seen: _by_top(stack, seen, share), a, b)


@checked(a=numbers, b=numbers)
def difference(a: ArrayLike, b: ArrayLike) -> Array64:
    """``a − b`` of two maps in 0..1: float64, −1..1, NaN where either has no value.

    Raises CamcoreError where shapes differ or values leave 0..1.
    """
    stack = _stack([a, b])
    _check_unit(stack)
    return np.clip(stack[0] - stack[1], -1, 1)


@checked(a=numbers, b=numbers, measure=_a_measure)
def why_undefined(a: ArrayLike, b: ArrayLike, measure: Measure = "spearman") -> str | None:
    """Why ``measure`` is None for these two maps, in words; None where it is defined."""
    stack = _stack([a, b])
    seen = _seen(stack)
    if np.isfinite(_matrix(measure, stack, seen)[0, 1]):
        return None
    if not seen.any():
        return "The two networks looked at no common part of the picture."
    if measure == "ssim":
        return (
            f"No window of {SSIM_WINDOW}×{SSIM_WINDOW} cells lies on what both maps cover, and structure is compared "
            "window by window."
        )
    flat = [name for name, one in zip(("first", "second"), stack, strict=True) if np.ptp(one[seen]) == 0]
    which = "Both maps are" if len(flat) == 2 else f"The {flat[0]} map is"
    return (
        f"{which} the same everywhere that both networks looked, so no place comes before another: there is no order "
        "to compare, and no top."
    )


# ---- several maps


@checked(maps=many(numbers), measure=_a_measure, share=_a_share)
def agreement_matrix(maps: Maps, measure: Measure = "spearman", share: float = 0.2) -> AgreementMatrix:
    """A measure for every pair of n maps: all over the same cells, those that every map has.

    ``measure``: one of MEASURES; ``share`` is for ``top_iou``. The diagonal is 1, NaN where undefined.
    Raises CamcoreError for another measure, no map, or differing shapes.
    """
    stack = _stack(maps)
    return AgreementMatrix(measure, _matrix(measure, stack, _seen(stack), share))


@checked(a=numbers)
def rank_normalised(a: ArrayLike) -> Array64:
    """Each cell's rank among the cells that are not NaN, 0 (lowest) to 1 (highest), float64 of the same shape.

    Ties have their mean rank, so a map that is the same everywhere is 0.5 everywhere: no place before another.
    """
    array = np.asarray(a, np.float64)
    return _ranked(array, np.isfinite(array))


@checked(maps=many(numbers))
def consensus(maps: Maps) -> Consensus:
    """Mean and spread of the rank-normalised maps, cell by cell, over the cells that every map has.

    Ranks, because maps of different methods share no unit: only the order of the places is comparable.
    Raises CamcoreError where there is no map, or shapes differ.
    """
    stack = _stack(maps)
    seen = _seen(stack)
    ranks = np.stack([_ranked(one, seen) for one in stack])
    return Consensus(ranks.mean(axis=0), ranks.std(axis=0))


# ---- one map


@checked(values=numbers)
def peakedness(values: ArrayLike) -> float:
    """How much of a map lies on how few cells: its Gini coefficient, 0 (flat) to 1 (all of it on one cell).

    G = Σ_i (2i − n − 1) v_(i) / ((n − 1) Σ v), with v_(1) ≤ … ≤ v_(n) the cells that are not NaN. The plain
    coefficient has n in place of n − 1 and ends at 1 − 1/n, so that coarse grids could not be as peaked as fine
    ones. Scaling a map does not change it. 0 for an empty map and for a single cell: nothing stands out.

    Hurley and Rickard, Comparing Measures of Sparsity, 2009 (which finds it the one measure with all six
    properties asked for); n − 1: Deltas, The Small-Sample Bias of the Gini Coefficient, 2003.
    Raises CamcoreError for negative or infinite values.
    """
    array = np.asarray(values, np.float64).ravel()
    cells = np.sort(array[~np.isnan(array)])
    n = len(cells)
    if n and (cells[0] < 0 or np.isinf(cells[-1])):
        raise CamcoreError(
            f"A map with values from {cells[0]:g} to {cells[-1]:g} has no Gini coefficient: that is of shares of a "
            "whole. Give values that are finite and not negative, such as CamMap.values."
        )
    if n < 2 or cells[-1] == 0:
        return 0.0
    cells = cells / cells[-1]  # sums of tiny or huge values stay in range
    weights = np.arange(1 - n, n, 2)
    return float(np.clip(weights @ cells / ((n - 1) * cells.sum()), 0, 1))


# ---- how the measures compare: n maps at once, a pair being two of them


def _pair(compare: Callable[[Array64, Mask], Array64], a: ArrayLike, b: ArrayLike) -> float | None:
    stack = _stack([a, b])
    found = float(compare(stack, _seen(stack))[0, 1])
    return None if np.isnan(found) else found


def _matrix(measure: str, stack: Array64, seen: Mask, share: float = 0.2) -> Array64:
    if measure == "spearman":
        return _by_rank(stack, seen)
    if measure == "ssim":
        return _by_structure(stack, seen)
    return _by_top(stack, seen, share)


def _by_rank(stack: Array64, seen: Mask) -> Array64:
    from scipy.stats import rankdata

    n = len(stack)
    if not seen.any():
        return np.full((n, n), np.nan)
    ranks = np.stack([rankdata(one[seen]) for one in stack])
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", ranks, ranks))
    with np.errstate(invalid="ignore"):
        ranks /= length[:, None]  # 0/0 where a map has no order
    found = np.clip(ranks @ ranks.T, -1, 1)
    found[np.diag_indices(n)] = np.where(length > 0, 1, np.nan)
    return found


def _by_structure(stack: Array64, seen: Mask) -> Array64:
    from scipy.ndimage import minimum_filter

    n = len(stack)
    _check_unit(stack[:, seen])
    found = np.full((n, n), np.nan)
    if stack.ndim != 3:
        raise CamcoreError(
            f"A map of shape {stack.shape[1:]} has no structure to compare. SSIM needs a height and a width. "
            "Give maps (h, w)."
        )
    if min(seen.shape) < SSIM_WINDOW:
        return found
    whole = minimum_filter(seen.view(np.uint8), SSIM_WINDOW, mode="constant").astype(bool)  # centres of whole windows
    if not whole.any():
        return found
    from skimage.metrics import structural_similarity

    filled = np.where(seen, stack, 0)
    for i in range(n):
        found[i, i] = 1
        for j in range(i):
            _, local = structural_similarity(
                filled[i], filled[j], data_range=1, gaussian_weights=True, use_sample_covariance=False, full=True
            )
            found[i, j] = found[j, i] = np.clip(local[whole].mean(), -1, 1)
    return found


def _by_top(stack: Array64, seen: Mask, share: float) -> Array64:
    tops = [_top(one[seen], share) for one in stack]
    n = len(tops)
    found = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(i + 1):
            either = np.count_nonzero(tops[i] | tops[j])
            if tops[i].any() and tops[j].any():
                found[i, j] = found[j, i] = np.count_nonzero(tops[i] & tops[j]) / either
    return found


def _top(cells: Array64, share: float) -> Mask:
    """Which of the cells (m,) belong to the map's top; none where all are equal."""
    top = np.zeros(cells.shape, bool)
    if not len(cells):
        return top
    ties = np.random.default_rng(_TIE_SEED).permutation(len(cells))
    highest = np.lexsort((ties, -cells))[: max(1, round(share * len(cells)))]
    top[highest] = True
    top &= cells > cells.min()
    return top


def _ranked(array: Array64, seen: Mask) -> Array64:
    from scipy.stats import rankdata

    ranks = np.full(array.shape, np.nan)
    count = np.count_nonzero(seen)
    if count:
        ranks[seen] = (rankdata(array[seen]) - 1) / (count - 1) if count > 1 else 0.5
    return ranks


# ---- checks


def _stack(maps: Maps) -> Array64:
    arrays = [np.asarray(one, np.float64) for one in maps]
    if not arrays:
        raise CamcoreError("There is no map to compare. A comparison needs at least one. Compute a map first.")
    for one in arrays:
        if one.shape != arrays[0].shape:
            raise CamcoreError(
                f"Maps of shape {arrays[0].shape} and {one.shape} cannot be compared cell by cell. They need one "
                "raster. Use camcore.metrics.agreement.aligned to bring them to one."
            )
    return np.stack(arrays)


def _seen(stack: NDArray[np.floating]) -> Mask:
    return np.asarray(np.isfinite(stack).all(axis=0))


def _check_unit(values: Array64) -> None:
    slack = 1e-6  # float32 interpolation may end a rounding beyond the ends
    with np.errstate(invalid="ignore"):
        outside = (values < -slack) | (values > 1 + slack)
    if outside.any():
        raise CamcoreError(
            f"A value of {float(values[outside][0]):g} lies outside 0 to 1, so these are not a map's values. "
            "Give CamMap.values or rasters of them, not raw maps."
        )


def _size(size: tuple[int, ...]) -> str:
    return "×".join(map(str, size))
