"""Gradient methods with a score or a derivative of their own: what tells two classes apart, curvature, noise.

As in ``gradient``: ``A`` are a layer's activations (h, w, K), and the raw map (h, w) lies on the layer's grid.
"""

from __future__ import annotations

import numpy as np

from camcore.methods.gradient import AG, gradcam, gradcam_weights, over_cells
from camcore.methods.info import MethodInfo, Option, options, seed, variant
from camcore.methods.inputs import Array, ContrastGradients, Curvature, NoisyGradients


def finercam(A: Array, G: Array) -> Array:
    """Grad-CAM of s = Σ_d p_d (y_c − α y_d) / Σ_d p_d: raw = relu(Σ_k w_k A_k), w_k = mean_ij ∂s/∂A (Zhang 2025).

    ``G``: ∂s/∂A (h, w, K). d runs over the classes compared with: those given, or the three whose logits are nearest
    to y_c. The probabilities p_d are differentiated, too.
    """
    return gradcam(A, G)


def shapleycam(A: Array, G: Array, HA: Array) -> Array:
    """raw = relu(Σ_k w_k A_k) with w_k = mean_ij(G − ½ H·A)_kij (Cai 2025).

    ``HA`` (h, w, K): the Hessian of the class score in A times A. Behind a piecewise linear head it is zero and the
    map is Grad-CAM's. Variant ``rest``, as in the authors' repository: the score is y_c + log p_c.
    """
    return np.maximum(A @ shapleycam_weights(A, G, HA), 0)


def shapleycam_weights(A: Array, G: Array, HA: Array) -> Array:
    """w_k = mean_ij(G − ½ H·A)_kij, (K,)."""
    return over_cells(G - HA / 2).mean(axis=0)


def smoothgradcam_plus_plus(A: Array, G1: Array, G2: Array, G3: Array) -> Array:
    """Grad-CAM++ with G, G² and G³ each averaged over noisy copies of the input (Omeiza 2019).

    ``G1``, ``G2``, ``G3`` (h, w, K): those means; ``A``: the clean input's activations. raw = relu(Σ_k w_k A_k) with
    w_k = Σ_ij α_kij relu(G1_kij), α = G2 / (2 G2 + S_k G3), S_k = Σ_ab A_kab, and 0 where the denominator is 0.
    """
    return np.maximum(A @ smoothgradcam_plus_plus_weights(A, G1, G2, G3), 0)


def smoothgradcam_plus_plus_weights(A: Array, G1: Array, G2: Array, G3: Array) -> Array:
    """w_k = Σ_ij α_kij relu(G1_kij), (K,)."""
    g1, g2, g3 = over_cells(G1), over_cells(G2), over_cells(G3)
    denominator = 2 * g2 + over_cells(A).sum(axis=0) * g3
    alpha = np.divide(g2, denominator, out=np.zeros_like(g2), where=denominator != 0)
    return (alpha * np.maximum(g1, 0)).sum(axis=0)


def smoothgradcam_plus_plus_caution(A: Array, G1: Array, G2: Array, G3: Array) -> str | None:
    """Caution: denominators that change their sign make the weights arbitrary."""
    used = G1 > 0
    share = float(np.mean((2 * G2 + over_cells(A).sum(axis=0) * G3 < 0)[used])) if used.any() else 0.0
    if share > 0.01:
        return (
            f"Badly conditioned: the weights divide by numbers that change sign (at {share:.0%} of the places that "
            "count). Compare with LayerCAM or a later layer."
        )
    return None


ROWS = (
    MethodInfo(
        key="smoothgradcam++",
        title="Smooth Grad-CAM++",
        class_name="SmoothGradCAMPlusPlus",
        family="gradient",
        input=NoisyGradients(),
        paper="Omeiza et al., Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique, 2019",
        year=2019,
        equation="its averaged derivatives",
        url="https://arxiv.org/abs/1908.01224",
        needs=(*AG, "gradients of noisy inputs"),
        cost="one forward and one backward pass per noisy copy of the picture (n=25)",
        signed=False,
        summary="Grad-CAM++ whose gradients are averaged over noisy copies of the picture.",
        strengths="Less jumpy than Grad-CAM++ where the gradient is noisy.",
        weaknesses="Many passes for a map that is seldom better; the noise leads the network off its data.",
        compute=smoothgradcam_plus_plus,
        weights=smoothgradcam_plus_plus_weights,
        caution=smoothgradcam_plus_plus_caution,
        options=options(
            n=Option(25, low=1, high=1000, help="noisy copies of the picture"),
            sigma=Option(0.15, low=0.0, high=10.0, help="noise, as a share of the input's range"),
            seed=seed("the noise"),
        ),
    ),
    MethodInfo(
        key="shapleycam",
        title="ShapleyCAM",
        class_name="ShapleyCAM",
        family="gradient",
        input=Curvature(),
        paper="Cai, CAMs as Shapley Value-based Explainers, 2025",
        year=2025,
        equation="its second-order weights",
        url="https://arxiv.org/abs/2501.06261",
        needs=(*AG, "second derivatives"),
        cost="one forward and two backward passes behind the layer",
        signed=False,
        summary="Grad-CAM with the curvature of the score: each channel's share as Shapley would divide it.",
        strengths="Sees saturation that Grad-CAM's straight line misses.",
        weaknesses="Equal to Grad-CAM where the head is piecewise linear, as in most networks' last layer.",
        compute=shapleycam,
        weights=shapleycam_weights,
        options=variant("paper", "rest", formula=False),
    ),
    MethodInfo(
        key="finercam",
        title="Finer-CAM",
        class_name="FinerCAM",
        family="gradient",
        input=ContrastGradients(),
        paper="Zhang et al., Finer-CAM: Spotting the Difference Reveals Finer Details, CVPR 2025",
        year=2025,
        equation="its weighted difference of logits",
        url="https://arxiv.org/abs/2501.11309",
        needs=(*AG, "of a difference of logits"),
        cost="one forward and one backward pass of its own",
        signed=False,
        summary="Why this class and not those most like it: Grad-CAM of the difference of their logits.",
        strengths="Answers the question people ask of near-identical classes.",
        weaknesses="Says little where no other class is near; depends on the classes compared with.",
        compute=finercam,
        weights=gradcam_weights,
        options=options(
            alpha=Option(1.0, low=0.0, high=10.0, help="how much of the other class's logit is taken off"),
            against=Option((), help="classes to compare with; none: the three with the nearest logits"),
        ),
    ),
)
