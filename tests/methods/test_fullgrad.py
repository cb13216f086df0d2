"""FullGrad: what it finds adds up to the logit, and its map is that of a plain walk through the layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from formulas import close, enlarge
from keras import layers
from networks import (
    CLASSES,
    FEATURES,
    SIZE,
    TWINS,
    W,
    conv1,
    conv2,
    dense,
    flat,
    gap,
    given,
    grey,
    images,
    nested,
    picture_input,
    settle,
)

import camcore
from camcore.methods import METHODS
from camcore.pictures.picture import Picture

_64 = {"dtype": "float64"}
fullgrad = METHODS["fullgrad"].compute


# ---- networks, all of them piecewise linear


def conv(
    sides: tuple[int, int], seed: int, size: int = 3, bias: bool = True, dtype: str = "float64", **more: Any
) -> Any:
    r = np.random.default_rng(seed)
    arrays = [r.normal(0.05, 0.4, (size, size, *sides))] + ([r.normal(0.2, 0.3, sides[1])] if bias else [])
    return given(layers.Conv2D(sides[1], size, padding="same", use_bias=bias, dtype=dtype, **more), *arrays)


def norm(channels: int, seed: int, dtype: str = "float64", **more: Any) -> Any:
    """A batch normalisation with random γ, β, moving mean and variance."""
    r = np.random.default_rng(seed)
    arrays = [r.uniform(0.4, 2, channels), r.normal(0, 0.5, channels), r.normal(0, 0.7, channels)]
    return given(layers.BatchNormalization(dtype=dtype, **more), *arrays, r.uniform(0.3, 3, channels))


def relu(x: Any) -> Any:
    return layers.ReLU(dtype="float64")(x)


def ended(x: Any, y: Any, channels: int = FEATURES) -> Any:
    end = given(layers.Dense(CLASSES, activation="softmax", **_64), W.w[:channels], W.b)
    return settle(keras.Model(x, end(gap()(y))))


def with_norm() -> Any:
    x = picture_input()
    y = relu(norm(4, 1)(conv((3, 4), 2, strides=2)(x)))
    return ended(x, relu(norm(FEATURES, 3, epsilon=0.01)(conv((4, FEATURES), 4)(y))))


def biasless() -> Any:
    """Convolutions without a bias; the normalisations carry it all."""
    x = picture_input()
    y = relu(norm(4, 1, center=True)(conv((3, 4), 2, bias=False)(x)))
    return ended(x, relu(norm(FEATURES, 3)(conv((4, FEATURES), 4, bias=False)(y))))


def no_bias_at_all() -> Any:
    x = picture_input()
    y = relu(conv((4, FEATURES), 4, bias=False)(relu(conv((3, 4), 2, bias=False)(x))))
    end = given(layers.Dense(CLASSES, use_bias=False, **_64), W.w)
    return settle(keras.Model(x, end(gap()(y))))


def skipping() -> Any:
    """Two residual blocks, one with a projection, and pooling between them."""
    x = picture_input()
    y = relu(conv((3, 4), 1)(x))
    inner = conv((4, 4), 3)(relu(norm(4, 4)(conv((4, 4), 2, bias=False)(y))))
    y = relu(layers.Add(**_64)([y, inner]))
    y = layers.MaxPooling2D(2, **_64)(y)
    aside = norm(FEATURES, 6)(conv((4, FEATURES), 5, size=1)(y))
    return ended(x, relu(layers.Add(**_64)([conv((4, FEATURES), 7)(y), aside])))


def prepared_inside() -> Any:
    """Rescaling and Normalization are part of the model: their shifts are biases, too."""
    x = picture_input()
    y = layers.Rescaling(0.5, offset=-0.3, **_64)(x)
    y = layers.Normalization(mean=[0.1, -0.2, 0.3], variance=[0.5, 1.0, 2.0], **_64)(y)
    return ended(x, conv2()(conv1()(y)))


def shared() -> Any:
    x = picture_input()
    block = conv((4, 4), 8, activation="relu")
    return ended(x, block(block(conv1()(x))), 4)


def dense_on_top() -> Any:
    """Flatten and hidden layers: biases without a grid."""
    r = np.random.default_rng(6)
    x = picture_input()
    y = layers.Flatten(**_64)(conv2()(conv1()(x)))
    hidden = given(layers.Dense(7, activation="relu", **_64), r.normal(0, 0.2, (30 * FEATURES, 7)), r.normal(0.3, 1, 7))
    end = given(layers.Dense(CLASSES, activation="softmax", **_64), r.normal(0, 1, (7, CLASSES)), W.b)
    return settle(keras.Model(x, end(norm(7, 9)(hidden(y)))))


def separable_and_joined() -> Any:
    """Depthwise convolutions, leaky ReLU, padding, and branches side by side."""
    r = np.random.default_rng(14)
    x = picture_input()
    deep = given(layers.DepthwiseConv2D(3, **_64), r.normal(0, 0.5, (3, 3, 3, 1)), r.normal(0, 0.5, 3))
    y = layers.LeakyReLU(negative_slope=0.2, **_64)(deep(layers.ZeroPadding2D(1, **_64)(x)))
    both = layers.Concatenate(**_64)([conv((3, 3), 1, activation="relu")(y), conv((3, 3), 2)(x)])
    return ended(x, layers.AveragePooling2D(2, **_64)(both))


class FromOne(layers.Layer):
    """1 − x, in code of its own."""

    def call(self, x: Any) -> Any:
        return 1.0 - x


class OwnCode(keras.Model):
    """Adds and takes away constants by itself, on either side."""

    def __init__(self) -> None:
        super().__init__(dtype="float64")
        self.first, self.second, self.end = conv1(activation=None), conv2(activation=None), dense(activation=None)
        self.turned = FromOne(**_64)

    def call(self, x: Any) -> Any:
        y = tf.nn.relu(self.turned(self.first(x - 0.4)) + tf.constant([0.1, -0.2, 0.3, 0.4], tf.float64))
        y = tf.nn.relu(0.7 - self.second(y))
        return tf.nn.softmax(self.end(tf.reduce_mean(y, axis=[1, 2])) + 0.25)


def own_code() -> Any:
    model = OwnCode()
    model(np.zeros((1, *SIZE, 3)))
    return settle(model)


NETWORKS: dict[str, Callable[[], Any]] = {
    "plain": flat,
    "batch normalisation": with_norm,
    "biasless": biasless,
    "no bias at all": no_bias_at_all,
    "skip connections": skipping,
    "preprocessing inside": prepared_inside,
    "shared layer": shared,
    "nested": nested,
    "dense layers": dense_on_top,
    "branches": separable_and_joined,
    "grey": grey,
    "own code": own_code,
}
CHANNELS = {"grey": 1}


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """Models and networks by name, each built once."""
    return {}


def of(models: dict[str, Any], name: str) -> tuple[Any, Any]:
    if name not in models:
        model = NETWORKS[name]()
        models[name] = model, camcore.wrap(model, input_size=SIZE)
    return models[name]


# ---- completeness


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_found_adds_up_to_the_logit(models, name):
    _, network = of(models, name)
    for seed in (1, 2):
        x = images(1, CHANNELS.get(name, 3), seed)
        y = network.logits(x)[0]
        for c in range(CLASSES):
            found = network.bias_pass(x, c)
            total = found.input.sum() + sum(layer.sum() for layer in found.layers) + found.rest
            assert found.logit == y[c]
            assert abs(total - y[c]) < 1e-9 * np.abs(y).max()


@pytest.mark.parametrize(
    ("name", "with_grid"),
    [
        ("plain", 2),
        ("batch normalisation", 4),
        ("biasless", 2),
        ("no bias at all", 0),
        ("skip connections", 6),
        ("preprocessing inside", 4),
        ("shared layer", 3),
        ("nested", 2),
        ("dense layers", 2),
        ("branches", 3),
        ("own code", 6),
    ],
)
def test_as_many_biases_with_a_grid_as_the_network_has(models, name, with_grid):
    _, network = of(models, name)
    assert len(network.bias_pass(images(1), 0).layers) == with_grid


def test_the_biases_of_the_reference_network_one_by_one(models):
    """y_c = Σ x∂y/∂x + Σ b1·∂y/∂z1 + Σ b2·∂y/∂z2 + b_c, with ∂y/∂z2 = 1[A > 0] W_kc / N."""
    model, network = of(models, "plain")
    x, c = images(1), 2
    found = network.bias_pass(x, c)
    A = np.asarray(keras.Model(model.input, model.get_layer("features").output)(x))[0]
    close(found.layers[1], W.b2 * (A > 0) * W.w[:, c] / 30, 1e-12)
    assert found.rest == pytest.approx(W.b[c], rel=1e-12)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in CHANNELS])
def test_maps_carry_evidence_offset_and_residual(models, name):
    model, _ = of(models, name)
    network = camcore.wrap(model, input_size=SIZE, preprocess=lambda x: x / 127.5 - 1)
    pic = Picture.from_array(np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    x, _ = network.prepare(pic)
    for m in camcore.explain(network, pic, "fullgrad", classes=[0, 3]):
        found = network.bias_pass(x, m.class_index)
        evidence = found.input.sum() + sum(layer.sum() for layer in found.layers)
        assert m.evidence == pytest.approx(evidence, rel=1e-9)
        assert m.offset == pytest.approx(found.rest, rel=1e-9, abs=1e-12)
        assert m.evidence + m.offset == pytest.approx(m.logit, rel=1e-6)
        assert abs(m.residual) < 1e-6 * abs(m.logit)
        assert m.layer is None
        assert m.raw.shape == m.values.shape == SIZE
        assert m.warning is None


def test_a_network_that_is_not_piecewise_linear_leaves_a_residual():
    x = picture_input()
    y = conv2(activation="tanh")(conv1()(x))
    network = camcore.wrap(settle(keras.Model(x, dense()(gap()(y)))))
    pic = Picture.from_array(np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    (m,) = camcore.explain(network, pic, "fullgrad", classes=1)
    assert abs(m.residual) > 1e-2 * abs(m.logit)
    assert m.evidence + m.offset + m.residual == pytest.approx(m.logit, rel=1e-12)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_fused_normalisation_in_float32(data_format):
    """In float32 TensorFlow fuses a batch normalisation into one operation, whose bias is implicit."""
    first = data_format == "channels_first"
    x = keras.Input((3, *SIZE) if first else (*SIZE, 3), dtype="float32")
    y = x
    for number, (before, after) in enumerate([(3, 4), (4, FEATURES)]):
        y = conv((before, after), number, bias=number == 0, dtype="float32", data_format=data_format)(y)
        y = norm(after, number + 5, dtype="float32", axis=1 if first else -1)(y)
        y = layers.ReLU(dtype="float32")(y)
    network = camcore.wrap(settle(keras.Model(x, dense("float32")(gap("float32", data_format=data_format)(y)))))
    pixels = images(1).astype(np.float32)
    pixels = pixels.transpose(0, 3, 1, 2) if first else pixels
    y = network.logits(pixels)[0]
    for c in range(CLASSES):
        found = network.bias_pass(pixels, c)
        assert found.input.shape == (*SIZE, 3)
        assert [layer.shape for layer in found.layers] == [(*SIZE, 4), (*SIZE, 4), (*SIZE, FEATURES)]
        total = found.input.sum() + sum(layer.sum() for layer in found.layers) + found.rest
        assert abs(total - y[c]) < 1e-5 * np.abs(y).max()


# ---- the map


def psi(part: np.ndarray, form: str) -> np.ndarray:
    """up(norm(|part|)), (H, W, channels), a channel at a time."""
    size = np.abs(part)
    shown = np.zeros((*SIZE, part.shape[-1]))
    for k in range(part.shape[-1]):
        whole = size[..., k] if form == "per-channel" else size
        span = whole.max() - whole.min()
        if span > 0:
            small = (size[..., k] - whole.min()) / span
            shown[..., k] = enlarge(part.shape[0], SIZE[0]) @ small @ enlarge(part.shape[1], SIZE[1]).T
    return shown


def parts_by_tape(steps: list[Any], x: np.ndarray, c: int) -> list[np.ndarray]:
    """x ⊙ ∂y/∂x and b ⊙ ∂y/∂z of each step with a grid. ``steps``: pairs of a map from tensor to tensor without its
    bias and that bias, in the order of a plain chain."""
    with tf.GradientTape() as tape:
        y = tf.constant(x)
        tape.watch(y)
        seen = [(y, y)]
        for step, bias in steps:
            y = step(y)
            if bias is not None:
                y = y + bias
                seen.append((y, bias))
        logit = y[0, c]
    gradients = tape.gradient(logit, [z for z, _ in seen])
    products = [np.asarray(b * g) for (_, b), g in zip(seen, gradients, strict=True)]
    return [product[0] for product in products if product.ndim == 4]


def convolution(layer: Any) -> Callable[[Any], Any]:
    stride = layer.strides[0]
    return lambda y: tf.nn.conv2d(y, layer.kernel.value, stride, "SAME")


def plain_steps(model: Any) -> list[Any]:
    first, second = model.get_layer("conv1"), model.get_layer("features")
    return [
        (convolution(first), first.bias.value),
        (tf.nn.relu, None),
        (convolution(second), second.bias.value),
        (tf.nn.relu, None),
        (lambda y: tf.reduce_mean(y, [1, 2]) @ W.w, tf.constant(W.b)),
    ]


def normalised_steps(model: Any) -> list[Any]:
    """Batch normalisations taken apart: times γ/√(σ²+ε), then β − γμ/√(σ²+ε)."""
    steps: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            steps.append((convolution(layer), layer.bias.value if layer.use_bias else None))
        elif isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            scale = gamma / np.sqrt(variance + layer.epsilon)
            steps.append((lambda y, scale=scale: y * scale, tf.constant(beta - mean * scale)))
        elif isinstance(layer, layers.ReLU):
            steps.append((tf.nn.relu, None))
    return [*steps, (lambda y: tf.reduce_mean(y, [1, 2]) @ W.w, tf.constant(W.b))]


STEPS = {
    "plain": plain_steps,
    "grey": plain_steps,
    "batch normalisation": normalised_steps,
    "biasless": normalised_steps,
}


@pytest.mark.parametrize("form", ["paper", "per-channel"])
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("c", [0, 2])
def test_the_map_is_that_of_a_walk_through_the_layers(models, name, form, c):
    model, network = of(models, name)
    x = images(1, CHANNELS.get(name, 3))
    parts = parts_by_tape(STEPS[name](model), x, c)
    wanted = sum(psi(part, form).sum(axis=-1) for part in parts)
    close(camcore.FullGrad(network, variant=form).compute_heatmap(x, c, raw=True), wanted)
    found = network.bias_pass(x, c)
    for one, other in zip([found.input, *found.layers], parts, strict=True):
        close(one, other, 1e-10)


def test_forms_by_hand():
    """An input of 2×2 with two channels, and one bias of one cell more coarse."""
    x = np.array([[[0.0, 10.0], [-4.0, 10.0]], [[2.0, 14.0], [1.0, -20.0]]])
    bias = np.array([[[-3.0], [1.0]]])
    whole = np.array([[0, 10], [4, 10], [2, 14], [1, 20]]).sum(axis=1).reshape(2, 2) / 20
    close(fullgrad(x, ()), whole, 1e-12)
    each = np.array([[0, 0], [1, 0], [0.5, 0.4], [0.25, 1]]).sum(axis=1).reshape(2, 2)
    close(fullgrad(x, (), variant="per-channel"), each, 1e-12)
    close(fullgrad(x, (bias,)), np.add(whole, [[1.0, 0.0]]), 1e-12)
    np.testing.assert_allclose(fullgrad(np.zeros((2, 4, 1)), (bias,)), [[1, 0.75, 0.25, 0]] * 2, atol=1e-12)


def test_forms_differ(models):
    _, network = of(models, "batch normalisation")
    one, other = (
        camcore.FullGrad(network, variant=form).compute_heatmap(images(1), 1) for form in ("paper", "per-channel")
    )
    assert np.abs(one - other).mean() > 0.02


def test_parts_that_are_the_same_everywhere_add_nothing():
    x = np.random.default_rng(0).normal(0, 1, (4, 4, 3))
    for form in ("paper", "per-channel"):
        for value in (0.0, 5.0):
            close(fullgrad(x, (np.full((2, 2, 3), value),), variant=form), fullgrad(x, (), variant=form), 1e-12)


def test_the_layer_is_of_no_account(models):
    _, network = of(models, "plain")
    maps = [camcore.FullGrad(network, layer).compute_heatmap(images(1), 1) for layer in (None, "conv1", "features")]
    np.testing.assert_array_equal(maps[0], maps[1])
    np.testing.assert_array_equal(maps[0], maps[2])


@pytest.mark.parametrize("name", ["Sequential", "subclassed, own relu", "composite layer", "plain operations"])
def test_other_ways_to_write_the_network(models, name):
    """The same function, the same biases: the same map and the same sum."""
    twin = TWINS[name]
    network = camcore.wrap(twin.build(), **twin.options)
    _, reference = of(models, "plain")
    wanted = reference.bias_pass(images(1), 1)
    found = network.bias_pass(images(1), 1)
    assert found.rest == pytest.approx(wanted.rest, rel=1e-9)
    for one, other in zip([found.input, *found.layers], [wanted.input, *wanted.layers], strict=True):
        close(one, other, 1e-9)
