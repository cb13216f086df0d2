"""Pictures as Fourier spectra, so that gradient ascent on them finds natural-looking ones.

A picture is a Fourier spectrum, each frequency weighted by one over itself, as in photographs, in colours that are
decorrelated, and a sigmoid keeps it within 0..1: Olah, Mordvintsev, Schubert, "Feature Visualization" (Distill,
2017), "Preconditioning and Parameterization".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tensorflow as tf

Array = NDArray[np.floating]

# The principal components of RGB in 0..1 over the pixels of 600 ImageNet photographs, times their deviations:
# light and dark, blue against yellow, green against the others. Brought to the length of the first.
_COLOURS = np.array(
    [[0.2562, 0.0927, 0.0246], [0.2645, -0.0037, -0.0530], [0.2670, -0.0853, 0.0290]],
) / np.linalg.norm([0.2562, 0.2645, 0.2670])

_START = 0.01
"""Standard deviation of the spectrum to begin with: an even grey."""


def initial_spectrum(size: tuple[int, int], seed: int, index: int) -> Array:
    """The first spectrum of a picture of ``size`` (h, w): float32 (2, 3, h, w // 2 + 1), real and imaginary parts."""
    shape = (2, 3, size[0], size[1] // 2 + 1)
    return np.random.default_rng((seed, index)).normal(0.0, _START, shape).astype(np.float32)


def frequency_weights(size: tuple[int, int]) -> Array:
    """The weight of each frequency f in cycles per pixel, float64 (h, w // 2 + 1): √(h·w)/f; of the mean, as of the
    lowest frequency."""
    h, w = size
    frequency = np.hypot(np.fft.fftfreq(h)[:, np.newaxis], np.fft.rfftfreq(w)[np.newaxis])
    return np.sqrt(h * w) / np.maximum(frequency, 1.0 / max(h, w))


def decode_logits(spectrum: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Spectra (n, 2, 3, h, w // 2 + 1) as logits (n, h, w, 3), of which ``tf.sigmoid`` makes RGB in 0..1."""
    import tensorflow as tf

    weighted = spectrum * tf.constant(frequency_weights(size), spectrum.dtype)
    planes = tf.signal.irfft2d(tf.complex(weighted[:, 0], weighted[:, 1]), size)
    return tf.matmul(tf.transpose(planes, (0, 2, 3, 1)), tf.constant(_COLOURS.T, spectrum.dtype))


def decode_rgb(spectrum: Array, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Spectra (n, 2, 3, h, w // 2 + 1) as pictures of whole numbers, uint8 (n, h, w, 3) RGB."""
    import tensorflow as tf

    return np.rint(tf.sigmoid(decode_logits(tf.constant(spectrum), size)).numpy() * 255.0).astype(np.uint8)
