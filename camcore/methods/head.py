"""Methods that ask the head behind a layer about altered activations: one channel less, or one place only."""

from __future__ import annotations

import numpy as np

from camcore.methods.info import MethodInfo, variant
from camcore.methods.inputs import Array, PerturbedScores
from camcore.methods.perturbations import Ablations, SingleCells


def ablationcam(A: Array, perturbed: PerturbedScores) -> Array:
    """raw = relu(Σ_k w_k A_k), w_k = (y_c − y_c with A_k set to 0) / |y_c| (Desai and Ramaswamy 2020).

    ``A``: activations (h, w, K). The paper divides by y_c; where that is negative every sign would turn, and where
    it is 0 there would be no map, so |y_c| is taken, and 1 where it is 0.
    """
    return np.maximum(A @ ablationcam_weights(A, perturbed), 0)


def ablationcam_weights(A: Array, perturbed: PerturbedScores) -> Array:
    """w_k, (K,); 0 for channels not asked yet."""
    weights = np.zeros(A.shape[-1], A.dtype)
    weights[perturbed.members] = (perturbed.logit - perturbed.logits[:, 0]) / (abs(perturbed.logit) or 1)
    return weights


def ablationcam_caution(A: Array, perturbed: PerturbedScores) -> str | None:
    """Caution: the paper's formula is made for positive scores."""
    if perturbed.logit > 0:
        return None
    return (
        f"The class's score is {perturbed.logit:.3g}, not positive: Ablation-CAM is defined by its relative fall. The "
        "map divides by its size instead."
    )


def reciprocam(A: Array, perturbed: PerturbedScores) -> Array:
    """raw_ij = p_c of the head on A ⊙ δ_ij: the activations of one place alone (Byun 2022).

    ``perturbed.members``: flat places. Variant ``gaussian``: the vector A_ij is spread over the 3×3 places around ij by
    (1 2 1)⊗(1 2 1)/16. Places not asked yet are at the smallest value. All is positive, so values are min–max.
    """
    answers = perturbed.probabilities[:, 0] if np.isfinite(perturbed.probability) else perturbed.logits[:, 0]
    raw = np.full(A.shape[0] * A.shape[1], answers.min(initial=np.inf) if len(answers) else 0.0)
    raw[perturbed.members] = answers
    return raw.reshape(A.shape[:2])


ROWS = (
    MethodInfo(
        key="ablationcam",
        title="Ablation-CAM",
        class_name="AblationCAM",
        family="perturbation",
        input=Ablations(),
        paper="Desai and Ramaswamy, Ablation-CAM: Visual Explanations via Gradient-free Localization, WACV 2020",
        year=2020,
        equation="its relative fall of the score",
        url="https://doi.org/10.1109/WACV45572.2020.9093360",
        needs=("activations", "the head behind the layer, once per channel"),
        cost="the part of the network behind the layer, once per channel",
        signed=False,
        summary="How far the score falls when a channel is taken away: what the class cannot do without.",
        strengths="No gradient, so saturation does not fool it; cheap at late layers.",
        weaknesses="Redundant channels hide each other; expensive at early layers.",
        compute=ablationcam,
        weights=ablationcam_weights,
        caution=ablationcam_caution,
    ),
    MethodInfo(
        key="reciprocam",
        title="Recipro-CAM",
        class_name="ReciproCAM",
        family="perturbation",
        input=SingleCells(),
        paper="Byun and Lee, Recipro-CAM: Fast gradient-free visual explanations for CNNs, 2022",
        year=2022,
        equation="its masked feature maps",
        url="https://arxiv.org/abs/2209.14074",
        needs=("activations", "the head behind the layer, once per place"),
        cost="the part of the network behind the layer, once per place",
        signed=False,
        summary="How sure the rest of the network is when it sees one place alone.",
        strengths="No gradient, few and cheap passes: as quick as Grad-CAM at late layers.",
        weaknesses="One place alone is not what the head was trained on; values are close together.",
        compute=reciprocam,
        options=variant("paper", "gaussian", formula=False),
        min_max=True,
    ),
)
