"""Recurring parts of what a class rests on: cells with alike activations in many of its pictures.

A cue is a part of its pictures only, and it may move about. The evidence of a whole picture mixes it with the object
beside it; the cells that the map is brightest at do not. So these cells are clustered, all pictures' together, and the
pictures with a cell in a cluster are its members, whatever else they show.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camcore.audits.clustering import directions
from camcore.graph.blas import one_thread

Array32 = NDArray[np.float32]

CELLS = 6
"""Cells of a picture that count: the brightest of its map."""
NUMBERS = (4, 8, 16)
"""Clusters that the cells are divided into, each time anew: a cue may be one of a few parts, or of many."""
LEAST = 6
"""Pictures that share a part."""

_DIMENSIONS = 32
_STARTS = 3
_SAME = 0.6  # of two parts' pictures, by which they are one


@dataclass(frozen=True, eq=False)
class Part:
    """Pictures with alike cells. ``members``: places among the pictures; ``cells``: of each, (row, column), (m, 2).

    The brightest cell of the map comes first.
    ``tightness``: the mean cosine between its cells, less that to the others.
    """

    members: NDArray[np.int64]
    cells: tuple[NDArray[np.int64], ...]
    tightness: float


def find_parts(A: NDArray[np.floating], maps: Array32, seed: int = 0) -> list[Part]:
    """The parts of activations (n, h, w, K) with their maps (n, h, w), the tightest first; of those alike one."""
    n, h, w, K = A.shape
    count = min(CELLS, h * w)
    brightest = np.argsort(-maps.reshape(n, -1), axis=1, kind="stable")[:, :count]
    chosen = A.reshape(n, h * w, K)[np.arange(n)[:, None], brightest].astype(np.float32)
    lit = np.take_along_axis(maps.reshape(n, -1), brightest, axis=1) > 0
    vectors = directions(chosen.reshape(-1, K))
    lit &= vectors.any(axis=1).reshape(n, count)
    points, everywhere = _components(vectors[lit.ravel()], seed), np.full((n, count), -1)
    found: list[tuple[float, Part]] = []
    for number in NUMBERS:
        if len(points) < number * LEAST:
            break
        cluster = everywhere.copy()
        cluster[lit] = _k_means(points, number, seed)
        found += [
            (one.tightness, one)
            for one in (_part(cluster == group, brightest, vectors, lit, w) for group in range(number))
            if one is not None
        ]
    found.sort(key=lambda one: -one[0])
    distinct: list[Part] = []
    for _, one in found:
        if not any(_overlap(one, other) > _SAME for other in distinct):
            distinct.append(one)
    return distinct


def _components(vectors: Array32, seed: int) -> Array32:
    from sklearn.decomposition import PCA

    if len(vectors) < 2:
        return vectors
    with one_thread(), np.errstate(invalid="ignore"):
        fitted = PCA(min(_DIMENSIONS, *vectors.shape), random_state=seed).fit_transform(vectors)
    return np.asarray(fitted, np.float32)


def _k_means(points: Array32, number: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with (
        one_thread(),
        threadpool_limits(1, user_api="openmp"),
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),  # of fewer different cells than parts
    ):
        return np.asarray(KMeans(number, n_init=_STARTS, random_state=seed).fit(points).labels_, np.int64)


def _part(
    inside: NDArray[np.bool_], brightest: NDArray[np.int64], vectors: Array32, lit: NDArray[np.bool_], width: int
) -> Part | None:
    members = np.flatnonzero(inside.any(axis=1))
    if len(members) < LEAST:
        return None
    cells = tuple(np.stack(np.divmod(brightest[place][inside[place]], width), axis=1) for place in members)
    own, others = vectors[inside.ravel()], vectors[(lit & ~inside).ravel()]
    total = own.sum(axis=0, dtype=np.float64)
    alike = (total @ total - len(own)) / (len(own) * (len(own) - 1))
    beside = total @ others.sum(axis=0, dtype=np.float64) / (len(own) * len(others)) if len(others) else 0.0
    return Part(members, cells, float(alike - beside))


def _overlap(one: Part, other: Part) -> float:
    """The pictures that two parts share, as a share of those that either has."""
    shared = len(np.intersect1d(one.members, other.members))
    return shared / (len(one.members) + len(other.members) - shared)
