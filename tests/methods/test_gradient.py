"""The gradient family against closed forms, the papers' formulas in plain loops, and laws."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from formulas import close
from keras import layers
from networks import (
    CLASSES,
    FEATURES,
    GRID,
    W,
    conv1,
    conv2,
    dense,
    flat,
    given,
    images,
    picture_input,
    settle,
)

import camcore
from camcore.methods import METHODS

N = GRID[0] * GRID[1]


def random_case(seed: int, h: int = 5, w: int = 4, k: int = 7) -> tuple[np.ndarray, np.ndarray]:
    r = np.random.default_rng(seed)
    return np.maximum(r.normal(0.3, 1, (h, w, k)), 0), r.normal(0, 1, (h, w, k))


# ---- Conv → ReLU → GAP → Dense: everything is known


@pytest.fixture(scope="module")
def gap_network() -> camcore.Network:
    return camcore.wrap(flat())


@pytest.fixture(scope="module")
def gap_case(gap_network):
    """x (3 images), A (3, h, w, K), S (3, K), logits."""
    x = images(3)
    found = gap_network.tap(x, [gap_network.default_layer])
    A = found.activations[gap_network.default_layer]
    return x, A, A.sum(axis=(1, 2)), found.logits


def heatmap(network: Any, key: str, x: np.ndarray, classes: Any, layer: Any = None, **options: Any) -> Any:
    return getattr(camcore, METHODS[key].class_name)(network, layer, **options).compute_heatmap(x, classes, raw=True)


def test_activations_are_those_of_a_convolution_by_hand(gap_network):
    """Both convolutions in plain numpy, with TensorFlow's SAME padding."""
    x = images(1)[0]

    def convolve(x, kernel, bias, stride):
        sides = [-(-side // stride) for side in x.shape[:2]]
        total = [max((n - 1) * stride + 3 - side, 0) for n, side in zip(sides, x.shape[:2], strict=True)]
        padded = np.pad(x, [(t // 2, t - t // 2) for t in total] + [(0, 0)])
        out = np.empty((*sides, kernel.shape[3]))
        for i in range(sides[0]):
            for j in range(sides[1]):
                window = padded[i * stride : i * stride + 3, j * stride : j * stride + 3]
                out[i, j] = np.einsum("abc,abck->k", window, kernel) + bias
        return np.maximum(out, 0)

    wanted = convolve(convolve(x, W.k1, W.b1, 2), W.k2, W.b2, 1)
    found = gap_network.tap(x, ["features"])
    close(found.activations["features"][0], wanted, 1e-12)
    close(found.logits[0], wanted.mean(axis=(0, 1)) @ W.w + W.b, 1e-12)


def test_the_case_tells_methods_apart(gap_case):
    """Signs of both kinds, dead cells and live ones: or the tests below would prove little."""
    _, A, S, _ = gap_case
    assert (S > 0).all()
    assert 0.1 < (A == 0).mean() < 0.9
    for c in range(CLASSES):
        assert (W.w[:, c] > 0).any()
        assert (W.w[:, c] < 0).any()


@pytest.mark.parametrize("c", range(CLASSES))
def test_gap_dense_closed_forms(gap_network, gap_case, c):
    x, A, S, logits = gap_case
    w = W.w[:, c]
    g = w / N
    cam = A @ w
    close(heatmap(gap_network, "cam", x, c), cam)
    close(heatmap(gap_network, "gradcam", x, c), np.maximum(cam, 0) / N)
    close(heatmap(gap_network, "hirescam", x, c), cam / N)
    close(heatmap(gap_network, "xgradcam", x, c), np.maximum(cam, 0) / N)
    close(heatmap(gap_network, "layercam", x, c), np.maximum(A @ np.maximum(g, 0), 0))
    close(heatmap(gap_network, "elementwise", x, c), np.maximum(A * g, 0).sum(axis=-1))
    alpha = N * np.maximum(g, 0) / (2 + S * g)
    close(heatmap(gap_network, "gradcam++", x, c), np.einsum("nijk,nk->nij", A, alpha))
    # Authors: the gradient is the same everywhere, so α is 1/N at each place where it is positive.
    close(heatmap(gap_network, "gradcam++", x, c, variant="authors"), A @ np.maximum(g, 0))
    close(cam.mean(axis=(1, 2)) + W.b[c], logits[:, c], 1e-12)


def test_cam_and_offset_add_up_to_the_logit(gap_network):
    pic = camcore.Picture.from_array(np.random.default_rng(3).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    for m in camcore.explain(gap_network, pic, "cam", classes=range(CLASSES)):
        assert m.offset == pytest.approx(W.b[m.class_index], rel=1e-6)
        assert m.raw.mean(dtype=np.float64) + m.offset == pytest.approx(m.logit, rel=1e-6)


# ---- Conv → ReLU → Flatten → Dense


@pytest.fixture(scope="module")
def flatten_network():
    r = np.random.default_rng(11)
    w, b = r.normal(0, 1, (N * FEATURES, CLASSES)), r.normal(0, 1, CLASSES)
    x = picture_input()
    y = conv2()(conv1()(x))
    end = given(layers.Dense(CLASSES, activation="softmax", dtype="float64"), w, b)
    model = settle(keras.Model(x, end(layers.Flatten(dtype="float64")(y))))
    return camcore.wrap(model), w.reshape(*GRID, FEATURES, CLASSES), b


@pytest.mark.parametrize("c", range(CLASSES))
def test_flatten_dense_closed_forms(flatten_network, c):
    network, w, b = flatten_network
    x = images(2)
    assert network.default_layer == "features"
    found = network.tap(x, ["features"], [c])
    A, G = found.activations["features"], found.gradients[0]["features"]
    close(G, np.broadcast_to(w[..., c], A.shape), 1e-12)
    hires = heatmap(network, "hirescam", x, c)
    close(hires, (A * w[..., c]).sum(axis=-1))
    close(hires.sum(axis=(1, 2), dtype=np.float64) + b[c], found.logits[:, c])
    close(heatmap(network, "gradcam", x, c), np.maximum(A @ w[..., c].mean(axis=(0, 1)), 0))


# ---- Conv → tanh → GAP → Dense → ReLU → Dense: G by central differences


@pytest.fixture(scope="module")
def curved_network():
    """Three nonlinear steps behind the layer, none at a kink."""
    r = np.random.default_rng(17)
    x = picture_input(size=(6, 5))
    y = given(
        layers.Conv2D(3, 3, dtype="float64", activation="tanh", name="features"),
        r.normal(0, 0.3, (3, 3, 3, 3)),
        r.normal(0, 0.1, 3),
    )(x)
    z = layers.Conv2D(4, 2, activation="tanh", dtype="float64", name="more")
    z = given(z, r.normal(0, 0.5, (2, 2, 3, 4)), np.zeros(4))(y)
    hidden = given(layers.Dense(6, activation="relu", dtype="float64"), r.normal(0, 1, (4, 6)), r.normal(0.3, 0.3, 6))
    end = given(layers.Dense(3, activation="softmax", dtype="float64"), r.normal(0, 1, (6, 3)), np.zeros(3))
    return camcore.wrap(settle(keras.Model(x, end(hidden(layers.GlobalAveragePooling2D(dtype="float64")(z))))))


@pytest.mark.parametrize("layer", ["features", "more"])
@pytest.mark.parametrize("c", range(3))
def test_gradients_are_those_of_central_differences(curved_network, layer, c):
    network = curved_network
    x = images(1, size=(6, 5))
    found = network.tap(x, [layer], [c])
    A, G = found.activations[layer], found.gradients[0][layer]
    head, step = network.head(layer), 1e-5
    flat_index = list(np.ndindex(A.shape[1:]))
    bumped = np.repeat(A, 2 * len(flat_index), axis=0)
    for row, place in enumerate(flat_index):
        bumped[(2 * row, *place)] += step
        bumped[(2 * row + 1, *place)] -= step
    y = head(x, bumped)[:, c].reshape(-1, 2)
    numeric = ((y[:, 0] - y[:, 1]) / (2 * step)).reshape(A.shape[1:])
    assert np.abs(numeric).max() > 1e-3
    np.testing.assert_allclose(G[0], numeric, rtol=1e-5, atol=1e-5 * np.abs(numeric).max())


# ---- the papers' formulas, in loops, on activations and gradients of any kind


def by_the_paper(A: np.ndarray, G: np.ndarray) -> np.ndarray:
    """Chattopadhay 2018, equations 10 to 19, term by term; a score small enough for exp."""
    score = np.exp(1.5)
    h, w, channels = A.shape
    result = np.zeros((h, w))
    for k in range(channels):
        first, second, third = score * G[..., k], score * G[..., k] ** 2, score * G[..., k] ** 3
        weight = 0.0
        for i in range(h):
            for j in range(w):
                below = 2 * second[i, j] + A[..., k].sum() * third[i, j]
                alpha = second[i, j] / below if below else 0.0
                weight += alpha * max(first[i, j], 0)
        result += weight / score * A[..., k]
    return np.maximum(result, 0)


def by_the_authors(A: np.ndarray, G: np.ndarray) -> np.ndarray:
    """adityac94/Grad_CAM_plus_plus: alphas divided by their sum over the places of positive gradient."""
    numerator = G**2
    below = 2 * G**2 + G**3 * A.sum(axis=(0, 1))
    alphas = numerator / np.where(below != 0, below, 1)
    positive = np.maximum(G, 0)
    norm = np.where(positive != 0, alphas, 0).sum(axis=(0, 1))
    alphas = alphas / np.where(norm != 0, norm, 1)
    return np.maximum(A @ (positive * alphas).sum(axis=(0, 1)), 0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_gradcam_plus_plus_both_forms(seed, scale):
    A, G = random_case(seed)
    G = G * scale
    compute = METHODS["gradcam++"].compute
    close(compute(A, G), by_the_paper(A, G), 1e-10)
    close(compute(A, G, variant="authors"), by_the_authors(A, G), 1e-10)


@pytest.mark.parametrize("form", ["paper", "authors"])
def test_gradcam_plus_plus_with_activations_of_both_signs(form):
    r = np.random.default_rng(4)
    A, G = r.normal(0, 1, (4, 4, 6)), r.normal(0, 0.3, (4, 4, 6))
    wanted = by_the_paper(A, G) if form == "paper" else by_the_authors(A, G)
    close(METHODS["gradcam++"].compute(A, G, variant=form), wanted, 1e-9)


def test_gradcam_plus_plus_of_tiny_gradients_does_not_underflow():
    """In float32 G² of 1e-25 is 0; the weights are relu(G) / (2 + S·G), which is relu(G) / 2."""
    A = np.ones((3, 3, 2), np.float32)
    G = np.full((3, 3, 2), 1e-25, np.float32)
    close(METHODS["gradcam++"].compute(A, G), np.full((3, 3), 9 * 2 * 1e-25 / 2), 1e-5)


def test_gradcam_plus_plus_where_the_denominator_is_zero():
    """S·G = −2: α is 0 there, and nothing is NaN."""
    A = np.full((2, 1, 1), -1.0)
    G = np.full((2, 1, 1), 1.0)
    assert (METHODS["gradcam++"].compute(A, G) == 0).all()
    assert np.isfinite(METHODS["gradcam++"].compute(A, G, variant="authors")).all()


@pytest.mark.parametrize("signed", [False, True], ids=["behind a ReLU", "of both signs"])
@pytest.mark.parametrize("seed", [0, 2, 3])  # no map of these is empty
def test_other_methods_in_loops(seed, signed):
    A, G = random_case(seed)
    if signed:
        A = A - 0.4 * A.mean(axis=(0, 1))  # every channel still sums to more than zero
        assert (A < 0).any()
    h, w, channels = A.shape
    wanted = {key: np.zeros((h, w)) for key in ("gradcam", "hirescam", "elementwise", "xgradcam", "layercam")}
    for k in range(channels):
        a, g = A[..., k], G[..., k]
        wanted["gradcam"] += g.sum() / (h * w) * a
        wanted["hirescam"] += g * a
        wanted["elementwise"] += np.maximum(g * a, 0)
        wanted["xgradcam"] += sum(a[i, j] / a.sum() * g[i, j] for i in range(h) for j in range(w)) * a
        wanted["layercam"] += np.maximum(g, 0) * a
    for key, total in wanted.items():
        result = total if key == "hirescam" else np.maximum(total, 0)
        close(METHODS[key].compute(A, G), result, 1e-10)


def test_xgradcam_leaves_out_channels_that_sum_to_zero_or_less():
    A = np.zeros((2, 2, 3))
    A[..., 0] = [[1, 2], [3, 4]]
    A[..., 1] = [[5, -5], [1, -1]]
    A[..., 2] = [[1, -5], [1, 1]]
    G = np.ones_like(A)
    close(METHODS["xgradcam"].compute(A, G), A[..., 0], 1e-12)
    assert "2 of 3 channels" in METHODS["xgradcam"].caution(A, G)
    assert METHODS["xgradcam"].caution(np.maximum(A, 0) + 1, G) is None


def test_gradcam_plus_plus_says_where_it_is_badly_conditioned():
    A = np.full((4, 4, 2), 5.0)
    G = np.full((4, 4, 2), -1.0)  # 2 + 80·(−1) < 0
    caution = METHODS["gradcam++"].caution
    assert "Badly conditioned" in caution(A, G, variant="authors")
    assert caution(A, G, variant="paper") is None
    assert caution(A, -G, variant="authors") is None


@pytest.mark.parametrize("key", [key for key, info in METHODS.items() if info.input.shares_backward])
def test_laws(key):
    """Order of the channels is of no account; A and G stay as they were; dead channels change nothing."""
    compute = METHODS[key].compute
    A, G = random_case(8)
    if key == "cam":
        G = np.broadcast_to(G[:1, :1], G.shape).copy()
    before = A.copy(), G.copy()
    result = compute(A, G)
    assert result.shape == A.shape[:2]
    np.testing.assert_array_equal(A, before[0])
    np.testing.assert_array_equal(G, before[1])
    order = np.random.default_rng(0).permutation(A.shape[-1])
    close(compute(A[..., order], G[..., order]), result, 1e-10)
    dead = np.zeros((*A.shape[:2], 2))
    more = np.concatenate([A, dead], -1), np.concatenate([G, dead + 3], -1)
    close(compute(*more), result, 1e-10)


@pytest.mark.parametrize("key", ["cam", "gradcam", "hirescam", "elementwise", "xgradcam", "layercam"])
def test_maps_scale_with_the_gradient(key):
    A, G = random_case(2)
    close(METHODS[key].compute(A, 7 * G), 7 * METHODS[key].compute(A, G), 1e-10)


def test_hirescam_behind_a_global_average_is_cam_at_every_layer_that_is_linear_to_it(gap_network):
    """A dense layer of weights W + V has the sum of both maps: hirescam is additive in the gradient."""
    A, G = random_case(3)
    _, other = random_case(5)
    compute = METHODS["hirescam"].compute
    close(compute(A, G + other), compute(A, G) + compute(A, other), 1e-10)


def test_one_sigmoid_unit_class_zero_is_minus_the_weights():
    x = picture_input()
    y = conv2()(conv1()(x))
    end = given(layers.Dense(1, activation="sigmoid", dtype="float64"), W.w[:, :1], W.b[:1])
    network = camcore.wrap(
        settle(keras.Model(x, end(layers.GlobalAveragePooling2D(dtype="float64")(y)))), labels=["no", "yes"]
    )
    assert (network.classes, network.activation) == (2, "sigmoid")
    pixels = images(2)
    A = network.tap(pixels, ["features"]).activations["features"]
    close(heatmap(network, "cam", pixels, 1), A @ W.w[:, 0])
    close(heatmap(network, "cam", pixels, 0), -(A @ W.w[:, 0]))
    np.testing.assert_allclose(network.linear_head_offset("features"), [-W.b[0], W.b[0]], rtol=1e-12)
    p = network.probabilities(network.logits(pixels))
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-(A.mean(axis=(1, 2)) @ W.w[:, 0] + W.b[0]))))
    np.testing.assert_allclose(p.sum(axis=1), 1)


# ---- where CAM is defined, and where it is not


_64 = {"dtype": "float64"}


class Average(layers.Layer):
    """The mean over some axes."""

    def __init__(self, axes: tuple[int, ...], **options: Any) -> None:
        super().__init__(**options)
        self.axes = axes

    def call(self, x: Any) -> Any:
        return keras.ops.mean(x, axis=self.axes)


def cam_network(*ends: Any, activation: str = "softmax") -> Any:
    x = picture_input()
    y = conv2()(conv1()(x))
    for end in ends:
        y = end(y)
    score = dense(activation=activation) if y.shape[-1] == FEATURES else layers.Dense(CLASSES, activation, **_64)
    model = keras.Model(x, score(y))
    r = np.random.default_rng(21)
    for end in (*ends, score):
        end.set_weights([r.uniform(0.3, 1.5, weight.shape) for weight in end.get_weights()])
    return settle(model)


@pytest.mark.parametrize(
    "ends",
    [
        (layers.GlobalAveragePooling2D(**_64), layers.Dense(FEATURES, activation="relu", **_64)),
        (layers.GlobalMaxPooling2D(**_64),),
        (layers.Flatten(**_64), layers.Dense(FEATURES, **_64)),
        (layers.Conv2D(FEATURES, 3, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.Conv2D(FEATURES, 1, activation="relu", **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.GlobalAveragePooling2D(**_64), layers.LayerNormalization(**_64)),
    ],
    ids=["hidden relu", "max", "flatten", "3×3 behind", "relu between", "layer norm"],
)
def test_cam_is_refused_with_the_reason(ends):
    network = camcore.wrap(cam_network(*ends))
    with pytest.raises(camcore.MethodError, match=r"(?s)not defined .*global average pooling.*gradcam.*surgery"):
        camcore.CAM(network, "features")


@pytest.mark.parametrize(
    "ends",
    [
        (layers.AveragePooling2D(2, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.AveragePooling2D(3, strides=1, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.AveragePooling2D(3, strides=2, padding="same", **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.AveragePooling2D((3, 5), **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.Conv2D(FEATURES, 1, strides=2, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.Cropping2D(1, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.ZeroPadding2D(1, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.UpSampling2D(2, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.Dense(FEATURES, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.Conv2D(FEATURES, 1, **_64), layers.Dropout(0.5, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.BatchNormalization(**_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.GlobalAveragePooling2D(**_64), layers.Dense(FEATURES, **_64)),
        (layers.GlobalAveragePooling2D(**_64), layers.BatchNormalization(**_64)),
        (Average((2,), **_64), layers.Flatten(**_64)),
        (Average((2,), **_64), Average((1,), **_64)),
        (Average((3,), **_64), layers.Flatten(**_64)),
        (Average((1, 2, 3), **_64), layers.Reshape((1,), **_64)),
    ],
    ids=[
        "average 2 drops a column",
        "overlapping average",
        "same average",
        "even average",
        "strided 1×1",
        "cropping",
        "padding",
        "upsampling",
        "dense on the grid",
        "1×1",
        "batch norm before",
        "two dense",
        "batch norm after",
        "average over x only, Flatten",
        "average over x, then y",
        "average over channels, Flatten",
        "average over everything",
    ],
)
def test_cam_is_exact_or_refused(ends):
    """Whatever lies between the layer and the scores: an offered CAM adds up to the logit."""
    network = camcore.wrap(cam_network(*ends))
    x = images(2)
    try:
        offset = network.linear_head_offset("features")
    except camcore.MethodError:
        return
    A = network.tap(x, ["features"]).activations["features"]
    logits = network.logits(x)
    bumped = network.head("features")
    for c in range(CLASSES):
        raw = heatmap(network, "cam", x, c, "features")
        close(raw.mean(axis=(1, 2), dtype=np.float64) + offset[c], logits[:, c])
        # and place by place: without cell (i, j) the logit is less by raw[i, j] / N
        for i, j in [(0, 0), (3, 2), (5, 4)]:
            without = A.copy()
            without[:, i, j] = 0
            change = logits[:, c] - bumped(x, without)[:, c]
            np.testing.assert_allclose(raw[:, i, j] / N, change, atol=1e-6 * np.abs(raw).max() / N)


class OneOver(layers.Layer):
    def call(self, x: Any) -> Any:
        return 1.0 / (3.0 + x)


def test_cam_is_refused_behind_a_division_by_the_features():
    network = camcore.wrap(cam_network(layers.GlobalAveragePooling2D(**_64), OneOver(**_64)))
    with pytest.raises(camcore.MethodError, match="not linear"):
        camcore.CAM(network)


@pytest.mark.parametrize(
    "ends",
    [
        (layers.Conv2D(FEATURES, 1, **_64), layers.GlobalAveragePooling2D(**_64)),
        (layers.GlobalAveragePooling2D(**_64), layers.Dense(FEATURES, **_64)),
        (layers.GlobalAveragePooling2D(**_64), layers.Dropout(0.3, **_64)),
        (layers.AveragePooling2D(GRID, **_64), layers.Flatten(**_64)),
        (layers.GlobalAveragePooling2D(keepdims=True, **_64), layers.Flatten(**_64)),
    ],
    ids=["1×1 then average", "two dense", "dropout", "average over the grid", "keepdims"],
)
def test_cam_is_offered_where_it_is_exact(ends):
    network = camcore.wrap(cam_network(*ends))
    offset = network.linear_head_offset("features")
    x = images(1)
    raw = heatmap(network, "cam", x, 1, "features")
    assert raw.mean(dtype=np.float64) + offset[1] == pytest.approx(network.logits(x)[0, 1], rel=1e-6)
