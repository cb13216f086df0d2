"""Non-negative matrix factorisation V ≈ S P by scikit-learn: deterministic, in parts that can be shown and stopped."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.graph.blas import one_thread

Array = NDArray[np.floating]

SWEEPS = 400
# A sweep that lessens the error by less than this share of V's size, on average over a part, is the last one.
TOLERANCE = 1e-6


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

    Coordinate descent from NNDSVD (Boutsidis and Gallopoulos, Pattern Recognition 2008), as scikit-learn's NMF; each
    part takes up where the last one ended. Parts are in the order of what they add to V, largest first. Raises
    CamcoreError at the call where V has a negative or non-finite value, or k is less than 1 or more than V has rows
    or columns.
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
    if size == 0:
        yield Factors(np.zeros((V.shape[0], k), V.dtype), np.zeros((k, V.shape[1]), V.dtype), 0.0, 0, True)
        return
    S: Array | None = None
    P: Array | None = None
    before, sweep = 1.0, 0
    while True:
        count = min(every, sweeps - sweep)
        S, P = _improved(V, k, seed, count, S, P)
        sweep += count
        error = float(np.linalg.norm((V - S @ P).ravel())) / size
        ended = sweep >= sweeps or before - error < TOLERANCE * count
        yield _ordered(S, P, error, sweep, ended)
        if ended:
            return
        before = error


def _improved(V: Array, k: int, seed: int, sweeps: int, S: Array | None, P: Array | None) -> tuple[Array, Array]:
    """Further sweeps from S and P, or the first ones."""
    from sklearn.decomposition import non_negative_factorization
    from sklearn.exceptions import ConvergenceWarning

    start = "nndsvda" if S is None else "custom"
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a part is not meant to converge
        S, P, _ = non_negative_factorization(
            V, W=S, H=P, n_components=k, init=start, tol=0, max_iter=sweeps, random_state=seed
        )
    assert S is not None
    assert P is not None
    return S, P


def _ordered(S: Array, P: Array, error: float, sweep: int, ended: bool) -> Factors:
    length = np.linalg.norm(P, axis=1)
    scale = np.where(length > 0, length, 1)
    weights, parts = S * scale, P / scale[:, np.newaxis]
    order = np.argsort(-np.linalg.norm(weights, axis=0) * (length > 0), kind="stable")
    return Factors(weights[:, order], parts[order], error, sweep, ended)
