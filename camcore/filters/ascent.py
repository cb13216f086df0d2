"""Gradient ascent on pictures: one compiled step, from spectra to better spectra.

Erhan et al., "Visualizing Higher-Layer Features of a Deep Network" (2009), with the means of Olah et al. (2017) that
keep the pictures natural: see ``spectrum``; random shifts and zooms, so that no pattern of single pixels pays; and
total variation with the exponent 2 (Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting
Them", 2015, section 3). By Parseval it is Σ (f·F)² over the frequencies f of a picture's spectrum F; as ``spectrum``
writes F as z/f, it is Σ z²: a pull of all coefficients towards zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from camcore.errors import CamcoreError
from camcore.filters.spectrum import decode_logits

if TYPE_CHECKING:
    import tensorflow as tf

    from camcore.filters.pixel_map import PixelMap
    from camcore.graph.compiled import Function

Array = NDArray[np.floating]

# Adam, Kingma and Ba (2015), with its usual constants.
_MEAN, _SQUARE, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class AscentRecipe:
    """The settings of a search.

    ``steps``: of gradient ascent. ``rate``: Adam's. ``jitter``: the largest shift, as a share of the input's sides.
    ``zoom``: the largest enlargement or reduction, as a share. ``smoothness``: weight of half the total variation;
    the response's gradient has the root mean square one over a picture's values beside it, whatever the layer.
    """

    steps: int = 64
    rate: float = 0.03
    jitter: float = 0.05
    zoom: float = 0.12
    smoothness: float = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.steps, int) and 1 <= self.steps <= 10_000):
            raise CamcoreError(
                f"{self.steps!r} steps cannot be taken. The number of steps is a whole number from 1 to 10000. "
                "64 give a clear picture."
            )


def random_view(recipe: AscentRecipe, size: tuple[int, int], seed: int, step: int) -> Array:
    """The view of a step: edges (top, left, bottom, right), float32 (4,), in pixels of the picture (h, w).

    The centres of the outermost pixels are 0 and h − 1; the picture goes on beyond its edges by repeating itself.
    """
    rng = np.random.default_rng((seed, step, 1))
    scale = 1.0 + recipe.zoom * rng.uniform(-1.0, 1.0)
    shift = recipe.jitter * rng.uniform(-1.0, 1.0, 2)
    edges = [
        ((side - 1) * (0.5 * (1.0 - scale) + moved), (side - 1) * (0.5 * (1.0 + scale) + moved))
        for side, moved in zip(size, shift, strict=True)
    ]
    return np.array([edges[0][0], edges[1][0], edges[0][1], edges[1][1]], np.float32)


def crop(picture: tf.Tensor, edges: tf.Tensor, margin: int) -> tf.Tensor:
    """The pictures (n, h, w, C) as seen between ``edges``, at their own size, bilinearly; TensorFlow tensors.

    ``margin``: the pixels by which edges may lie outside.
    """
    import tensorflow as tf

    h, w = picture.shape[1:3]
    for axis, side in ((1, h), (2, w)) if margin else ():
        repeated = tf.range(-margin, side + margin) % side
        picture = tf.gather(picture, repeated, axis=axis)
    sides = np.array([h, w, h, w]) + 2 * margin - 1
    box = (edges + margin) / tf.constant(np.maximum(sides, 1), tf.float32)
    count = tf.shape(picture)[0]
    return tf.image.crop_and_resize(picture, tf.tile(box[tf.newaxis], [count, 1]), tf.range(count), [h, w])


def step_maker(
    recipe: AscentRecipe, pixels: PixelMap, size: tuple[int, int], channels_first: bool, dtype: str
) -> Callable[[Function], Function]:
    """A function that makes a compiled step around a network's response; see ``camcore.filters.responses``.

    The step: (spectra, m, v, channels (n,), edges (4,), number of this step from 1) → [spectra, m, v, responses
    (n,)]; spectra and Adam's two means float32 (n, 2, 3, h, w // 2 + 1), responses those before the step.
    """
    import tensorflow as tf

    kind = tf.float32
    spectra = tf.TensorSpec([None, 2, 3, size[0], size[1] // 2 + 1], kind)
    margin = math.ceil((recipe.jitter + recipe.zoom / 2) * max(size))
    matrix = tf.constant(pixels.matrix * 255.0, kind)
    offset = tf.constant(pixels.offset, kind)

    def around(response_of: Function) -> Function:
        @tf.function(
            autograph=False,
            input_signature=[
                spectra,
                spectra,
                spectra,
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([4], tf.float32),
                tf.TensorSpec([], kind),
            ],
        )
        def step(
            spectrum: tf.Tensor,
            mean: tf.Tensor,
            square: tf.Tensor,
            channels: tf.Tensor,
            edges: tf.Tensor,
            number: tf.Tensor,
        ) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(spectrum)
                seen = crop(tf.sigmoid(decode_logits(spectrum, size)), edges, margin)
            x = tf.matmul(seen, matrix) + offset
            x = tf.transpose(x, (0, 3, 1, 2)) if channels_first else x
            response, slope = response_of(tf.cast(x, dtype), channels)
            slope = tf.transpose(slope, (0, 2, 3, 1)) if channels_first else slope
            slope = tf.matmul(tf.cast(slope, kind), matrix, transpose_b=True)
            mean_square = tf.reduce_mean(tf.square(slope), axis=(1, 2, 3), keepdims=True)
            slope = tf.math.divide_no_nan(slope, tf.sqrt(mean_square))
            gradient = tape.gradient(seen, spectrum, slope) - recipe.smoothness * spectrum
            mean = _MEAN * mean + (1 - _MEAN) * gradient
            square = _SQUARE * square + (1 - _SQUARE) * tf.square(gradient)
            rise = (mean / (1 - _MEAN**number)) / (tf.sqrt(square / (1 - _SQUARE**number)) + _TINY)
            return [spectrum + recipe.rate * rise, mean, square, response]

        return step.get_concrete_function()

    return around
