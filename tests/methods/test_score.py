"""The Score-CAM family on networks whose masked scores can be worked out by hand, and against a naive loop."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from formulas import close, enlarge, softmax
from keras import layers
from networks import CLASSES, FEATURES, GRID, SIZE, W, flat, gap, given, images, picture_input, settle

import camcore
from camcore.methods import METHODS
from camcore.methods.inputs import PerturbedScores
from camcore.methods.perturbations import channel_order


def mask(a: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    up = enlarge(a.shape[0], size[0]) @ a @ enlarge(a.shape[1], size[1]).T
    return (up - up.min()) / (up.max() - up.min())


def asked(scores: np.ndarray) -> PerturbedScores:
    """Answers for channels 0, 1, …, one mask each."""
    return PerturbedScores(np.arange(len(scores)), scores[:, None], scores[:, None], 0.0, 0.0, SIZE)


# ---- a score that is linear in the input


@pytest.fixture(scope="module")
def linear_network():
    """A 2×2 convolution without overlap or activation → GAP → Dense: y_c = Σ_p x_p · E_pc + b_c."""
    r = np.random.default_rng(2)
    kernel = r.normal(0, 1, (2, 2, 3, FEATURES))
    x = picture_input()
    y = given(layers.Conv2D(FEATURES, 2, strides=2, dtype="float64", name="features"), kernel, np.zeros(FEATURES))
    w = 6 * W.w  # far enough apart that the softmax over channels tells them apart
    end = given(layers.Dense(CLASSES, activation="softmax", dtype="float64"), w, W.b)
    model = settle(keras.Model(x, end(gap()(y(x)))))
    tile = np.tile(kernel, (*GRID, 1, 1)) / (GRID[0] * GRID[1])  # (12, 10, 3, K)
    return camcore.wrap(model), np.einsum("abck,kd->abcd", tile, w)


def by_hand(network: Any, evidence: np.ndarray, x: np.ndarray, c: int, variant: str) -> np.ndarray:
    A = network.tap(x, ["features"]).activations["features"][0]
    scores = []
    for k in range(FEATURES):
        masked = x[0] * mask(A[..., k], SIZE)[..., None]
        logits = np.einsum("abc,abcd->d", masked, evidence) + W.b
        scores.append(softmax(logits)[c] if variant == "authors" else logits[c])
    weights = np.array(scores) if variant == "authors" else softmax(np.array(scores))
    assert weights.max() > 1.5 * weights.min()
    return np.maximum(A @ weights, 0)


@pytest.mark.parametrize("variant", ["paper", "authors"])
@pytest.mark.parametrize("c", range(CLASSES))
def test_linear_score_by_hand(linear_network, variant, c):
    network, evidence = linear_network
    x = images(1, seed=6)
    logits = np.einsum("abc,abcd->d", x[0], evidence) + W.b
    close(network.logits(x)[0], logits, 1e-10)
    found = camcore.ScoreCAM(network, variant=variant).compute_heatmap(x, c, raw=True)
    close(found, by_hand(network, evidence, x, c, variant))


def test_the_black_baseline_changes_nothing(linear_network):
    """The paper subtracts the score of the zero input from each s_k; the softmax takes no notice."""
    A = np.random.default_rng(0).random((4, 5, 7))
    s = np.random.default_rng(1).normal(0, 3, 7)
    compute = METHODS["scorecam"].compute
    close(compute(A, asked(s - 11.5)), compute(A, asked(s)), 1e-12)


def test_huge_scores_do_not_overflow():
    A = np.random.default_rng(0).random((4, 5, 3))
    close(METHODS["scorecam"].compute(A, asked(np.array([1e5, -1e5, 2e4]))), A[..., 0], 1e-12)


# ---- a deep network, against a loop with real masks


def naive(model: Any, x: np.ndarray, A: np.ndarray, c: int, variant: str, keep: int | None = None) -> np.ndarray:
    """One channel at a time through the Keras model itself, the mask by tf.image.resize."""
    logits_of = keras.Model(model.input, model.layers[-2].output)
    kernel, bias = model.layers[-1].get_weights()
    channels = [k for k in range(A.shape[-1]) if np.ptp(A[..., k]) > 0]
    if keep is not None:
        channels = sorted(channels, key=lambda k: -A[..., k].var())[:keep]
    scores = []
    for k in channels:
        up = tf.image.resize(A[..., k : k + 1], x.shape[1:3], "bilinear").numpy().astype(np.float64)
        up = (up - up.min()) / (up.max() - up.min())
        logits = (logits_of(x * up[None], training=False).numpy() @ kernel + bias)[0]
        scores.append(softmax(logits)[c] if variant == "authors" else logits[c])
    weights = np.array(scores) if variant == "authors" else softmax(np.array(scores))
    return np.maximum(A[..., channels] @ weights, 0)


@pytest.fixture(scope="module")
def deep():
    model = flat()
    return model, camcore.wrap(model)


@pytest.mark.parametrize("variant", ["paper", "authors"])
@pytest.mark.parametrize("layer", ["features", "conv1"])
def test_against_a_naive_loop(deep, variant, layer):
    model, network = deep
    x = images(2, seed=3)
    A = network.tap(x, [layer]).activations[layer]
    found = camcore.ScoreCAM(network, layer, variant=variant).compute_heatmap(x, [1, 3], raw=True)
    for i, c in enumerate([1, 3]):
        close(found[i], naive(model, x[i : i + 1], A[i], c, variant))


@pytest.mark.parametrize("c", range(CLASSES))
def test_the_authors_weigh_by_the_networks_own_probabilities(c):
    """A multi-label head: sigmoids, each class by itself."""
    network = camcore.wrap(flat("sigmoid"))
    x = images(1, seed=3)
    A = network.tap(x, ["features"]).activations["features"][0]
    weights = []
    for k in range(FEATURES):
        masked = x * mask(A[..., k], SIZE)[None, ..., None]
        weights.append(float(np.asarray(network.model(masked))[0, c]))
    found = camcore.ScoreCAM(network, variant="authors").compute_heatmap(x, c, raw=True)
    close(found, np.maximum(A @ np.array(weights), 0))


@pytest.mark.parametrize("variant", ["paper", "authors"])
@pytest.mark.parametrize("n", [1, 2, 4, FEATURES, 50])
def test_faster_is_scorecam_over_the_n_most_varied_channels(deep, variant, n):
    model, network = deep
    x = images(1, seed=4)
    A = network.tap(x, ["features"]).activations["features"][0]
    found = camcore.FasterScoreCAM(network, n=n, variant=variant).compute_heatmap(x, 1, raw=True)
    close(found, naive(model, x, A, 1, variant, keep=n))
    if n >= FEATURES:
        close(found, camcore.ScoreCAM(network, variant=variant).compute_heatmap(x, 1, raw=True), 1e-7)


def test_more_channels_than_a_chunk(deep, monkeypatch):
    _, network = deep
    x = images(1, seed=5)
    whole = camcore.ScoreCAM(network).compute_heatmap(x, 0, raw=True)
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", 2 * SIZE[0] * SIZE[1])
    close(camcore.ScoreCAM(network).compute_heatmap(x, 0, raw=True), whole, 1e-7)


# ---- the order of the channels


def test_order_is_by_variance_without_constant_channels():
    A = np.zeros((3, 4, 6))
    r = np.random.default_rng(0)
    for k, spread in [(0, 1.0), (2, 5.0), (4, 0.1), (5, 2.0)]:
        A[..., k] = r.normal(10 * k, spread, (3, 4))
    A[..., 3] = 7.25  # constant, not zero
    assert channel_order(A).tolist() == [2, 5, 0, 4]


def test_ties_keep_their_order():
    A = np.repeat(np.random.default_rng(0).random((3, 3, 1)), 5, axis=-1)
    assert channel_order(A).tolist() == [0, 1, 2, 3, 4]


def test_a_constant_channel_takes_no_part(deep):
    """It would have no mask; with a weight of its own it would also take from all others' softmax."""
    x = picture_input()
    kernel, bias = np.random.default_rng(1).normal(0, 1, (1, 1, 3, 4)), np.full(4, 0.5)
    kernel[..., 2] = 0
    y = given(layers.Conv2D(4, 1, dtype="float64", name="features"), kernel, bias)(x)
    end = given(layers.Dense(3, activation="softmax", dtype="float64"), W.w[:4, :3], W.b[:3])
    network = camcore.wrap(settle(keras.Model(x, end(gap()(y)))))
    pixels = images(1)
    A = network.tap(pixels, ["features"]).activations["features"][0]
    assert np.ptp(A[..., 2]) == 0
    wanted = naive(network.model, pixels, A, 1, "paper")
    close(camcore.ScoreCAM(network).compute_heatmap(pixels, 1, raw=True), wanted)


def test_no_channel_at_all_gives_an_empty_map():
    compute = METHODS["scorecam"].compute
    for variant in ("paper", "authors"):
        found = compute(np.ones((3, 2, 4)), asked(np.empty(0)), variant=variant)
        np.testing.assert_array_equal(found, np.zeros((3, 2)))
