"""FullGrad: input gradient and bias gradients together, which add up to the score of a ReLU network."""

from __future__ import annotations

import cv2
import numpy as np

from camcore.methods.info import MethodInfo, variant
from camcore.methods.inputs import Array, BiasGradients


def fullgrad(x: Array, layers: tuple[Array, ...], *, variant: str = "paper") -> Array:
    """raw = ψ(x ⊙ ∂y/∂x) + Σ_layers Σ_k ψ(b_k · ∂y/∂z_k), ψ = up(norm(|·|)) (Srinivas 2019), (H, W).

    ``x`` (H, W, C): x ⊙ ∂y/∂x; ``layers``: b ⊙ ∂y/∂z (h, w, K) of each bias with a grid, explicit or implicit, so
    of every convolution and normalisation. norm is (v − min) / (max − min) over the layer's whole tensor, as in the
    authors' code; over each channel, as in pytorch-grad-cam, with ``variant="per-channel"``. up is bilinear.
    """
    raw = _normalised(x, variant).sum(axis=-1)
    h, w = raw.shape
    for evidence in layers:
        small = np.ascontiguousarray(_normalised(evidence, variant).sum(axis=-1), np.float64)
        raw = raw + cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    return raw


def _normalised(evidence: Array, variant: str) -> Array:
    size = np.abs(evidence).astype(np.float64 if evidence.dtype == np.float64 else np.float32)
    axes = (0, 1) if variant == "per-channel" else None
    low, high = size.min(axis=axes, keepdims=True), size.max(axis=axes, keepdims=True)
    span = high - low
    return (size - low) / np.where(span > 0, span, 1)


ROWS = (
    MethodInfo(
        key="fullgrad",
        title="FullGrad",
        class_name="FullGrad",
        family="gradient",
        input=BiasGradients(),
        paper="Srinivas and Fleuret, Full-Gradient Representation for Neural Network Visualization, NeurIPS 2019",
        year=2019,
        equation="its saliency map",
        url="https://arxiv.org/abs/1905.00780",
        needs=("gradients of the input and of every bias",),
        cost="one forward and one whole backward pass",
        signed=False,
        summary="Every layer's evidence at once, from the input's pixels to the last biases, at full resolution.",
        strengths="Complete: on ReLU networks what it adds up is the class's logit; fine detail.",
        weaknesses="Shows how much, not for or against; busy on deep networks.",
        compute=fullgrad,
        options=variant("paper", "per-channel"),
    ),
)
