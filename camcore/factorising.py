"""Non-negative matrix factorisation, V ≈ S P: deterministic, in sweeps, so that it can be shown and stopped.

Starts from the singular vectors (NNDSVD: Boutsidis and Gallopoulos, Pattern Recognition 2008) and then solves for one
column of S, one row of P after the other, which is exact for each (hierarchical alternating least squares: Cichocki
and Phan, IEICE Transactions 2009). The error never rises from one sweep to the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camcore.blas import one_thread
from camcore.errors import CamcoreError

Array = NDArray[Any]

SWEEPS = 400
# A sweep that lessens the error by less than this share of V's size is the last one.
TOLERANCE = 1e-6

_OVERSAMPLING = 8
_POWER_STEPS = 4


@dataclass(frozen=True, eq=False)
class Factors:
    """V (n, m) ≈ weights (n, k) · parts (k, m), all non-negative; rows of ``parts`` have length 1, or are zero.

    error: ‖V − SP‖ / ‖V‖, 0..1. sweeps: how many were made; done: none will follow.
    """

    weights: Array
    parts: Array
    error: float
    sweeps: int
    done: bool


def factorise(V: Array, k: int, seed: int = 0, sweeps: int = SWEEPS, every: int = 10) -> Iterator[Factors]:
    """Factorise ``V`` (n, m) ≥ 0 into ``k`` parts; the Factors after every ``every`` sweeps, the last one done.

    Parts are in the order of what they add to V, largest first. Raises CamcoreError at the call where V has a
    negative or non-finite value, or k is less than 1 or more than V has rows or columns.
    """
    if V.ndim != 2 or not np.isfinite(V).all() or (V < 0).any():
        raise CamcoreError(
            "Only finite values that are not negative have a non-negative factorisation. Rectify them first: max(V, 0)."
        )
    if not 1 <= k <= min(V.shape):
        raise CamcoreError(
            f"{k} concepts cannot be told apart in {V.shape[0]} places of {V.shape[1]} channels. Choose 1 to "
            f"{min(V.shape)}."
        )
    return _swept(V if V.dtype == np.float64 else V.astype(np.float32), k, seed, sweeps, every)


def _swept(V: Array, k: int, seed: int, sweeps: int, every: int) -> Iterator[Factors]:
    size = float(np.sqrt((V * V).sum(dtype=np.float64)))
    with one_thread():
        S, P = _start(V, k, seed)
    before, sweep, ended = 1.0, 0, size == 0
    while True:
        with one_thread():
            for _ in range(0 if ended else every):
                _improve(S, V @ P.T, P @ P.T)
                _improve(P.T, V.T @ S, S.T @ S)
                sweep, after = sweep + 1, _error(V, S, P, size)
                ended = sweep >= sweeps or before - after < TOLERANCE
                if ended:
                    break
                before = after
            found = _ordered(S, P, _error(V, S, P, size), sweep, ended)
        yield found
        if ended:
            return


def _improve(X: Array, target: Array, gram: Array) -> None:
    """Minimise ‖V − X Y‖ over X ≥ 0, column after column, in place; ``target``: V Yᵀ, ``gram``: Y Yᵀ."""
    for j in range(X.shape[1]):
        if gram[j, j] > 0:
            X[:, j] = np.maximum(X[:, j] + (target[:, j] - X @ gram[:, j]) / gram[j, j], 0)


def _error(V: Array, S: Array, P: Array, size: float) -> float:
    return float(np.linalg.norm((V - S @ P).ravel())) / size if size else 0.0


def _start(V: Array, k: int, seed: int) -> tuple[Array, Array]:
    """NNDSVD: of each singular pair the sign under which both sides are largest; zeros become a little."""
    U, values, Vt = _leading(V, k, seed)
    S, P = np.zeros((V.shape[0], k), V.dtype), np.zeros((k, V.shape[1]), V.dtype)
    for j in range(k):
        sides = [(np.maximum(sign * U[:, j], 0), np.maximum(sign * Vt[j], 0)) for sign in (1, -1)]
        sizes = [float(np.linalg.norm(u) * np.linalg.norm(v)) for u, v in sides]
        (u, v), share = (sides[0], sizes[0]) if sizes[0] >= sizes[1] else (sides[1], sizes[1])
        if share > 0:
            scale = np.sqrt(values[j] * share)
            S[:, j], P[j] = scale * u / np.linalg.norm(u), scale * v / np.linalg.norm(v)
    little = float(V.mean()) / 100
    S[S == 0], P[P == 0] = little, little
    return S, P


def _leading(V: Array, k: int, seed: int) -> tuple[Array, Array, Array]:
    """The first k singular vectors, by seeded subspace iteration (Halko, Martinsson and Tropp, SIAM Review 2011)."""
    rng = np.random.default_rng(seed)
    width = min(k + _OVERSAMPLING, *V.shape)
    Q = V @ rng.standard_normal((V.shape[1], width)).astype(V.dtype)
    for _ in range(_POWER_STEPS):
        Q = np.linalg.qr(V @ (V.T @ np.linalg.qr(Q)[0]))[0]
    U, values, Vt = np.linalg.svd(Q.T @ V, full_matrices=False)
    return Q @ U[:, :k], values[:k], Vt[:k]


def _ordered(S: Array, P: Array, error: float, sweep: int, ended: bool) -> Factors:
    length = np.linalg.norm(P, axis=1)
    scale = np.where(length > 0, length, 1)
    weights, parts = S * scale, P / scale[:, np.newaxis]
    order = np.argsort(-np.linalg.norm(weights, axis=0) * (length > 0), kind="stable")
    return Factors(weights[:, order], parts[order], error, sweep, ended)
