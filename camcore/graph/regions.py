"""Scores of an output that is a map, as in segmentation: the mean over a region of the score of every pixel.

Seg-Grad-CAM (Vinogradova, Dibrov and Myers, "Towards Interpretable Semantic Segmentation via Gradient-Weighted Class
Activation Mapping", AAAI 2020) differentiates the sum of a class's logits over a set of pixels: one, those of an
object, or all that are given the class. The mean differs from it by a factor, and keeps scores comparable.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from camcore.errors import ModelError
from camcore.lazy import tf


@dataclass(frozen=True, eq=False)
class Region:
    """The part of the output's map (h, w) over which a class's score is averaged.

    ``target``: None, everywhere; (top, left, bottom, right), a box in the output's pixels, bottom and right excluded;
    an array (h, w) of weights 0..1, or of True and False; ``"predicted"``, the pixels whose answer is the class.
    """

    target: object = None

    @property
    def description(self) -> str:
        """In words: ``all its pixels``, ``the pixels whose answer is the class``, or ``a part of its pixels``."""
        if self.target is None:
            return "all its pixels"
        return "the pixels whose answer is the class" if isinstance(self.target, str) else "a part of its pixels"

    def weights(self, size: tuple[int | None, int | None]) -> NDArray[np.float64] | None:
        """Weights (h, w) in 0..1; None where all pixels count alike, or by their answer.

        Raises ModelError where the target is no such region, or does not lie on the map.
        """
        if self.target is None or isinstance(self.target, str):
            if self.target not in (None, "predicted"):
                raise ModelError(_advice(f"target={self.target!r} is no region", size))
            return None
        height, width = size
        if height is None or width is None:
            raise ModelError(
                "The output's height and width are known only when the network runs, so no box or mask can be laid on "
                "it. Build the model for a fixed input size, or use target='predicted', or none."
            )
        try:
            given = np.asarray(self.target)
            if given.dtype.kind not in "biuf":
                raise TypeError
        except (TypeError, ValueError):
            raise ModelError(_advice("target holds no numbers", size)) from None
        if given.shape == (4,) and all(isinstance(side, Integral) for side in given.tolist()):
            top, left, bottom, right = map(int, given)
            if not (0 <= top < bottom <= height and 0 <= left < right <= width):
                raise ModelError(_advice(f"target={(top, left, bottom, right)} is no box on the output", size))
            mask = np.zeros((height, width))
            mask[top:bottom, left:right] = 1
            return mask
        if given.shape != (height, width):
            raise ModelError(_advice(f"target has the shape {given.shape}", size))
        mask = given.astype(np.float64)
        if not np.isfinite(mask).all() or mask.min() < 0 or mask.max() > 1 or not mask.any():
            raise ModelError(_advice("target has weights outside 0..1, or none above 0", size))
        return mask


def averaged(
    scores: tf.Tensor, probabilities: tf.Tensor, region: Region, each: bool
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Scores and probabilities (n, h, w, classes) as their means over the region, (n, classes); None stays None.

    ``each``: every class is answered by itself, yes where its score is above 0; else the highest one is the answer.
    Over the pixels of its own answer a class that is nowhere has the score and the probability 0.
    """
    weights = region.weights((scores.shape[1], scores.shape[2]))
    if isinstance(region.target, str):
        first = tf.one_hot(tf.argmax(scores, axis=-1), scores.shape[-1], dtype=scores.dtype)
        own = tf.stop_gradient(tf.cast(scores > 0, scores.dtype) if each else first)

    def mean(values: tf.Tensor) -> tf.Tensor:
        if isinstance(region.target, str):
            return tf.math.divide_no_nan(tf.reduce_sum(own * values, [1, 2]), tf.reduce_sum(own, [1, 2]))
        if weights is None:
            return tf.reduce_mean(values, [1, 2])
        return tf.reduce_sum(tf.constant((weights / weights.sum())[..., None], values.dtype) * values, [1, 2])

    return mean(scores), None if probabilities is None else mean(probabilities)


def _advice(wrong: str, size: tuple[int | None, int | None]) -> str:
    height, width = ("?" if side is None else side for side in size)
    return (
        f"{wrong}. The output is a map of {height}×{width} pixels. Give None (all of it), a box (top, left, bottom, "
        f"right) within it, an array of weights ({height}, {width}) between 0 and 1, or 'predicted'."
    )
