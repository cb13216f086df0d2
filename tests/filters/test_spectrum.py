"""Spectra become pictures: against numpy's Fourier transform, and identities of the weights."""

import numpy as np
import pytest
import tensorflow as tf

from camcore.filters.ascent import AscentRecipe, crop, random_view
from camcore.filters.spectrum import _COLOURS, decode_logits, decode_rgb, frequency_weights, initial_spectrum

SIZES = [(12, 10), (9, 7)]


@pytest.mark.parametrize("size", SIZES)
def test_a_drawing_is_the_inverse_transform_in_decorrelated_colours(size: tuple[int, int]) -> None:
    z = np.random.default_rng(0).normal(0, 1, (2, 2, 3, size[0], size[1] // 2 + 1))
    planes = np.fft.irfft2((z[:, 0] + 1j * z[:, 1]) * frequency_weights(size), size)
    expected = np.einsum("nkhw,ck->nhwc", planes, _COLOURS)
    np.testing.assert_allclose(decode_logits(tf.constant(z), size).numpy(), expected, atol=1e-10)
    rgb = decode_rgb(z, size)
    assert rgb.dtype == np.uint8
    np.testing.assert_array_equal(rgb, np.rint(255 / (1 + np.exp(-expected))).astype(np.uint8))


@pytest.mark.parametrize("size", SIZES)
def test_total_variation_is_a_sum_of_squares(size: tuple[int, int]) -> None:
    """(f·F)² is the same multiple of z² at every frequency but the mean's."""
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    share = (frequency * frequency_weights(size)).ravel()
    assert share[0] == 0
    np.testing.assert_allclose(share[1:], np.sqrt(size[0] * size[1]), rtol=1e-12)


def test_the_beginning_depends_on_seed_and_channel_only() -> None:
    np.testing.assert_array_equal(initial_spectrum((8, 8), 3, 5), initial_spectrum((8, 8), 3, 5))
    assert not np.array_equal(initial_spectrum((8, 8), 3, 5), initial_spectrum((8, 8), 3, 6))
    assert not np.array_equal(initial_spectrum((8, 8), 3, 5), initial_spectrum((8, 8), 4, 5))
    assert np.ptp(decode_rgb(initial_spectrum((32, 32), 0, 0)[np.newaxis], (32, 32)).astype(int)) < 64, "an even grey"


PICTURE = np.random.default_rng(1).uniform(0, 1, (2, 6, 8, 3)).astype(np.float32)


@pytest.mark.parametrize(("edges", "expected"), [
    ([0, 0, 5, 7], PICTURE),
    ([2, 0, 7, 7], np.roll(PICTURE, -2, axis=1)),
    ([-1, -3, 4, 4], np.roll(PICTURE, (1, 3), axis=(1, 2))),
])  # fmt: skip
def test_a_whole_shift_rolls_the_picture(edges: list[float], expected: np.ndarray) -> None:
    seen = crop(tf.constant(PICTURE), tf.constant(edges, tf.float32), margin=3)
    np.testing.assert_allclose(seen.numpy(), expected, atol=1e-5)


def test_the_look_is_differentiated_exactly() -> None:
    """It is linear, so <look(a), b> = <a, lookᵀ(b)>, and the tape has to give lookᵀ."""
    edges = tf.constant([-0.7, 0.4, 4.9, 7.8], tf.float32)
    a, b = (np.random.default_rng(i).normal(0, 1, PICTURE.shape).astype(np.float32) for i in range(2))
    with tf.GradientTape() as tape:
        picture = tf.constant(PICTURE)
        tape.watch(picture)
        seen = crop(picture, edges, 3)
    back = tape.gradient(seen, picture, output_gradients=tf.constant(b)).numpy()
    assert (crop(tf.constant(a), edges, 3).numpy() * b).sum() == pytest.approx((a * back).sum(), rel=1e-4)


def test_shakes_stay_within_their_bounds_and_repeat() -> None:
    recipe, size = AscentRecipe(jitter=0.1, zoom=0.2), (20, 30)
    for step in range(50):
        edges = random_view(recipe, size, 7, step)
        np.testing.assert_array_equal(edges, random_view(recipe, size, 7, step))
        lengths, middles = (edges[2:] - edges[:2]) / (19, 29), (edges[2:] + edges[:2]) / 2
        assert np.all((lengths >= 0.8 - 1e-6) & (lengths <= 1.2 + 1e-6))
        assert np.all(np.abs(middles - (9.5, 14.5)) <= np.array([1.9, 2.9]) + 1e-5)
    np.testing.assert_array_equal(random_view(AscentRecipe(jitter=0.0, zoom=0.0), size, 0, 3), [0, 0, 19, 29])
