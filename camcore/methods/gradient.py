"""The gradient family: maps from a layer's activations and the gradient of the class's logit.

Every function takes ``A``, the activations (h, w, K), and ``G`` = ∂y_c/∂A of the same shape, where y_c is the
logit, and returns the raw map (h, w) on the layer's own grid, not divided by its maximum. All of them share one
forward and one backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def cam(A: Array, G: Array) -> Array:
    """raw = Σ_k W_kc A_k, signed (Zhou 2016, equation 2).

    Only behind a global average pooling and a linear head. There ∂y_c/∂A_kij = W_kc / (h·w) at every place, so
    the weights are read off the gradient; mean(raw) + offset = y_c exactly, the offset being the head's bias.
    """
    cells = A.shape[0] * A.shape[1]
    return A @ (G[0, 0] * cells)


def gradcam(A: Array, G: Array) -> Array:
    """raw = relu(Σ_k w_k A_k) with w_k = mean_ij G_kij (Selvaraju 2017, equations 1 and 2; their Z is h·w)."""
    return np.maximum(A @ _over_cells(G).mean(axis=0), 0)


def gradcam_plus_plus(A: Array, G: Array, *, variant: str = "paper") -> Array:
    """raw = relu(Σ_k w_k A_k) with w_k = Σ_ij α_kij relu(G_kij) (Chattopadhay 2018, equations 10 to 19).

    With Y = exp(y_c) the exponential cancels in α = G² / (2 G² + S_k G³), S_k = Σ_ab A_kab, and only scales w,
    so it is never computed. Where G > 0 this is α = 1 / (2 + S_k G); elsewhere relu(G) is 0. α is 0 where its
    denominator is.

    Differs from the authors' code, which divides α by its sum over the places where G > 0
    (``variant="authors"``).
    """
    g, total = _over_cells(G), _over_cells(A).sum(axis=0)
    if variant == "authors":
        positive = np.maximum(g, 0)
        denominator = 2 + total * g  # G² taken out of the fraction, also where G < 0
        alpha = np.divide(1, denominator, out=np.zeros_like(g), where=(denominator != 0) & (g != 0))
        norm = np.where(g > 0, alpha, 0).sum(axis=0)
        alpha = alpha / np.where(norm == 0, 1, norm)
        weights = (alpha * positive).sum(axis=0)
    else:
        weights = np.zeros_like(total)
        can_be_zero = total.min() < 0  # of the denominators
        for cells in _blocks(g):
            positive = np.maximum(g[cells], 0)
            denominator = positive * total
            denominator += 2
            if can_be_zero:
                positive[denominator == 0] = 0
                denominator[denominator == 0] = 1
            positive /= denominator
            weights += positive.sum(axis=0)
    return np.maximum(A @ weights, 0)


def gradcam_plus_plus_caution(A: Array, G: Array, *, variant: str = "paper") -> str | None:
    """What to beware of: denominators that change their sign make the weights arbitrary."""
    total = _over_cells(A).sum(axis=0)
    if variant == "paper" and total.min() >= 0:
        return None
    denominator = 2 + total * (G if variant == "authors" else np.maximum(G, 0))
    share = float(np.mean(denominator <= 0))
    if share > 0.01:
        return (
            f"Badly conditioned: the weights of Grad-CAM++ divide by numbers that change sign "
            f"(at {share:.0%} of the places). Compare with LayerCAM or a later layer."
        )
    return None


def hirescam(A: Array, G: Array) -> Array:
    """raw = Σ_k G_k ⊙ A_k, signed (Draelos 2020). Other libraries rectify it.

    Behind Flatten → Dense, Σ_ij raw + b_c = y_c exactly.
    """
    return np.einsum("ijk,ijk->ij", G, A)


def elementwise(A: Array, G: Array) -> Array:
    """raw = Σ_k relu(G_k ⊙ A_k) (Pillai 2021; in pytorch-grad-cam as GradCAMElementWise)."""
    a, g = _over_cells(A), _over_cells(G)
    raw = np.empty(len(a), a.dtype)
    for cells in _blocks(a):
        product = g[cells] * a[cells]
        raw[cells] = np.maximum(product, 0, out=product).sum(axis=1)
    return raw.reshape(A.shape[:2])


def xgradcam(A: Array, G: Array) -> Array:
    """raw = relu(Σ_k w_k A_k) with w_k = Σ_ij (A_kij / Σ_ab A_kab) G_kij (Fu 2020, equation 9).

    Where Σ_ab A_kab ≤ 0, as layers without ReLU have it, the ratio explodes; w_k is 0 there.
    """
    total = _over_cells(A).sum(axis=0)
    weighted = np.einsum("ijk,ijk->k", G, A)
    weights = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)
    return np.maximum(A @ weights, 0)


def xgradcam_caution(A: Array, G: Array) -> str | None:
    """What to beware of: channels that XGrad-CAM cannot weigh."""
    flat = _over_cells(A)
    left_out = int(np.count_nonzero((flat.sum(axis=0) <= 0) & flat.any(axis=0)))
    if left_out:
        return (
            f"{left_out} of {A.shape[-1]} channels sum to zero or less and are left out: XGrad-CAM is meant for "
            "layers behind a ReLU."
        )
    return None


def layercam(A: Array, G: Array) -> Array:
    """raw = relu(Σ_k relu(G_k) ⊙ A_k) (Jiang 2021, equations 5 and 6).

    Their tanh scaling belongs to fusing shallow layers only and is not applied.
    """
    return np.maximum(np.einsum("ijk,ijk->ij", np.maximum(G, 0), A), 0)


def _over_cells(array: Array) -> Array:
    """(h, w, K) as (h·w, K), without a copy."""
    return array.reshape(-1, array.shape[-1])


def _blocks(flat: Array) -> Iterator[slice]:
    """Runs of cells small enough that what is computed of them stays in the processor's cache: 2 to 3 × faster."""
    rows = max(1, 65_536 // flat.shape[1])
    return (slice(start, start + rows) for start in range(0, len(flat), rows))
