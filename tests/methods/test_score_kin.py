"""Score-CAM's kin: IS-CAM and SS-CAM against naive loops, closed forms and Score-CAM itself."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from formulas import close, enlarge, softmax
from keras import layers
from networks import CLASSES, FEATURES, GRID, SIZE, W, conv1, conv2, flat, gap, given, images, picture_input, settle

import camcore
from camcore.methods.perturbations import noise_field


def enlarged(a: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, one side after the other."""
    return enlarge(a.shape[0], size[0]) @ a @ enlarge(a.shape[1], size[1]).T


def norm(a: np.ndarray) -> np.ndarray:
    return (a - a.min()) / (a.max() - a.min())


def scorer(model: Any) -> Any:
    """A function from one image to its logits, the last activation left out by hand."""
    body = keras.Model(model.input, model.layers[-2].output)
    kernel, bias = model.layers[-1].get_weights()
    return lambda x: (np.asarray(body(x, training=False)) @ kernel + bias)[0]


def naive(model: Any, x: np.ndarray, A: np.ndarray, c: int, variant: str, masks: Any) -> np.ndarray:
    """One mask of one channel at a time. ``masks``: an upsampled channel (H, W) → its masks."""
    logits_of = scorer(model)
    channels = [k for k in range(A.shape[-1]) if np.ptp(A[..., k]) > 0]
    scores = []
    for k in channels:
        answers = [logits_of(x * m[None, :, :, None]) for m in masks(enlarged(A[..., k], x.shape[1:3]))]
        scores.append(np.mean([softmax(z)[c] if variant == "authors" else z[c] for z in answers]))
    weights = np.array(scores) if variant == "authors" else softmax(np.array(scores))
    return np.maximum(A[..., channels] @ weights, 0)


@pytest.fixture(scope="module")
def deep() -> tuple[Any, camcore.Network]:
    model = flat()
    return model, camcore.wrap(model)


@pytest.fixture(scope="module")
def partly_constant() -> tuple[Any, camcore.Network]:
    """Channel 2 is the same at every place."""
    kernel = np.random.default_rng(1).normal(0, 1, (1, 1, 3, 4))
    kernel[..., 2] = 0
    x = picture_input()
    y = given(layers.Conv2D(4, 1, dtype="float64", name="features"), kernel, np.full(4, 0.5))(x)
    end = given(layers.Dense(3, activation="softmax", dtype="float64"), W.w[:4, :3], W.b[:3])
    model = settle(keras.Model(x, end(gap()(y))))
    return model, camcore.wrap(model)


def activations(network: camcore.Network, x: np.ndarray, layer: str = "features") -> np.ndarray:
    return network.tap(x, [layer]).activations[layer][0]


# ---- IS-CAM


@pytest.mark.parametrize("variant", ["paper", "authors"])
@pytest.mark.parametrize("layer", ["features", "conv1"])
@pytest.mark.parametrize("n", [2, 5])
def test_iscam_against_a_naive_loop(deep, variant, layer, n):
    model, network = deep
    x = images(1, seed=3)
    A = activations(network, x, layer)
    found = camcore.ISCAM(network, layer, n=n, variant=variant)
    for c in range(CLASSES):
        wanted = naive(model, x, A, c, variant, lambda up: [i / n * norm(up) for i in range(1, n + 1)])
        close(found.compute_heatmap(x, c, raw=True), wanted)


def test_iscam_takes_ten_steps_unless_told(deep):
    model, network = deep
    x = images(1, seed=4)
    wanted = naive(model, x, activations(network, x), 1, "paper", lambda up: [i / 10 * norm(up) for i in range(1, 11)])
    close(camcore.ISCAM(network).compute_heatmap(x, 1, raw=True), wanted)


@pytest.mark.parametrize("variant", ["paper", "authors"])
def test_iscam_of_one_step_is_scorecam(deep, variant):
    _, network = deep
    x = images(3, seed=5)
    found = camcore.ISCAM(network, n=1, variant=variant).compute_heatmap(x, [0, 2, 3], raw=True)
    wanted = camcore.ScoreCAM(network, variant=variant).compute_heatmap(x, [0, 2, 3], raw=True)
    np.testing.assert_array_equal(found, wanted)
    assert np.abs(camcore.ISCAM(network, n=4, variant=variant).compute_heatmap(x, [0, 2, 3], raw=True) - wanted).max()


@pytest.mark.parametrize("n", [1, 3, 10])
@pytest.mark.parametrize("c", range(CLASSES))
def test_iscam_where_the_score_is_linear_in_the_input(n, c):
    """s_k = b + (n+1)/(2n) · (y(x ⊙ H_k) − b): the mean of 1/n … n/n."""
    r = np.random.default_rng(2)
    kernel = r.normal(0, 1, (2, 2, 3, FEATURES))
    x = picture_input()
    y = given(layers.Conv2D(FEATURES, 2, strides=2, dtype="float64", name="features"), kernel, np.zeros(FEATURES))
    w = 6 * W.w
    end = given(layers.Dense(CLASSES, activation="softmax", dtype="float64"), w, W.b)
    network = camcore.wrap(settle(keras.Model(x, end(gap()(y(x))))))
    evidence = np.tile(np.einsum("abck,k->abc", kernel, w[:, c]), (*GRID, 1)) / (GRID[0] * GRID[1])  # (12, 10, 3)
    pixels = images(1, seed=6)
    A = activations(network, pixels)
    full = np.array(
        [(pixels[0] * norm(enlarged(A[..., k], SIZE))[..., None] * evidence).sum() for k in range(FEATURES)]
    )
    weights = softmax((n + 1) / (2 * n) * full + W.b[c])
    assert weights.max() > 1.2 * weights.min()
    close(camcore.ISCAM(network, n=n).compute_heatmap(pixels, c, raw=True), np.maximum(A @ weights, 0))


# ---- SS-CAM


@pytest.mark.parametrize("variant", ["paper", "authors"])
@pytest.mark.parametrize(("sigma", "seed"), [(0.3, 0), (2.0, 7)])
def test_sscam_against_a_naive_loop(deep, variant, sigma, seed):
    model, network = deep
    x, n = images(1, seed=3), 3
    A = activations(network, x)
    fields = [noise_field(SIZE, sigma, seed, number).astype(np.float64) for number in range(n)]
    found = camcore.SSCAM(network, n=n, sigma=sigma, seed=seed, variant=variant)
    for c in range(CLASSES):
        wanted = naive(model, x, A, c, variant, lambda up: [norm(up + field) for field in fields])
        close(found.compute_heatmap(x, c, raw=True), wanted)


@pytest.mark.parametrize("variant", ["paper", "authors"])
def test_sscam_without_noise_is_scorecam(deep, variant):
    _, network = deep
    x = images(2, seed=5)
    wanted = camcore.ScoreCAM(network, variant=variant).compute_heatmap(x, [1, 3], raw=True)
    found = camcore.SSCAM(network, n=4, sigma=0, variant=variant).compute_heatmap(x, [1, 3], raw=True)
    close(found, wanted, 1e-7)


def test_sscam_is_seeded(deep):
    _, network = deep
    x = images(1, seed=5)

    def found(**options: Any) -> np.ndarray:
        return camcore.SSCAM(network, n=2, sigma=1.0, **options).compute_heatmap(x, 1, raw=True)

    np.testing.assert_array_equal(found(seed=3), found(seed=3))
    np.testing.assert_array_equal(found(), found(seed=0))
    assert np.abs(found(seed=3) - found(seed=4)).max() > 1e-4 * found(seed=3).max()


def test_the_noise_is_normal_and_every_field_is_another():
    fields = [noise_field((200, 150), 2.0, 1, number) for number in range(3)]
    for field in fields:
        assert field.shape == (200, 150)
        assert abs(field.mean()) < 5 * 2 / np.sqrt(field.size)
        assert field.std() == pytest.approx(2, rel=0.03)
        assert np.mean(np.abs(field) < 2) == pytest.approx(0.6827, abs=0.02)
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        assert abs(np.corrcoef(fields[a].ravel(), fields[b].ravel())[0, 1]) < 0.03
    np.testing.assert_array_equal(fields[1], noise_field((200, 150), 2.0, 1, 1))
    np.testing.assert_allclose(noise_field((200, 150), 4.0, 1, 1), 2 * fields[1], rtol=1e-6)
    assert (noise_field((200, 150), 2.0, 2, 1) != fields[1]).any()
    assert not noise_field((5, 4), 0.0, 0, 0).any()


# ---- both


@pytest.mark.parametrize("variant", ["paper", "authors"])
def test_a_constant_channel_takes_no_part(partly_constant, variant):
    """Noise would make a mask of it, but one that shows the noise alone."""
    model, network = partly_constant
    x = images(1)
    A = activations(network, x)
    assert np.ptp(A[..., 2]) == 0
    fields = [noise_field(SIZE, 0.5, 0, number).astype(np.float64) for number in range(2)]
    wanted = naive(model, x, A, 1, variant, lambda up: [norm(up + field) for field in fields])
    close(camcore.SSCAM(network, n=2, sigma=0.5, variant=variant).compute_heatmap(x, 1, raw=True), wanted)
    wanted = naive(model, x, A, 1, variant, lambda up: [norm(up) / 2, norm(up)])
    close(camcore.ISCAM(network, n=2, variant=variant).compute_heatmap(x, 1, raw=True), wanted)


@pytest.mark.parametrize("name", ["SSCAM", "ISCAM"])
@pytest.mark.parametrize("pictures", [1, 2, 5])
def test_the_size_of_a_chunk_is_of_no_account(deep, monkeypatch, name, pictures):
    _, network = deep
    x = images(1, seed=5)
    method = getattr(camcore, name)(network, n=3)
    whole = method.compute_heatmap(x, 0, raw=True)
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", pictures * SIZE[0] * SIZE[1])
    close(method.compute_heatmap(x, 0, raw=True), whole, 1e-7)


@pytest.mark.parametrize("name", ["SSCAM", "ISCAM"])
def test_the_authors_weigh_by_the_networks_own_probabilities(name):
    """A multi-label head: sigmoids, each class by itself, averaged as probabilities."""
    network = camcore.wrap(flat("sigmoid"))
    x, n = images(1, seed=3), 2
    A = activations(network, x)
    fields = [noise_field(SIZE, 0.4, 0, number).astype(np.float64) for number in range(n)]
    options = {"sigma": 0.4} if name == "SSCAM" else {}
    found = getattr(camcore, name)(network, n=n, variant="authors", **options)
    for c in range(CLASSES):
        weights = []
        for k in range(FEATURES):
            up = enlarged(A[..., k], SIZE)
            masks = [norm(up + f) for f in fields] if name == "SSCAM" else [norm(up) * i / n for i in (1, 2)]
            weights.append(np.mean([np.asarray(network.model(x * m[None, :, :, None]))[0, c] for m in masks]))
        close(found.compute_heatmap(x, c, raw=True), np.maximum(A @ np.array(weights), 0))


@pytest.mark.parametrize("name", ["ScoreCAM", "SSCAM", "ISCAM"])
def test_a_regression_has_no_probability_for_the_authors_to_weigh_by(name):
    """One linear output: its value itself is the weight."""
    x = picture_input()
    end = given(layers.Dense(1, dtype="float64"), W.w[:, 3:], W.b[3:])
    network = camcore.wrap(settle(keras.Model(x, end(gap()(conv2()(conv1()(x)))))))
    pixels = images(1, seed=3)
    A = activations(network, pixels)
    masks = [norm(enlarged(A[..., k], SIZE))[None, :, :, None] for k in range(FEATURES)]
    weights = np.array([network.logits(pixels * mask)[0, 0] for mask in masks])
    options = {"ScoreCAM": {}, "SSCAM": {"n": 1, "sigma": 0}, "ISCAM": {"n": 1}}[name]
    found = getattr(camcore, name)(network, variant="authors", **options).compute_heatmap(pixels, 0, raw=True)
    close(found, np.maximum(A @ weights, 0))
