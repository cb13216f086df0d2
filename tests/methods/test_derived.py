"""Finer-CAM, ShapleyCAM and Smooth Grad-CAM++ against closed forms, differences of scores, and naive loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from formulas import close, softmax
from keras import layers
from networks import CLASSES, FEATURES, GRID, W, flat, gap, given, head, images, one_unit, settle

import camcore
from camcore.graph.class_score import Score
from camcore.heatmaps.session import InputSession
from camcore.methods import METHODS

N = GRID[0] * GRID[1]
MANY = 8  # classes, so that three of them are some


def sigmoid(y: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-y))


def raw(network: Any, key: str, x: np.ndarray, c: int, layer: str = "features", **options: Any) -> Any:
    return getattr(camcore, METHODS[key].class_name)(network, layer, **options).compute_heatmap(x, c, raw=True)


def many_head(activation: str = "softmax") -> tuple[Any, np.ndarray, np.ndarray]:
    """The reference network with eight classes, and the weights of its head."""
    r = np.random.default_rng(31)
    w, b = r.normal(0, 0.8, (FEATURES, MANY)), r.normal(0, 0.5, MANY)
    end = given(layers.Dense(MANY, activation=activation, dtype="float64"), w, b)
    return camcore.wrap(head(gap(), end)), w, b


@pytest.fixture(scope="module")
def many() -> tuple[Any, np.ndarray, np.ndarray]:
    return many_head()


def pooled(network: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (h, w, K), its mean over the places, and the logits."""
    found = network.tap(x, ["features"])
    A = found.activations["features"][0]
    return A, A.mean(axis=(0, 1)), found.logits[0]


def nearest_three(y: np.ndarray, c: int) -> list[int]:
    others = [d for d in range(len(y)) if d != c]
    return sorted(others, key=lambda d: abs(y[d] - y[c]))[:3]


@pytest.fixture(scope="module")
def plain() -> Any:
    return camcore.wrap(flat())


@dataclass(frozen=True, eq=False)
class Curved:
    """conv1 (softplus) → features (tanh) → convolution (softplus) → average → Dense (tanh) → Dense → softmax."""

    network: Any
    front: Any  # the layers up to "features"
    back: Any  # the layers from there to the logits

    def features(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.front(x))

    def logits(self, A: np.ndarray) -> np.ndarray:
        return np.asarray(self.back(A))

    def gradient(self, A: np.ndarray, c: int) -> np.ndarray:
        """∂y_c/∂A, A (n, h, w, K), by TensorFlow's eager tape."""
        start = tf.constant(A)
        with tf.GradientTape() as tape:
            tape.watch(start)
            y = self.back(start)[:, c]
        return np.asarray(tape.gradient(y, start))


@pytest.fixture(scope="module")
def curved() -> Curved:
    r = np.random.default_rng(23)

    def conv(channels: tuple[int, int], size: int, activation: str, name: str) -> Any:
        layer = layers.Conv2D(channels[1], size, activation=activation, dtype="float64", name=name)
        return given(layer, r.normal(0, 0.4, (size, size, *channels)), r.normal(0.1, 0.2, channels[1]))

    def full(sides: tuple[int, int], activation: str | None) -> Any:
        return given(
            layers.Dense(sides[1], activation=activation, dtype="float64"),
            r.normal(0, 1, sides),
            r.normal(0, 0.3, sides[1]),
        )

    first, features = conv((3, 4), 2, "softplus", "first"), conv((4, 3), 2, "tanh", "features")
    more = conv((3, 4), 2, "softplus", "more")
    ends = [more, gap(), full((4, 6), "tanh"), full((6, 5), None)]
    x = keras.Input((7, 6, 3), dtype="float64")
    middle = features(first(x))
    y = middle
    for end in ends:
        y = end(y)
    model = settle(keras.Model(x, layers.Softmax(dtype="float64")(y)))
    inside = keras.Input(middle.shape[1:], dtype="float64")
    z = inside
    for end in ends:
        z = end(z)
    return Curved(camcore.wrap(model), keras.Model(x, middle), keras.Model(inside, z))


def curved_images(n: int = 1) -> np.ndarray:
    return images(n, size=(7, 6), seed=4)


def numeric_gradient(score: Any, A: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """∂score/∂A by central differences; ``score``: (m, h, w, K) → (m,)."""
    places = list(np.ndindex(A.shape))
    bumped = np.repeat(A[None], 2 * len(places), axis=0)
    for row, place in enumerate(places):
        bumped[(2 * row, *place)] += step
        bumped[(2 * row + 1, *place)] -= step
    s = np.asarray(score(bumped)).reshape(-1, 2)
    return ((s[:, 0] - s[:, 1]) / (2 * step)).reshape(A.shape)


# ---- Finer-CAM


def finer_by_hand(y: np.ndarray, c: int, against: list[int], alpha: float) -> np.ndarray:
    """∂s/∂y of s = Σ p_d (y_c − α y_d) / Σ p_d, p a softmax: quotient rule, term by term."""
    p = softmax(y)
    above, below = sum(p[d] * (y[c] - alpha * y[d]) for d in against), sum(p[d] for d in against)
    slope = np.zeros(len(y))
    for e in range(len(y)):
        d_above, d_below = 0.0, 0.0
        for d in against:
            dp = p[d] * ((d == e) - p[e])
            d_above += dp * (y[c] - alpha * y[d]) + p[d] * ((c == e) - alpha * (d == e))
            d_below += dp
        slope[e] = (d_above * below - above * d_below) / below**2
    return slope


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("against", [(), (3,), (6, 1), (0, 1, 5, 7)], ids=str)
@pytest.mark.parametrize("c", [2, 4])
def test_finercam_closed_form(many, c, against, alpha):
    network, w, b = many
    x = images(1)
    A, mean, y = pooled(network, x)
    close(y, mean @ w + b, 1e-12)
    compared = list(against) or nearest_three(y, c)
    slope = finer_by_hand(y, c, compared, alpha)
    G = network.tap(x, ["features"], [c], Score("finer", against, alpha)).gradients[0]["features"]
    close(G[0], np.broadcast_to(w @ slope / N, A.shape), 1e-10)
    close(raw(network, "finercam", x, c, against=against, alpha=alpha), np.maximum(A @ (w @ slope) / N, 0))


def test_finercam_differentiates_the_probabilities(many):
    """With p held fixed the map is another one: the test above would notice."""
    network, w, _ = many
    x, c = images(1), 2
    A, _, y = pooled(network, x)
    near = nearest_three(y, c)
    share = softmax(y[near])
    fixed = np.maximum(A @ (w[:, c] - w[:, near] @ share) / N, 0)
    found = raw(network, "finercam", x, c)
    assert np.abs(found - fixed).max() > 0.05 * np.abs(fixed).max()


def test_finercam_takes_the_three_nearest_logits_on_either_side(many):
    network, _, _ = many
    for seed in range(4):
        x = images(1, seed=seed)
        y = network.logits(x)[0]
        for c in range(MANY):
            near = nearest_three(y, c)
            np.testing.assert_array_equal(
                raw(network, "finercam", x, c), raw(network, "finercam", x, c, against=sorted(near))
            )
    assert {np.sign(y[d] - y[c]) for c in range(MANY) for d in nearest_three(y, c)} == {-1, 1}


def test_finercam_with_no_share_of_the_others_is_gradcam(many):
    network, _, _ = many
    close(raw(network, "finercam", images(1), 5, alpha=0.0), raw(network, "gradcam", images(1), 5))


def test_finercam_against_one_class_is_gradcam_of_the_difference(many):
    """Of one class p cancels: s = y_c − α y_d."""
    network, w, _ = many
    A, _, _ = pooled(network, images(1))
    found = raw(network, "finercam", images(1), 2, against=6, alpha=0.7)
    close(found, np.maximum(A @ (w[:, 2] - 0.7 * w[:, 6]) / N, 0))


@pytest.mark.parametrize("against", [(), (0, 4)], ids=str)
@pytest.mark.parametrize("layer", ["features", "first", "more"])
@pytest.mark.parametrize("c", [1, 3])
def test_finercam_by_central_differences(curved, layer, c, against):
    network, x, alpha = curved.network, curved_images(), 0.8
    A = network.tap(x, [layer]).activations[layer][0]
    behind = network.head(layer)
    chosen = list(against) or nearest_three(network.logits(x)[0], c)

    def score(A: np.ndarray) -> list[float]:
        found = []
        for y in behind(x, A):
            p = softmax(y)
            found.append(sum(p[d] * (y[c] - alpha * y[d]) for d in chosen) / sum(p[d] for d in chosen))
        return found

    numeric = numeric_gradient(score, A)
    G = network.tap(x, [layer], [c], Score("finer", against, alpha)).gradients[0][layer][0]
    close(G, numeric, 1e-6)
    wanted = np.maximum(A @ numeric.mean(axis=(0, 1)), 0)
    close(raw(network, "finercam", x, c, layer, against=against, alpha=alpha), wanted)


def test_finercam_of_independent_classes():
    """A multi-label head: p_d = σ(y_d), whose quotient does not cancel."""
    network, w, _ = many_head("sigmoid")
    x, c, near = images(1), 3, [0, 5, 6]
    A, _, y = pooled(network, x)
    p = sigmoid(y)
    slope, below = np.zeros(MANY), p[near].sum()
    slope[c] = 1
    for d in near:
        value = (p[near] * y[near]).sum() / below
        slope[d] = -(p[d] * (1 - p[d]) * (y[d] - value) + p[d]) / below
    close(raw(network, "finercam", x, c, against=near), np.maximum(A @ (w @ slope) / N, 0))


@pytest.mark.parametrize("c", [0, 1])
def test_finercam_of_two_classes_of_one_unit(c):
    """Logits −z and z: s = y_c − α y_d = (1 + α) y_c."""
    network = camcore.wrap(one_unit())
    close(raw(network, "finercam", images(1), c, alpha=0.5), 1.5 * raw(network, "gradcam", images(1), c))


def test_finercam_of_large_logits_is_finite():
    """Every p_d underflows in float32: their shares do not."""
    r = np.random.default_rng(3)
    w, b = r.normal(0, 1, (FEATURES, CLASSES)), np.array([0.0, 400, -300, -302])
    end = given(layers.Dense(CLASSES, activation="softmax", dtype="float64"), w, b)
    network = camcore.wrap(head(gap(), end))
    A, _, y = pooled(network, images(1))
    q = softmax(y[[2, 3]])
    spread = (q * y[[2, 3]]).sum()
    slope = w[:, 0] - w[:, [2, 3]] @ (q * (1 + y[[2, 3]] - spread))
    close(raw(network, "finercam", images(1), 0, against=(2, 3)), np.maximum(A @ slope / N, 0))


def test_finercam_refuses_to_compare_a_class_with_itself(many):
    network, _, _ = many
    with pytest.raises(camcore.MethodError, match="cannot be compared with itself"):
        raw(network, "finercam", images(1), 2, against=(1, 2))
    with pytest.raises(camcore.ModelError, match="no class 8"):
        raw(network, "finercam", images(1), 2, against=(8,))


# ---- ShapleyCAM


@pytest.mark.parametrize("layer", ["features", "conv1"])
@pytest.mark.parametrize("c", range(CLASSES))
def test_shapleycam_is_gradcam_behind_a_piecewise_linear_head(plain, layer, c):
    network, x = plain, images(1)
    _, curvature, _ = InputSession(network, x).curvature(layer, c, Score())
    assert not curvature.any()
    close(raw(network, "shapleycam", x, c, layer), raw(network, "gradcam", x, c, layer), 1e-7)


def test_shapleycam_closed_form_behind_softplus():
    """y_c = Σ_j v_jc softplus(z_j), z = Uᵀ mean(A) + u: G and H·A are known."""
    r = np.random.default_rng(12)
    U, u, v = r.normal(0, 1, (FEATURES, 5)), r.normal(0, 0.5, 5), r.normal(0, 1, (5, CLASSES))
    hidden = given(layers.Dense(5, activation="softplus", dtype="float64"), U, u)
    end = given(layers.Dense(CLASSES, activation="softmax", dtype="float64"), v, np.zeros(CLASSES))
    network, x = camcore.wrap(head(gap(), hidden, end)), images(1)
    A, mean, _ = pooled(network, x)
    z = mean @ U + u
    for c in range(CLASSES):
        slope = U @ (v[:, c] * sigmoid(z)) / N
        bend = U @ (v[:, c] * sigmoid(z) * (1 - sigmoid(z)) * (z - u)) / N
        G, HA, _ = InputSession(network, x).curvature("features", c, Score())
        close(G, np.broadcast_to(slope, A.shape), 1e-10)
        close(HA, np.broadcast_to(bend, A.shape), 1e-10)
        assert np.abs(bend).max() > 0.01 * np.abs(slope).max()
        wanted = np.maximum(A @ (slope - bend / 2), 0)
        if wanted.any():
            close(raw(network, "shapleycam", x, c), wanted)


@pytest.mark.parametrize("c", range(5))
def test_shapleycam_by_differences_of_the_gradient(curved, c):
    x, step = curved_images(), 1e-5
    A = curved.features(x)
    G = curved.gradient(A, c)
    HA = (curved.gradient(A * (1 + step), c) - curved.gradient(A * (1 - step), c)) / (2 * step)
    found_G, found_HA, _ = InputSession(curved.network, x).curvature("features", c, Score())
    close(found_G, G[0], 1e-10)
    close(found_HA, HA[0], 1e-7)
    assert np.abs(HA).max() > 0.01 * np.abs(G).max()
    wanted = np.maximum(A[0] @ (G - HA / 2)[0].mean(axis=(0, 1)), 0)
    found = raw(curved.network, "shapleycam", x, c)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.abs(A[0] @ G[0].mean(axis=(0, 1))).max())


@pytest.mark.parametrize("c", range(MANY))
def test_shapleycam_rest_closed_form(many, c):
    """s = y_c + log p_c = 2 y_c − log Σ exp y: ∂s/∂y = 2 e_c − p and ∂²s/∂y² = p pᵀ − diag p."""
    network, w, _ = many
    x = images(1)
    A, mean, y = pooled(network, x)
    p = softmax(y)
    first = 2 * np.eye(MANY)[c] - p
    second = np.outer(p, p) - np.diag(p)
    G, HA, _ = InputSession(network, x).curvature("features", c, Score("rest"))
    close(G, np.broadcast_to(w @ first / N, A.shape), 1e-10)
    close(HA, np.broadcast_to(w @ second @ (mean @ w) / N, A.shape), 1e-10)
    wanted = A @ (w @ first - w @ second @ (mean @ w) / 2) / N
    found = raw(network, "shapleycam", x, c, variant="rest")
    np.testing.assert_allclose(found, np.maximum(wanted, 0), rtol=0, atol=1e-6 * np.abs(wanted).max())


def test_shapleycam_rest_of_independent_classes():
    """p = σ(y): s = y + log σ(y), s' = 2 − σ(y), s'' = −σ(y)(1 − σ(y)); no other class has a part in it."""
    network, w, _ = many_head("sigmoid")
    A, mean, y = pooled(network, images(1))
    for c in range(MANY):
        p = sigmoid(y[c])
        wanted = A @ w[:, c] / N * (2 - p + p * (1 - p) * (mean @ w[:, c]) / 2)
        found = raw(network, "shapleycam", images(1), c, variant="rest")
        np.testing.assert_allclose(found, np.maximum(wanted, 0), rtol=0, atol=1e-6 * np.abs(wanted).max())


# ---- Smooth Grad-CAM++


def by_the_paper(A: np.ndarray, G1: np.ndarray, G2: np.ndarray, G3: np.ndarray) -> np.ndarray:
    """Omeiza 2019: Grad-CAM++'s weights of averaged derivatives, in loops."""
    h, w, channels = A.shape
    result = np.zeros((h, w))
    for k in range(channels):
        weight = 0.0
        for i in range(h):
            for j in range(w):
                below = 2 * G2[i, j, k] + A[..., k].sum() * G3[i, j, k]
                weight += G2[i, j, k] / below * max(G1[i, j, k], 0) if below else 0.0
        result += weight * A[..., k]
    return np.maximum(result, 0)


@pytest.mark.parametrize("c", range(3))
def test_one_copy_without_noise_is_gradcam_plus_plus(curved, c):
    x = curved_images()
    A = curved.features(x)
    G = curved.gradient(A, c)[0]
    wanted = by_the_paper(A[0], G, G**2, G**3)
    found = raw(curved.network, "smoothgradcam++", x, c, n=1, sigma=0.0)
    scale = np.abs(wanted).max() or 1
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * scale)
    np.testing.assert_allclose(raw(curved.network, "gradcam++", x, c), wanted, rtol=0, atol=1e-6 * scale)


def test_one_copy_without_noise_on_the_reference_network(plain):
    """G = W_kc / N everywhere: the weights are relu(W_kc) / (2 + S_k W_kc / N)."""
    network, x = plain, images(1)
    A, _, _ = pooled(network, x)
    S = A.sum(axis=(0, 1))
    for c in range(CLASSES):
        weights = np.maximum(W.w[:, c], 0) / (2 + S * W.w[:, c] / N)
        close(raw(network, "smoothgradcam++", x, c, n=1, sigma=0.0), A @ weights)
        close(raw(network, "smoothgradcam++", x, c, n=3, sigma=0.5), A @ weights)  # whatever the noise: G is constant


@pytest.mark.parametrize(("n", "sigma", "seed"), [(3, 0.15, 0), (11, 0.4, 5)], ids=["one pass", "two passes"])
@pytest.mark.parametrize("c", [0, 4])
def test_moments_by_a_loop_over_the_noisy_copies(curved, c, n, sigma, seed):
    x = curved_images()
    rng = np.random.default_rng(seed)
    sums = [0.0, 0.0, 0.0]
    for _ in range(n):
        noisy = x + sigma * (x.max() - x.min()) * rng.standard_normal(x.shape)
        G = curved.gradient(curved.features(noisy), c)[0]
        sums = [total + G**order for total, order in zip(sums, (1, 2, 3), strict=True)]
    wanted = [total / n for total in sums]
    for found, moment in zip(
        InputSession(curved.network, x).noisy_moments("features", c, n, sigma, seed), wanted, strict=True
    ):
        close(found, moment, 1e-9)
    assert np.abs(wanted[1] - wanted[0] ** 2).max() > 1e-3 * np.abs(wanted[1]).max(), "the noise is of account"
    A = curved.features(x)[0]
    result = by_the_paper(A, *wanted)
    found = raw(curved.network, "smoothgradcam++", x, c, n=n, sigma=sigma, seed=seed)
    np.testing.assert_allclose(found, result, rtol=0, atol=1e-6 * (np.abs(result).max() or 1))


def test_noise_is_seeded(curved):
    x = curved_images()
    one, same, other = (
        InputSession(curved.network, x).noisy_moments("features", 1, 4, 0.2, seed)[0] for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    first, again = (raw(curved.network, "smoothgradcam++", x, 1, n=4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_smoothgradcam_plus_plus_where_denominators_are_zero_or_change_sign():
    A = np.ones((2, 2, 2))
    G1 = np.full((2, 2, 2), 0.5)
    G2 = np.full((2, 2, 2), 1.0)
    G3 = np.stack([np.full((2, 2), -0.5), np.full((2, 2), 0.5)], axis=-1)  # 2 + 4·(−½) = 0, and 2 + 4·½ = 4
    info = METHODS["smoothgradcam++"]
    close(info.weights(A, G1, G2, G3), [0, 4 * 0.5 / 4], 1e-12)
    close(info.compute(A, G1, G2, G3), np.full((2, 2), 0.5), 1e-12)
    assert info.caution(A, G1, G2, G3) is None
    assert "50%" in info.caution(A, G1, G2, np.where(G3 < 0, -2.0, G3))


# ---- all of them


@pytest.mark.parametrize("key", ["finercam", "shapleycam", "smoothgradcam++"])
def test_several_classes_and_layers_at_once_are_what_they_are_alone(plain, key):
    network = plain
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8))
    options = {key: {"n": 2}} if key == "smoothgradcam++" else {}
    for m in camcore.explain(network, pic, key, ["conv1", "features"], [3, 0], options=options):
        (alone,) = camcore.explain(network, pic, key, m.layer, m.class_index, options=options)
        close(m.raw, alone.raw, 1e-6) if alone.raw.any() else np.testing.assert_array_equal(m.raw, alone.raw)
