"""The Score-CAM family: how strongly the class answers to what each channel lets through.

The work is masked forward passes, one per channel, taken in chunks and in the order of the channels' spatial
variance, so that Faster Score-CAM is a prefix of Score-CAM and every partial map is the best one so far.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def channel_order(A: Array) -> NDArray[np.intp]:
    """The channels of ``A`` (h, w, K) by falling variance over space; those constant over space left out.

    A constant channel gives no mask (its normalisation would divide by zero), so it takes no part. Ties keep
    the channels' order.
    """
    flat = A.reshape(-1, A.shape[-1])
    varies = flat.max(axis=0) > flat.min(axis=0)
    with np.errstate(invalid="ignore", over="ignore"):  # activations that overflow come last
        order = np.argsort(-flat.var(axis=0), kind="stable")
    return order[varies[order]]


def scorecam(A: Array, scores: Array, *, variant: str = "paper") -> Array:
    """raw = relu(Σ_k a_k A_k), a = softmax over channels of s_k (Wang 2020, algorithm 1).

    ``A``: activations (h, w, K) of the channels that were scored; ``scores``: s_k (K,), the class's logit on the
    input masked by the channel. The paper's baseline, the score of the black input, is the same for all
    channels and cancels in the softmax, so it is never computed.

    Differs from the authors' code, which takes the class's probability as s_k and no softmax over the channels
    (``variant="authors"``).
    """
    if scores.size == 0:
        return np.zeros(A.shape[:2], A.dtype)
    if variant == "authors":
        weights = scores
    else:
        weights = np.exp(scores - scores.max())
        weights = weights / weights.sum()
    return np.maximum(A @ weights.astype(A.dtype), 0)
