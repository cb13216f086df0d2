"""The gradient family: maps from a layer's activations and the gradient of the class's logit.

Every function takes ``A``, the activations (h, w, K), and ``G`` = ∂y_c/∂A of the same shape, where y_c is the
logit, and returns the raw map (h, w) on the layer's own grid, not divided by its maximum. All of them share one
forward and one backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from camcore.methods.info import MethodInfo, variant
from camcore.methods.inputs import Array, Gradients, LinearHeadGradients


def cam(A: Array, G: Array) -> Array:
    """raw = Σ_k W_kc A_k, signed (Zhou 2016, equation 2).

    Only behind a global average pooling and a linear head. There ∂y_c/∂A_kij = W_kc / (h·w) at every place, so
    the weights are read off the gradient; mean(raw) + offset = y_c exactly, the offset being the head's bias.
    """
    return A @ cam_weights(A, G)


def cam_weights(A: Array, G: Array) -> Array:
    """W_kc, (K,)."""
    return G[0, 0] * (A.shape[0] * A.shape[1])


def gradcam(A: Array, G: Array) -> Array:
    """raw = relu(Σ_k w_k A_k) with w_k = mean_ij G_kij (Selvaraju 2017, equations 1 and 2; their Z is h·w)."""
    return np.maximum(A @ gradcam_weights(A, G), 0)


def gradcam_weights(A: Array, G: Array) -> Array:
    """w_k = mean_ij G_kij, (K,)."""
    return over_cells(G).mean(axis=0)


def gradcam_plus_plus(A: Array, G: Array, *, variant: str = "paper") -> Array:
    """raw = relu(Σ_k w_k A_k) with w_k = Σ_ij α_kij relu(G_kij) (Chattopadhay 2018, equations 10 to 19).

    With Y = exp(y_c) the exponential cancels in α = G² / (2 G² + S_k G³), S_k = Σ_ab A_kab, and only scales w,
    so it is never computed. Where G > 0 this is α = 1 / (2 + S_k G); elsewhere relu(G) is 0. α is 0 where its
    denominator is.

    Differs from the authors' code, which divides α by its sum over the places where G > 0
    (``variant="authors"``).
    """
    return np.maximum(A @ gradcam_plus_plus_weights(A, G, variant=variant), 0)


def gradcam_plus_plus_weights(A: Array, G: Array, *, variant: str = "paper") -> Array:
    """w_k = Σ_ij α_kij relu(G_kij), (K,)."""
    g, total = over_cells(G), over_cells(A).sum(axis=0)
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
    return weights


def gradcam_plus_plus_caution(A: Array, G: Array, *, variant: str = "paper") -> str | None:
    """Caution: denominators that change their sign make the weights arbitrary."""
    total = over_cells(A).sum(axis=0)
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


def hirescam_weights(A: Array, G: Array) -> Array:
    """G itself, (h, w, K)."""
    return G


def elementwise(A: Array, G: Array) -> Array:
    """raw = Σ_k relu(G_k ⊙ A_k) (Pillai 2021; in pytorch-grad-cam as GradCAMElementWise)."""
    a, g = over_cells(A), over_cells(G)
    raw = np.empty(len(a), np.result_type(a, g))
    for cells in _blocks(a):
        product = g[cells] * a[cells]
        raw[cells] = np.einsum("ik->i", np.maximum(product, 0, out=product))
    return raw.reshape(A.shape[:2])


def elementwise_weights(A: Array, G: Array) -> Array:
    """G where it speaks for the class, (h, w, K)."""
    return np.where(G * A > 0, G, 0)


def xgradcam(A: Array, G: Array) -> Array:
    """raw = relu(Σ_k w_k A_k) with w_k = Σ_ij (A_kij / Σ_ab A_kab) G_kij (Fu 2020, equation 9).

    Where Σ_ab A_kab ≤ 0, as layers without ReLU have it, the ratio explodes; w_k is 0 there.
    """
    return np.maximum(A @ xgradcam_weights(A, G), 0)


def xgradcam_weights(A: Array, G: Array) -> Array:
    """w_k, (K,)."""
    total = over_cells(A).sum(axis=0)
    weighted = np.einsum("ijk,ijk->k", G, A)
    return np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)


def xgradcam_caution(A: Array, G: Array) -> str | None:
    """Caution: channels that XGrad-CAM cannot weigh."""
    flat = over_cells(A)
    silent = flat.sum(axis=0) <= 0
    left_out = int(np.count_nonzero(flat[:, silent].any(axis=0)))
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
    a, g = over_cells(A), over_cells(G)
    raw = np.empty(len(a), np.result_type(a, g))
    for cells in _blocks(a):
        np.einsum("ik,ik->i", np.maximum(g[cells], 0), a[cells], out=raw[cells])
    return np.maximum(raw, 0).reshape(A.shape[:2])


def layercam_weights(A: Array, G: Array) -> Array:
    """relu(G), (h, w, K)."""
    return np.maximum(G, 0)


def over_cells(array: Array) -> Array:
    """(h, w, K) as (h·w, K), without a copy."""
    return array.reshape(-1, array.shape[-1])


def _blocks(flat: Array) -> Iterator[slice]:
    """Runs of cells small enough that what is computed of them stays in the processor's cache: 2 to 3 × faster."""
    rows = max(1, 65_536 // flat.shape[1])
    return (slice(start, start + rows) for start in range(0, len(flat), rows))


AG = ("activations", "gradients")
SHARED = "one forward and one backward pass, shared by the whole gradient family"

ROWS = (
    MethodInfo(
        key="cam",
        title="CAM",
        class_name="CAM",
        family="gradient",
        input=LinearHeadGradients(),
        paper="Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016",
        year=2016,
        equation="equation 2",
        url="https://arxiv.org/abs/1512.04150",
        needs=(*AG, "global average pooling and a linear head"),
        cost=SHARED,
        signed=True,
        summary="The exact split of the class score over the places: evidence for and against adds up to it.",
        strengths="Exact: the map adds up to the class's logit, with the evidence against it.",
        weaknesses="Needs a global average pooling and one linear layer; only at the layer before it.",
        compute=cam,
        weights=cam_weights,
        adds_up="mean",
    ),
    MethodInfo(
        key="gradcam",
        title="Grad-CAM",
        class_name="GradCAM",
        family="gradient",
        input=Gradients(),
        paper="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks, ICCV 2017",
        year=2017,
        equation="equations 1 and 2",
        url="https://arxiv.org/abs/1610.02391",
        needs=AG,
        cost=SHARED,
        signed=False,
        summary="Where the channels that raise the class score are active; the usual first choice.",
        strengths="Cheap, for any layer and network, well studied; sensitive to the class and to the weights.",
        weaknesses="Averages the gradient over places, so it can light up places that the score did not use.",
        compute=gradcam,
        weights=gradcam_weights,
    ),
    MethodInfo(
        key="gradcam++",
        title="Grad-CAM++",
        class_name="GradCAMPlusPlus",
        family="gradient",
        input=Gradients(),
        paper="Chattopadhay et al., Grad-CAM++: Improved Visual Explanations, WACV 2018",
        year=2018,
        equation="equations 10 to 19",
        url="https://arxiv.org/abs/1710.11063",
        needs=AG,
        cost=SHARED,
        signed=False,
        summary="Grad-CAM that gives small or repeated objects of the class their share.",
        strengths="Covers several objects of one class more evenly.",
        weaknesses="Its weights depend little on the class; only positive gradients count.",
        compute=gradcam_plus_plus,
        weights=gradcam_plus_plus_weights,
        caution=gradcam_plus_plus_caution,
        options=variant("paper", "authors"),
    ),
    MethodInfo(
        key="hirescam",
        title="HiResCAM",
        class_name="HiResCAM",
        family="gradient",
        input=Gradients(),
        paper="Draelos and Carin, Use HiResCAM instead of Grad-CAM, 2020",
        year=2020,
        equation="equation 3",
        url="https://arxiv.org/abs/2011.08891",
        needs=AG,
        cost=SHARED,
        signed=True,
        summary="Each place weighed by its own gradient: places that the score really used, for and against.",
        strengths="Faithful place by place: behind a linear head it adds up to the logit.",
        weaknesses="Grainier than Grad-CAM where the head behind the layer is deep.",
        compute=hirescam,
        weights=hirescam_weights,
        adds_up="sum",
    ),
    MethodInfo(
        key="elementwise",
        title="Element-wise Grad-CAM",
        class_name="ElementWiseGradCAM",
        family="gradient",
        input=Gradients(),
        paper="Pillai and Pirsiavash, Explainable Models with Consistent Interpretations, AAAI 2021",
        year=2021,
        equation="its rectified product",
        url="https://ojs.aaai.org/index.php/AAAI/article/view/16344",
        needs=AG,
        cost=SHARED,
        signed=False,
        summary="As HiResCAM, but only what speaks for the class counts, channel by channel.",
        strengths="Keeps weak positive evidence that cancels elsewhere.",
        weaknesses="Never shows what speaks against the class, so it covers more than the score used.",
        compute=elementwise,
        weights=elementwise_weights,
    ),
    MethodInfo(
        key="xgradcam",
        title="XGrad-CAM",
        class_name="XGradCAM",
        family="gradient",
        input=Gradients(),
        paper="Fu et al., Axiom-based Grad-CAM, BMVC 2020",
        year=2020,
        equation="equation 9",
        url="https://arxiv.org/abs/2008.02312",
        needs=AG,
        cost=SHARED,
        signed=False,
        summary="Grad-CAM whose channel weights count a gradient where the channel is active.",
        strengths="Meets the axioms of sensitivity and conservation better than Grad-CAM.",
        weaknesses="Meant for layers behind a ReLU; leaves out channels that sum to nothing.",
        compute=xgradcam,
        weights=xgradcam_weights,
        caution=xgradcam_caution,
    ),
    MethodInfo(
        key="layercam",
        title="LayerCAM",
        class_name="LayerCAM",
        family="gradient",
        input=Gradients(),
        paper="Jiang et al., LayerCAM: Exploring Hierarchical Class Activation Maps, TIP 2021",
        year=2021,
        equation="equations 5 and 6",
        url="https://doi.org/10.1109/TIP.2021.3089943",
        needs=AG,
        cost=SHARED,
        signed=False,
        summary="Place-wise positive gradients: stays meaningful at early layers, for fine detail.",
        strengths="Sharp at early layers too; good for boundaries and for fusing depths.",
        weaknesses="Only positive gradients count, so it flatters every class.",
        compute=layercam,
        weights=layercam_weights,
    ),
)
