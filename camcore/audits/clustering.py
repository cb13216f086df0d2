"""Division of evidence vectors into groups: k-means on their directions, and the number of groups that comes again.

The number of groups is the one that random halves of the pictures agree on best (stability, Lange et al., "Stability-
Based Validation of Clustering Solutions", Neural Computation 2004): for each number up to MOST, each of HALVES halves
is clustered, each clustering divides all pictures, and the divisions are compared in pairs by the adjusted Rand index.
Where the best number's mean is below AGREED, nothing comes again, and all is one group.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from camcore.graph.blas import one_thread

Array32 = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST = 8
"""Groups of a class."""
LEAST = 10
"""Pictures of a group, or LEAST_SHARE of the class where that is more; a smaller one joins the nearest."""
LEAST_SHARE = 0.01
AGREED = 0.5
"""The mean adjusted Rand index of halves below which there is one group."""
HALVES = 6
SEEDS = 5
"""Repetitions of the division with other starts, for its stability."""

_DIMENSIONS = 64  # principal components of the directions, in which distances are taken
_CHOOSING = 4_000  # pictures on which the number and the first centres are found
_STARTS_OF_HALVES, _STARTS = 10, 30  # of k-means, the best of which counts


@dataclass(frozen=True, eq=False)
class Division:
    """The centres of a class's groups, and how surely they come again.

    ``centres``: float32 (k, K), means of directions. ``halves``: the mean adjusted Rand index between divisions made
    from random halves; ``seeds``: between this division and those from other starts, one number each. 1.0 for a single
    group that was too small to be divided.
    """

    centres: Array32
    halves: float
    seeds: tuple[float, ...]


def directions(evidence: NDArray[np.floating]) -> Array32:
    """Evidence vectors (n, K) ÷ their norm; a vector of zeros stays as it is."""
    vectors = np.asarray(evidence, np.float32)
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norm, out=np.zeros_like(vectors), where=norm > 0)


def nearest_centre(vectors: Array32, centres: Array32) -> Ints:
    """The index of the centre nearest to each vector: (n,)."""
    return np.asarray(((centres**2).sum(axis=1) - 2 * vectors @ centres.T).argmin(axis=1), np.int64)


def similarity(vectors: Array32, to: Array32) -> Array32:
    """The cosine between directions (n, K) and vectors (n, K) or (K,): (n,); 0 where a vector is zero."""
    return np.asarray((vectors * directions(np.atleast_2d(to))).sum(axis=1), np.float32)


def divide(vectors: Array32, seed: int = 0) -> Division:
    """Divide directions (n, K), none of them zero, into groups."""
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    least = max(LEAST, round(LEAST_SHARE * len(vectors)))
    if len(vectors) < 2 * least:
        return Division(vectors.mean(axis=0, keepdims=True), 1.0, (1.0,) * SEEDS)
    components = PCA(min(_DIMENSIONS, *vectors.shape), random_state=seed)
    # k-means has threads of its own beside those of linear algebra: it takes far longer where all wait for each other.
    # Vectors that are all the same have no variance to be divided by.
    with one_thread(), threadpool_limits(1, user_api="openmp"), np.errstate(invalid="ignore"):
        return _divided(vectors, components.fit(vectors).transform(vectors).astype(np.float32), least, seed)


def _divided(vectors: Array32, points: Array32, least: int, seed: int) -> Division:
    """Divide directions by their principal components, the ``points`` (n, m)."""
    rng = np.random.default_rng(seed)
    chosen = points if len(points) <= _CHOOSING else points[rng.choice(len(points), _CHOOSING, replace=False)]
    agreement = {k: _agreement_of_halves(chosen, k, rng) for k in range(2, min(MOST, len(chosen) // least) + 1)}
    best = max(agreement, key=lambda k: (round(agreement[k], 2), k))
    if agreement[best] < AGREED:
        return Division(vectors.mean(axis=0, keepdims=True), agreement[best], (1.0,) * SEEDS)
    found = [_centres(points, chosen, best, least, int(start)) for start in rng.integers(1 << 31, size=1 + SEEDS)]
    labels = [nearest_centre(points, centres) for centres in found]
    means = [vectors[labels[0] == group].mean(axis=0) for group in range(len(found[0]))]
    return Division(np.stack(means), agreement[best], tuple(_rand(labels[0], other) for other in labels[1:]))


def _agreement_of_halves(points: Array32, k: int, rng: np.random.Generator) -> float:
    """The mean adjusted Rand index between the divisions into k groups that random halves of the points make."""
    divisions = []
    for _ in range(HALVES):
        half = points[rng.permutation(len(points))[: len(points) // 2]]
        divisions.append(nearest_centre(points, _k_means(half, k, int(rng.integers(1 << 31)), _STARTS_OF_HALVES)))
    return float(np.mean([_rand(one, other) for one, other in combinations(divisions, 2)]))


def _centres(points: Array32, chosen: Array32, k: int, least: int, seed: int) -> Array32:
    """The centres of k groups less those of groups that are too small: their members go to the nearest one left."""
    centres = _k_means(points, k, seed, _k_means(chosen, k, seed, _STARTS))
    while len(centres) > 1:
        sizes = np.bincount(nearest_centre(points, centres), minlength=len(centres))
        if sizes.min() >= least:
            break
        centres = np.delete(centres, sizes.argmin(), axis=0)
    return centres


def _k_means(points: Array32, k: int, seed: int, begin: int | Array32) -> Array32:
    """The centres of k groups: the best of so many random starts, or from centres given."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    begun = {"init": "k-means++", "n_init": begin} if isinstance(begin, int) else {"init": begin, "n_init": 1}
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # of fewer different points than k
        return np.asarray(KMeans(k, random_state=seed, **begun).fit(points).cluster_centers_, np.float32)


def _rand(one: Ints, other: Ints) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))
