"""Measures of likeness over n maps at once, of which a pair is the case n = 2; ``camcore.metrics.agreement`` checks.

A stack is float64 (n, …), ``seen`` the cells that take part; a result is (n, n), symmetric, NaN where undefined.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError

Array64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Measure = Literal["spearman", "ssim", "top_iou"]

# The Gaussian window of Wang et al. 2004, cut off as scikit-image does, is this many cells wide.
SSIM_WINDOW = 11

# The part of a map's cells that is its top, where nothing else is asked for.
TOP_SHARE = 0.2

# One order for all maps and all times, so that equal maps have equal tops.
_TIE_SEED = 0


def similarity(measure: Measure, stack: Array64, seen: Mask, share: float = TOP_SHARE) -> Array64:
    """The measure for every pair; ``share``: of ``top_iou``."""
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
    matrix = np.clip(ranks @ ranks.T, -1, 1)
    matrix[np.diag_indices(n)] = np.where(length > 0, 1, np.nan)
    return matrix


def _by_structure(stack: Array64, seen: Mask) -> Array64:
    from scipy.ndimage import minimum_filter

    n = len(stack)
    check_unit(stack[:, seen])
    matrix = np.full((n, n), np.nan)
    if stack.ndim != 3:
        raise CamcoreError(
            f"A map of shape {stack.shape[1:]} has no structure to compare. SSIM needs a height and a width. "
            "Give maps (h, w)."
        )
    if min(seen.shape) < SSIM_WINDOW:
        return matrix
    whole = minimum_filter(seen.view(np.uint8), SSIM_WINDOW, mode="constant").astype(bool)  # centres of whole windows
    if not whole.any():
        return matrix
    from skimage.metrics import structural_similarity

    filled = np.where(seen, stack, 0)
    for i in range(n):
        matrix[i, i] = 1
        for j in range(i):
            _, local = structural_similarity(
                filled[i], filled[j], data_range=1, gaussian_weights=True, use_sample_covariance=False, full=True
            )
            matrix[i, j] = matrix[j, i] = np.clip(local[whole].mean(), -1, 1)
    return matrix


def _by_top(stack: Array64, seen: Mask, share: float) -> Array64:
    tops = [_top(one[seen], share) for one in stack]
    n = len(tops)
    matrix = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(i + 1):
            either = np.count_nonzero(tops[i] | tops[j])
            if tops[i].any() and tops[j].any():
                matrix[i, j] = matrix[j, i] = np.count_nonzero(tops[i] & tops[j]) / either
    return matrix


def _top(cells: Array64, share: float) -> Mask:
    """The map's top among its cells (m,), True for each; none where all are equal."""
    top = np.zeros(cells.shape, bool)
    if not len(cells):
        return top
    ties = np.random.default_rng(_TIE_SEED).permutation(len(cells))
    highest = np.lexsort((ties, -cells))[: max(1, round(share * len(cells)))]
    top[highest] = True
    top &= cells > cells.min()
    return top


def ranked(array: Array64, seen: Mask) -> Array64:
    """The seen cells' ranks, 0..1, ties their mean rank; NaN elsewhere."""
    from scipy.stats import rankdata

    ranks = np.full(array.shape, np.nan)
    count = np.count_nonzero(seen)
    if count:
        ranks[seen] = (rankdata(array[seen]) - 1) / (count - 1) if count > 1 else 0.5
    return ranks


def check_unit(values: Array64) -> None:
    """Raise CamcoreError for values outside 0..1."""
    slack = 1e-6  # float32 interpolation may end a rounding beyond the ends
    with np.errstate(invalid="ignore"):
        outside = (values < -slack) | (values > 1 + slack)
    if outside.any():
        raise CamcoreError(
            f"A value of {float(values[outside][0]):g} lies outside 0 to 1, so these are not a map's values. "
            "Give CamMap.values or rasters of them, not raw maps."
        )
