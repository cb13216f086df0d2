"""Agreement of maps: on one common raster, by rank, by structure, and at their top.

Arrays are rasters or grids of one shape, ``values`` in 0..1 unless said; cells that are NaN in either of two maps (of
any, where there are several) take no part. A figure that is not defined for a pair is None (NaN in a matrix), never
0: ``why_undefined`` says in words why.

A map that is the same everywhere, the empty one above all, puts no place before another. So it has no rank
correlation and no top. Its SSIM is defined, and is scikit-image's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from camcore.checks import checked, flag, many, numbers, one_of, shown
from camcore.checks import max_side as a_side
from camcore.errors import CamcoreError
from camcore.heatmaps.arguments import maps as several_maps
from camcore.heatmaps.cam_map import CamMap
from camcore.metrics.similarity import (
    SSIM_WINDOW,
    TOP_SHARE,
    Array64,
    Mask,
    Measure,
    check_unit,
    ranked,
    similarity,
)
from camcore.text import sides

Maps = Sequence[ArrayLike] | NDArray[np.floating]

MEASURES: tuple[Measure, ...] = ("spearman", "ssim", "top_iou")

a_measure = one_of(*MEASURES, kind="measure")

# The raster of a comparison: finer than any late layer's grid, small enough for many maps at once.
COMMON_SIDE = 224


@dataclass(frozen=True, eq=False)
class AlignedMaps:
    """Maps of one picture on one raster.

    ``rasters``: float32 (n, H, W), each map's ``values`` in 0..1, NaN where any of the networks did not look.
    ``seen``: (H, W), True where all of them did.
    """

    rasters: NDArray[np.float32]
    seen: Mask


@dataclass(frozen=True, eq=False)
class Consensus:
    """The consensus of several maps: (H, W) float64 each, NaN where any map has no value.

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


def _a_share(name: str, value: object) -> float:
    """A part of a map's cells, above 0 and below 1."""
    if isinstance(value, (int, float, np.number)) and 0 < value < 1:
        return float(value)
    raise CamcoreError(
        f"The top {shown(value)} of a map is not a part of it. The share lies above 0 and below 1. Give 0.2, perhaps."
    )


@checked(maps=several_maps, max_side=a_side, smooth=flag)
def aligned(maps: Sequence[CamMap], max_side: int | None = COMMON_SIDE, smooth: bool = True) -> AlignedMaps:
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
                f"Maps of a picture of {sides(first)} and of one of {sides(m.frame.picture_size)} cannot be compared: "
                "they are of different pictures. Give maps of one picture."
            )
    rasters = np.stack([m.on_picture(smooth, max_side) for m in maps])
    seen = _seen(rasters)
    rasters[:, ~seen] = np.nan
    return AlignedMaps(rasters, seen)


# ---- two maps


@checked(a=numbers, b=numbers)
def spearman(a: ArrayLike, b: ArrayLike) -> float | None:
    """Spearman's rank correlation of two maps, −1..1; ties have their mean rank.

    Depends on the order of the cells only, so any strictly increasing function of a map leaves it as it is. None
    where either map is the same everywhere (the covariance is divided by a spread of 0), or no cells are common.

    Spearman, The Proof and Measurement of Association between Two Things, 1904.
    """
    return _pair("spearman", a, b)


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
    return _pair("ssim", a, b)


@checked(a=numbers, b=numbers, share=_a_share)
def top_iou(a: ArrayLike, b: ArrayLike, share: float = TOP_SHARE) -> float | None:
    """Intersection over union of the two maps' highest cells, 0..1.

    The top is the ``share`` of the common cells (rounded, at least one) with the highest values. Cells of one value
    that only in part belong to it are taken in one fixed random order, the same for all maps, not in the order of
    the pixels. A cell at the map's minimum is never in its top: of a map that is zero nearly everywhere the top is
    what is above zero, else two such maps would agree on their zeros. None where either map is the same everywhere
    (it has no top), or no cells are common.

    Raises CamcoreError for a share that is not above 0 and below 1.
    """
    return _pair("top_iou", a, b, share)


@checked(a=numbers, b=numbers)
def difference(a: ArrayLike, b: ArrayLike) -> Array64:
    """``a − b`` of two maps in 0..1: float64, −1..1, NaN where either has no value.

    Raises CamcoreError where shapes differ or values leave 0..1.
    """
    stack = _stack([a, b])
    check_unit(stack)
    return np.clip(stack[0] - stack[1], -1, 1)


@checked(a=numbers, b=numbers, measure=a_measure)
def why_undefined(a: ArrayLike, b: ArrayLike, measure: Measure = "spearman") -> str | None:
    """The reason why ``measure`` is None for these two maps, in words; None where it is defined."""
    stack = _stack([a, b])
    seen = _seen(stack)
    if np.isfinite(similarity(measure, stack, seen)[0, 1]):
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


@checked(maps=many(numbers), measure=a_measure, share=_a_share)
def agreement_matrix(maps: Maps, measure: Measure = "spearman", share: float = TOP_SHARE) -> AgreementMatrix:
    """A measure for every pair of n maps: all over the same cells, those that every map has.

    ``measure``: one of MEASURES; ``share`` is for ``top_iou``. The diagonal is 1, NaN where undefined.
    Raises CamcoreError for another measure, no map, or differing shapes.
    """
    stack = _stack(maps)
    return AgreementMatrix(measure, similarity(measure, stack, _seen(stack), share))


@checked(a=numbers)
def rank_normalised(a: ArrayLike) -> Array64:
    """Each cell's rank among the cells that are not NaN, 0 (lowest) to 1 (highest), float64 of the same shape.

    Ties have their mean rank, so a map that is the same everywhere is 0.5 everywhere: no place before another.
    """
    array = np.asarray(a, np.float64)
    return ranked(array, np.isfinite(array))


@checked(maps=many(numbers))
def consensus(maps: Maps) -> Consensus:
    """Mean and spread of the rank-normalised maps, cell by cell, over the cells that every map has.

    Ranks, because maps of different methods share no unit: only the order of the places is comparable.
    Raises CamcoreError where there is no map, or shapes differ.
    """
    stack = _stack(maps)
    seen = _seen(stack)
    ranks = np.stack([ranked(one, seen) for one in stack])
    return Consensus(ranks.mean(axis=0), ranks.std(axis=0))


# ---- one map


@checked(values=numbers)
def peakedness(values: ArrayLike) -> float:
    """Concentration of a map on few cells: its Gini coefficient, 0 (flat) to 1 (all of it on one cell).

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


# ---- shared by all


def _pair(measure: Measure, a: ArrayLike, b: ArrayLike, share: float = TOP_SHARE) -> float | None:
    stack = _stack([a, b])
    value = float(similarity(measure, stack, _seen(stack), share)[0, 1])
    return None if np.isnan(value) else value


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
