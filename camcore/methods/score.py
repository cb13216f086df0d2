"""The Score-CAM family: how strongly the class answers to what each channel lets through.

The work is masked forward passes, one per channel, taken in chunks and in the order of the channels' spatial
variance, so that Faster Score-CAM is a prefix of Score-CAM and every partial map is the best one so far.
"""

from __future__ import annotations

import numpy as np

from camcore.methods.info import MethodInfo, Option, options, seed, variant
from camcore.methods.inputs import Array, PerturbedScores
from camcore.methods.perturbations import ChannelMasks, FadedMasks, NoisyMasks


def scorecam(A: Array, perturbed: PerturbedScores, *, variant: str = "paper") -> Array:
    """raw = relu(Σ_k a_k A_k), a = softmax over channels of s_k (Wang 2020, algorithm 1).

    ``A``: activations (h, w, K); ``perturbed``: for the channels scored so far the class's logit on the input masked by
    norm(up(A_k)). Channels not scored take no part. The paper's baseline, the score of the black input, is the same
    for all channels and cancels in the softmax, so it is never computed.

    Score-CAM's kin differ in the masks only; where there are several for one channel, s_k is their mean: SS-CAM's
    noisy ones (Wang 2020b), IS-CAM's that let through i/n of the picture (Naidu 2020).

    Differs from the authors' code, which takes the class's probability as s_k and no softmax over the channels
    (``variant="authors"``).
    """
    return np.maximum(A @ scorecam_weights(A, perturbed, variant=variant), 0)


def scorecam_weights(A: Array, perturbed: PerturbedScores, *, variant: str = "paper") -> Array:
    """a_k, (K,); 0 for channels that were not scored."""
    weights = np.zeros(A.shape[-1], A.dtype)
    if not len(perturbed.members):
        return weights
    if variant == "authors":
        # A regression has no probability.
        answers = perturbed.probabilities if np.isfinite(perturbed.probability) else perturbed.logits
        weights[perturbed.members] = answers.mean(axis=1)
        return weights
    scores = perturbed.logits.mean(axis=1)
    shares = np.exp(scores - scores.max())
    weights[perturbed.members] = shares / shares.sum()
    return weights


_NEEDS = ("activations", "masked forward passes")
_KEPT = Option(10, low=1, high=10_000, help="how many channels to keep")

ROWS = (
    MethodInfo(
        key="scorecam",
        title="Score-CAM",
        class_name="ScoreCAM",
        family="perturbation",
        input=ChannelMasks(),
        paper="Wang et al., Score-CAM: Score-Weighted Visual Explanations, CVPR-W 2020",
        year=2020,
        equation="algorithm 1",
        url="https://arxiv.org/abs/1910.01279",
        needs=_NEEDS,
        cost="one forward pass per channel that varies over space",
        signed=False,
        summary="No gradient: each channel weighed by the score of the picture seen through it alone.",
        strengths="Free of gradient noise; smooth; any layer.",
        weaknesses="Hundreds of passes; masked pictures are not what the network was trained on.",
        compute=scorecam,
        weights=scorecam_weights,
        options=variant("paper", "authors"),
    ),
    MethodInfo(
        key="fasterscorecam",
        title="Faster Score-CAM",
        class_name="FasterScoreCAM",
        family="perturbation",
        input=ChannelMasks(),
        paper="Tabayashi, Faster Score-CAM, github.com/tabayashi0117/Score-CAM, 2020",
        year=2020,
        equation="its README",
        url="https://github.com/tabayashi0117/Score-CAM",
        needs=_NEEDS,
        cost="one forward pass per channel kept (n=10)",
        signed=False,
        summary="Score-CAM over the n channels that vary most over the picture: seconds become milliseconds.",
        strengths="Nearly Score-CAM at a hundredth of the passes.",
        weaknesses="Channels that vary much are not always those that matter to the class.",
        compute=scorecam,
        weights=scorecam_weights,
        options=options(n=_KEPT, **variant("paper", "authors")),
    ),
    MethodInfo(
        key="sscam",
        title="SS-CAM",
        class_name="SSCAM",
        family="perturbation",
        input=NoisyMasks(),
        paper="Wang et al., SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization, 2020",
        year=2020,
        equation="noise on the activation map",
        url="https://arxiv.org/abs/2006.14255",
        needs=_NEEDS,
        cost="n forward passes per channel (n=35)",
        signed=False,
        summary="Score-CAM whose masks are shaken by noise, each channel's score averaged over it.",
        strengths="Less dependent on a single mask than Score-CAM.",
        weaknesses="Tens of times the cost of Score-CAM, for a small change.",
        compute=scorecam,
        weights=scorecam_weights,
        options=options(
            n=Option(35, low=1, high=1000, help="noisy masks per channel; 35 as torch-cam"),
            sigma=Option(2.0, low=0.0, high=1000.0, help="deviation of the noise on the upsampled map"),
            seed=seed("the noise"),
            **variant("paper", "authors"),
        ),
    ),
    MethodInfo(
        key="iscam",
        title="IS-CAM",
        class_name="ISCAM",
        family="perturbation",
        input=FadedMasks(),
        paper="Naidu et al., IS-CAM: Integrated Score-CAM for axiomatic-based explanations, 2020",
        year=2020,
        equation="its integrated score",
        url="https://arxiv.org/abs/2010.03023",
        needs=_NEEDS,
        cost="n forward passes per channel (n=10), one of which it shares with Score-CAM",
        signed=False,
        summary="Score-CAM integrated along the mask: each channel's score from faint to full.",
        strengths="Sees channels whose mask saturates the score.",
        weaknesses="n times the cost of Score-CAM.",
        compute=scorecam,
        weights=scorecam_weights,
        options=options(n=Option(10, low=1, high=1000, help="steps of the mask"), **variant("paper", "authors")),
    ),
)
