"""Methods made for attention: maps of a transformer's attention weights A^l (heads, T, T) and their gradients.

Each function takes one array per attention, in the order of the network, and ``tokens``, which of the T tokens are
cells of the grid and which are read by the scores; it returns the raw map (h, w) of the cells. The row that is looked
at is that of the class token, or of a network that pools its patch tokens the mean over their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from camcore.methods.info import MethodInfo, variant
from camcore.methods.inputs import Array, AttentionGradients, AttentionWeights, BlockGradients

if TYPE_CHECKING:
    from camcore.graph.attention import TokenPlaces


def rollout(A: Sequence[Array], tokens: TokenPlaces) -> Array:
    """raw = R[q, patches], R = Â^L ··· Â^1, Â the rows of mean_heads A + I divided by their sums (Abnar 2020).

    Only the row q is computed, from the last block to the first.
    """
    row = tokens.asked
    for weights in reversed(A):
        mixed = weights.mean(axis=0, dtype=np.float64)
        sums = mixed.sum(axis=1) + 1
        row = row / sums @ mixed + row / sums
    return tokens.on_grid(row)


def attentiongrad(A: Sequence[Array], G: Sequence[Array], tokens: TokenPlaces) -> Array:
    """raw = R[q, patches], R ← R + Ā^l R from R = I, Ā^l = mean_heads relu(G^l ⊙ A^l) (Chefer 2021, equations 5 and 6).

    The I itself is left out, which would only mark the patches that are asked. Only the row q is computed, from the
    last block to the first: R = (I + Ā^L) ··· (I + Ā^1). Differs from Chefer's earlier method (CVPR 2021), which needs
    relevance propagated through every layer.
    """
    row = tokens.asked
    for weights, gradient in zip(reversed(A), reversed(G), strict=True):
        row = row + row @ np.maximum(gradient * weights, 0).mean(axis=0, dtype=np.float64)
    return tokens.on_grid(row - tokens.asked)


def legrad(G: Sequence[Array], tokens: TokenPlaces, *, variant: str = "paper") -> Array:
    """raw = mean_l mean_heads mean_rows relu(G^l)[·, patches], G^l = ∂y^l/∂A^l (Bousselham 2024, equations 7 to 9).

    y^l is the logit that the network's own end gives for the tokens of block l; values are min–max. Differs from the
    authors' code for CLIP, whose end reads the mean over all tokens in place of the class token, and which takes the
    last two blocks only (``variant="mean"``).
    """
    asked = G[-2:] if variant == "mean" else G
    columns = [np.maximum(gradient, 0).mean(axis=(0, 1), dtype=np.float64) for gradient in asked]
    return tokens.on_grid(np.mean(columns, axis=0))


def rollout_caution(A: Sequence[Array], tokens: TokenPlaces) -> str:
    """Caution: no class is looked at."""
    return "It does not look at the class: this map is the same for every class."


WEIGHTS = "attention weights of all tokens"

ROWS = (
    MethodInfo(
        key="rollout",
        title="Attention rollout",
        class_name="AttentionRollout",
        family="attention",
        input=AttentionWeights(),
        paper="Abnar and Zuidema, Quantifying Attention Flow in Transformers, ACL 2020",
        year=2020,
        equation="equation 1",
        url="https://arxiv.org/abs/2005.00928",
        needs=(WEIGHTS,),
        cost="one forward pass",
        signed=False,
        summary="Where the token that the answer is read from looks, through all blocks of a transformer.",
        strengths="Cheap; needs no gradient.",
        weaknesses="The same for every class; assumes that what is attended to is used.",
        compute=rollout,
        caution=rollout_caution,
        class_specific=False,
    ),
    MethodInfo(
        key="attentiongrad",
        title="Gradient attention rollout",
        class_name="AttentionGrad",
        family="attention",
        input=AttentionGradients(),
        paper="Chefer et al., Generic Attention-model Explainability, ICCV 2021",
        year=2021,
        equation="equations 5 and 6",
        url="https://arxiv.org/abs/2103.15679",
        needs=(WEIGHTS, "gradients of these"),
        cost="one forward and one backward pass",
        signed=False,
        summary="Attention through all blocks, counted where it raises the class score.",
        strengths="About the class, and about the whole way from the patches to the answer.",
        weaknesses="Only attention that speaks for the class counts; what the blocks do beside attention is left out.",
        compute=attentiongrad,
    ),
    MethodInfo(
        key="legrad",
        title="LeGrad",
        class_name="LeGrad",
        family="attention",
        input=BlockGradients(),
        paper="Bousselham et al., LeGrad: An Explainability Method for Vision Transformers, 2024",
        year=2024,
        equation="equations 7 to 9",
        url="https://arxiv.org/abs/2404.03214",
        needs=("gradients of the attention weights, block by block",),
        cost="one forward and one backward pass",
        signed=False,
        summary="The patches to which more attention would raise the class score; the mean over the blocks.",
        strengths="Looks at each block by itself, so that late blocks do not hide what early ones saw.",
        weaknesses="Applies the network's head to tokens of early blocks, on which it was not trained.",
        compute=legrad,
        options=variant("paper", "mean"),
        min_max=True,
    ),
)
