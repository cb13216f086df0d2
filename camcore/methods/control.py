"""The controls that every map must beat: noise, a centred blob, the plain gradient, and two of hiding and seeking.

They are simple on purpose. Where a method's map does no better than these on the same picture, it says nothing.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from camcore.methods.decomposition import classless_caution
from camcore.methods.info import MethodInfo, Option, options, seed
from camcore.methods.inputs import Array, GridSize, InputGradient, PerturbedScores, Size
from camcore.methods.perturbations import COARSE, HiddenSquares, RandomMasks, random_masks, square_starts


def gradient(G: Array) -> Array:
    """raw = max over the colour channels of |∂y_c/∂x|, (H, W) on the input's grid (Simonyan 2014, section 3.1)."""
    return np.abs(G).max(axis=-1)


def random(grid: Size, *, seed: int) -> Array:
    """Smooth noise (h, w) in 0..1: 7×7 uniform values, bilinear in between. The same noise at every layer."""
    noise = np.random.default_rng(seed).random((COARSE, COARSE))
    return cv2.resize(noise, (grid[1], grid[0]), interpolation=cv2.INTER_LINEAR)


def centre(grid: Size) -> NDArray[np.float64]:
    """A Gaussian (h, w) in the middle of the grid, 1 at its centre, its deviation a quarter of each side."""
    y, x = ((np.arange(side) + 0.5 - side / 2) / (side / 4) for side in grid)
    return np.exp(-0.5 * (y[:, None] ** 2 + x[None] ** 2))


def occlusion(A: None, perturbed: PerturbedScores, *, size: int, stride: int) -> Array:
    """raw = how far y_c falls when a square is set to the picture's mean colour, per square (Zeiler 2014, section 4).

    The grid is that of the squares; ``perturbed.members`` are flat places on it. Negative where hiding helps the class.
    """
    rows, columns = (len(starts) for starts in square_starts(perturbed.input_size, size, stride))
    raw = np.zeros(rows * columns)
    raw[perturbed.members] = perturbed.logit - perturbed.logits[:, 0]
    return raw.reshape(rows, columns)


def rise(A: None, perturbed: PerturbedScores, *, p: float, cells: int, seed: int) -> Array:
    """raw = Σ_i p_c(x ⊙ m_i) m_i / (N·p) over N random masks, (H, W) (Petsiuk 2018, equation 6).

    Masks: cells×cells of 0 and 1 with share ``p`` of ones, upsampled bilinearly and shifted at random. Values are
    min–max, as everything is positive.
    """
    answers = perturbed.probabilities[:, 0] if np.isfinite(perturbed.probability) else perturbed.logits[:, 0]
    total = np.zeros(perturbed.input_size, np.float64)
    for start in range(0, len(answers), 64):
        masks = random_masks(perturbed.members[start : start + 64], perturbed.input_size, p, cells, seed)
        total += np.tensordot(answers[start : start + 64], masks, 1)
    return total / (max(len(answers), 1) * p)


ROWS = (
    MethodInfo(
        key="gradient",
        title="Input gradient",
        class_name="Gradient",
        family="control",
        input=InputGradient(),
        paper="Simonyan et al., Deep Inside Convolutional Networks, ICLR workshop 2014",
        year=2014,
        equation="section 3.1",
        url="https://arxiv.org/abs/1312.6034",
        needs=("the input's gradient",),
        cost="one forward and one whole backward pass",
        signed=False,
        summary="Which pixels the score responds to most directly; grainy, and the oldest kind of map.",
        strengths="Pixel by pixel, with no choice of layer.",
        weaknesses="Noise dominates; shows edges as readily as evidence.",
        compute=gradient,
    ),
    MethodInfo(
        key="random",
        title="Random noise",
        class_name="Random",
        family="control",
        input=GridSize(),
        paper="Hooker et al., A Benchmark for Interpretability Methods in Deep Neural Networks, NeurIPS 2019",
        year=2019,
        equation="its random baseline, here smooth",
        url="https://arxiv.org/abs/1806.10758",
        needs=("nothing",),
        cost="none",
        signed=False,
        summary="Smooth noise: how well a map does without any knowledge.",
        strengths="Shows what chance alone achieves.",
        weaknesses="It is noise.",
        compute=random,
        caution=classless_caution,
        options=options(seed=seed("the noise", formula=True)),
        class_specific=False,
    ),
    MethodInfo(
        key="centre",
        title="Centred blob",
        class_name="Centre",
        family="control",
        input=GridSize(),
        paper="Zhang et al., Top-down Neural Attention by Excitation Backprop, IJCV 2018",
        year=2018,
        equation="its centre baseline, here a Gaussian",
        url="https://arxiv.org/abs/1608.00507",
        needs=("nothing",),
        cost="none",
        signed=False,
        summary="A blob in the middle, where photographers put their subject.",
        strengths="Shows what centring alone achieves.",
        weaknesses="Looks at neither the picture nor the network.",
        compute=centre,
        caution=classless_caution,
        class_specific=False,
    ),
    MethodInfo(
        key="occlusion",
        title="Occlusion",
        class_name="Occlusion",
        family="control",
        input=HiddenSquares(),
        paper="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
        year=2014,
        equation="section 4",
        url="https://arxiv.org/abs/1311.2901",
        needs=("forward passes with a square hidden",),
        cost="one forward pass per square",
        signed=True,
        summary="How far the score falls when a square of the picture is hidden.",
        strengths="Looks at nothing but input and output; easy to explain.",
        weaknesses="Coarse; blind to evidence larger than the square; a grey square is no absence.",
        compute=occlusion,
        options=options(
            size=Option(0, low=0, high=4096, help="side of the square in input pixels; 0: a seventh", formula=True),
            stride=Option(0, low=0, high=4096, help="from square to square; 0: half the size", formula=True),
        ),
    ),
    MethodInfo(
        key="rise",
        title="RISE",
        class_name="RISE",
        family="control",
        input=RandomMasks(),
        paper="Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models, BMVC 2018",
        year=2018,
        equation="equation 6",
        url="https://arxiv.org/abs/1806.07421",
        needs=("forward passes through random masks",),
        cost="one forward pass per random mask (n=2000)",
        signed=False,
        summary="Which parts of the picture keep the class score up when others are hidden at random.",
        strengths="Looks at nothing but input and output; a strong reference.",
        weaknesses="Thousands of passes; noisy with few.",
        compute=rise,
        options=options(
            n=Option(2000, low=1, high=100_000, help="random masks"),
            p=Option(0.5, low=0.01, high=0.99, help="share of a mask that is open", formula=True),
            cells=Option(COARSE, low=2, high=64, help="cells of a mask per side", formula=True),
            seed=seed("the masks", formula=True),
        ),
        min_max=True,
    ),
)
