"""Heads behind a layer: what passes them by, where a channel can be set to zero, and that both change nothing."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from networks import GRID, SIZE, W, channels_first, conv1, conv2, dense, flat, gap, given, images, picture_input, settle

import camcore
from camcore.graph.heads import after_pooling, product_behind, sides


def settled(model: Any, seed: int = 4) -> Any:
    r = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights([r.normal(0, 0.4, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def branched() -> camcore.Network:
    """A residual block, a gate, a concatenation, and a skip from the input past everything."""
    x = picture_input()
    y = conv1()(x)
    z = layers.Conv2D(4, 3, padding="same", activation="relu", dtype="float64", name="block1")(y)
    y = layers.Add(dtype="float64", name="add1")([y, z])
    gate = layers.Conv2D(4, 1, activation="sigmoid", dtype="float64", name="gate")(gap(keepdims=True)(y))
    y = layers.Multiply(dtype="float64", name="gated")([y, gate])
    z = layers.Conv2D(4, 3, padding="same", activation="tanh", dtype="float64", name="block2")(y)
    y = layers.Concatenate(dtype="float64", name="joined")([y, z])
    pooled = layers.MaxPooling2D(2, padding="same", dtype="float64", name="pool")(y)
    both = [gap()(pooled), layers.Flatten(dtype="float64")(x)]
    both = layers.Concatenate(dtype="float64")(both)
    return camcore.wrap(settled(keras.Model(x, layers.Dense(5, activation="softmax", dtype="float64")(both))))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat())


def found_sides(network: camcore.Network, layer: str) -> list[Any]:
    tensor = network.traced.tensor(layer)
    return sides(network.traced.logits, tensor, network.traced.source, network.traced.reach)


def where(network: camcore.Network, layer: str) -> Any:
    return after_pooling(network.traced.logits, network.traced.tensor(layer), (1, 2))


def values(network: camcore.Network, x: np.ndarray, tensors: list[Any]) -> list[np.ndarray]:
    function = network.traced.compiler.trace.function.prune([network.traced.source], tensors)
    return [np.asarray(one) for one in function(tf.constant(x))]


# ---- what passes a layer by


def test_nothing_passes_a_layer_that_cuts_all_off(network):
    assert found_sides(network, "features") == []
    assert found_sides(network, "conv1") == []


def test_what_a_skip_brings_past_the_layer(branched):
    """By value: the flattened input for all, and beside a block its own input."""
    x = images(1)
    flattened = x.reshape(1, -1)

    def beside(layer: str) -> list[np.ndarray]:
        return values(branched, x, found_sides(branched, layer))

    tapped = branched.tap(x, ["conv1", "gated"]).activations
    for layer in ("conv1", "add1", "gated", "joined", "pool"):
        (only,) = beside(layer)
        np.testing.assert_allclose(only.reshape(1, -1), flattened, err_msg=layer)
    for layer, source in (("block1", "conv1"), ("block2", "gated")):
        found = sorted(beside(layer), key=lambda one: one.size)
        sizes = [tapped[source].size, x.size]
        assert [one.size for one in found] == sizes
        np.testing.assert_allclose(found[0], tapped[source], rtol=1e-12, err_msg=layer)
        np.testing.assert_allclose(found[1].reshape(1, -1), flattened, err_msg=layer)


def test_weights_do_not_pass_by(branched):
    for info in branched.layers:
        if info.usable:
            assert all(len(one.shape) >= 2 and one.shape[0] is None for one in found_sides(branched, info.path))


# ---- where a channel can be set to zero


def test_behind_a_global_average_the_average_will_do(network):
    found = where(network, "features")
    x = images(3)
    A = network.tap(x, ["features"]).activations["features"]
    np.testing.assert_allclose(*values(network, x, [found]), A.mean(axis=(1, 2)), rtol=1e-12)


def test_never_past_what_mixes_channels_or_joins_branches(network, branched):
    assert where(network, "conv1") is network.traced.tensor("conv1")
    for layer in ("conv1", "block1", "add1", "gated", "block2"):
        assert where(branched, layer) is branched.traced.tensor(layer), layer


def test_past_a_max_pooling_and_the_average_behind_it(branched):
    x = images(2)
    wanted = branched.tap(x, ["pool"]).activations["pool"].mean(axis=(1, 2))
    for layer in ("joined", "pool"):
        np.testing.assert_allclose(*values(branched, x, [where(branched, layer)]), wanted, rtol=1e-12)


def test_not_past_a_flatten_or_what_moves_zero():
    x = picture_input()
    y = conv2()(conv1()(x))
    y = layers.MaxPooling2D(2, dtype="float64", name="pool")(y)
    model = keras.Model(x, layers.Dense(3, dtype="float64")(layers.Flatten(dtype="float64")(y)))
    network = camcore.wrap(settled(model))
    pixels = images(1)
    pooled = network.tap(pixels, ["pool"]).activations["pool"]
    np.testing.assert_allclose(*values(network, pixels, [where(network, "features")]), pooled, rtol=1e-12)
    y = layers.Activation("sigmoid", dtype="float64", name="half")(conv2()(conv1()(x)))
    network = camcore.wrap(settled(keras.Model(x, dense()(gap()(y)))))
    assert where(network, "features") is network.traced.tensor("features")


@pytest.mark.parametrize("axis", [1, 2, 3, (2, 3), (1, 2, 3)])
def test_not_past_an_average_over_other_axes(axis):
    x = picture_input()
    y = keras.ops.mean(conv2()(conv1()(x)), axis=axis)
    y = layers.Flatten(dtype="float64")(y) if axis != (1, 2, 3) else keras.ops.reshape(y, (-1, 1))
    network = camcore.wrap(settled(keras.Model(x, layers.Dense(3, dtype="float64")(y))))
    assert where(network, "features") is network.traced.tensor("features")
    check_ablated(network, "features")


# ---- the matrix product behind a layer


def shape(kind: str, y: Any) -> Any:
    """What lies between a layer and the scores."""
    if kind == "flattened":
        return layers.Flatten(dtype="float64")(y)
    if kind == "pooled and flattened":
        return layers.Flatten(dtype="float64")(layers.MaxPooling2D(2, dtype="float64")(y))
    if kind == "average":
        return gap()(y)
    if kind == "average of one cell, flattened":
        return layers.Flatten(dtype="float64")(gap(keepdims=True)(y))
    if kind == "two ways":
        flattened = layers.Flatten(dtype="float64")(y)
        return layers.Add(dtype="float64")([flattened, layers.Activation("tanh", dtype="float64")(flattened)])
    assert kind == "turned"
    return layers.Flatten(dtype="float64")(layers.Permute((3, 1, 2), dtype="float64")(y))


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        ("flattened", True),
        ("pooled and flattened", True),
        ("average", True),
        ("average of one cell, flattened", True),
        ("two ways", False),
        ("turned", False),
    ],
)
def test_a_channel_is_taken_out_of_the_product_behind_the_layer(kind, there):
    """Two dense layers, so that what follows the product is not linear."""
    x = picture_input()
    y = layers.Dense(7, activation="relu", dtype="float64")(shape(kind, conv2()(conv1()(x))))
    network = camcore.wrap(settled(keras.Model(x, layers.Dense(4, activation="softmax", dtype="float64")(y))))
    tensor = where(network, "features")
    product = product_behind(network.traced.logits, tensor)
    assert (product is not None) == there
    if product is not None:
        left, weights, result = values(network, images(1), [tensor, product.weights, product.result])
        np.testing.assert_allclose(result, left.reshape(1, -1) @ weights, rtol=1e-9)
    check_ablated(network, "features")


def test_a_transposed_product_in_channels_first_order():
    x = picture_input(dtype="float32")
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    y = layers.Flatten()(layers.Permute((3, 1, 2))(y))
    kernel = keras.Variable(np.random.default_rng(5).normal(0, 0.2, (6, y.shape[1])).astype(np.float32))

    class Turned(layers.Layer):
        def call(self, y: Any) -> Any:
            return tf.nn.relu(tf.matmul(y, kernel.value, transpose_b=True))

    network = camcore.wrap(settled(keras.Model(x, layers.Dense(4)(Turned()(layers.Flatten()(y))))))
    check_ablated(network, "conv", images(1, seed=6).astype(np.float32), 1e-4)
    turned = next(info.path for info in network.layers if "permute" in info.path)
    product = product_behind(network.traced.logits, network.traced.tensor(turned))
    assert product is not None
    assert product.transposed


# ---- altered activations, many at once


def usable(network: camcore.Network) -> list[str]:
    return [info.path for info in network.layers if info.usable]


def check_ablated(network: camcore.Network, layer: str, x: np.ndarray | None = None, tolerance: float = 1e-9) -> None:
    x = images(1, seed=6) if x is None else x
    A = network.tap(x, [layer]).activations[layer]
    count = A.shape[-1]
    chosen = np.random.default_rng(1).integers(0, count, count + 2)
    found = network.ablated_logits(x, layer, chosen)
    for i, channel in enumerate(chosen):
        altered = A.copy()
        altered[..., channel] = 0
        wanted = network.head(layer)(x, altered)[0]
        np.testing.assert_allclose(found[i], wanted, rtol=tolerance, atol=tolerance, err_msg=f"{layer} {channel}")


def check_placed(network: camcore.Network, layer: str, x: np.ndarray | None = None, tolerance: float = 1e-9) -> None:
    x = images(1, seed=6) if x is None else x
    _, h, w, count = network.tap(x, [layer]).activations[layer].shape
    r = np.random.default_rng(2)
    vectors, weights = r.normal(0, 1, (5, count)), r.normal(0, 1, (5, h, w)) * (r.random((5, h, w)) < 0.3)
    found = network.placed_logits(x, layer, vectors, weights)
    for i in range(5):
        altered = weights[i, None, :, :, None] * vectors[i]
        wanted = network.head(layer)(x, altered)[0]
        np.testing.assert_allclose(found[i], wanted, rtol=tolerance, atol=tolerance, err_msg=layer)


def test_every_layer_of_a_branched_network(branched):
    paths = usable(branched)
    assert {"conv1", "block1", "add1", "gated", "block2", "joined", "pool"} <= set(paths)
    for layer in paths:
        check_ablated(branched, layer)
        check_placed(branched, layer)


def test_each_picture_has_its_own_sides(branched):
    """Taking turns between pictures and layers."""
    one, other = images(1, seed=1), images(1, seed=2)
    wanted = {}
    for name, x in (("one", one), ("other", other)):
        A = branched.tap(x, ["block2"]).activations["block2"].copy()
        A[..., 1] = 0
        wanted[name] = branched.head("block2")(x, A)[0]
    assert np.abs(wanted["one"] - wanted["other"]).max() > 1e-3
    for name, x in (("one", one), ("other", other), ("one", one), ("one", one.copy()), ("other", other)):
        branched.ablated_logits(x, "block1", [0])
        np.testing.assert_allclose(branched.ablated_logits(x, "block2", [1])[0], wanted[name], rtol=1e-9)


def test_channels_first():
    network = camcore.wrap(channels_first())
    x = images(1, seed=6).transpose(0, 3, 1, 2).astype(np.float32)
    for layer in ("conv1", "features"):
        check_ablated(network, layer, x, 1e-5)
        check_placed(network, layer, x, 1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [("mixed_float16", 1e-2), ("mixed_bfloat16", 1e-1)])
def test_half_precision_with_a_skip(dtype, tolerance):
    x = picture_input(dtype="float32")
    y = layers.Conv2D(4, 3, padding="same", activation="relu", dtype=dtype, name="first")(x)
    z = layers.Conv2D(4, 3, padding="same", activation="relu", dtype=dtype, name="mid")(y)
    y = layers.Add(dtype=dtype, name="sum")([y, z])
    model = keras.Model(x, layers.Dense(3, dtype="float32")(layers.GlobalAveragePooling2D(dtype=dtype)(y)))
    network = camcore.wrap(settled(model))
    pixels = images(1, seed=6).astype(np.float32)
    for layer in ("first", "mid", "sum"):
        check_ablated(network, layer, pixels, tolerance)
        check_placed(network, layer, pixels, tolerance)


class TimesItself(layers.Layer):
    """Takes from its second input the batch size and a mean."""

    def call(self, y: Any, x: Any) -> Any:
        count = tf.cast(tf.shape(x)[0], y.dtype)
        return y * count / count + tf.reduce_mean(tf.cast(x, y.dtype))


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_where_the_batch_size_passes_by_the_whole_input_does(dtype):
    """A model that takes whole numbers, too."""
    x = picture_input(dtype=dtype)
    y = conv1()(layers.Rescaling(1 / 127.5, -1, dtype="float64")(x))
    y = layers.Conv2D(4, 3, padding="same", dtype="float64", name="mid")(y)
    y = TimesItself(dtype="float64", autocast=False, name="own")(y, x)
    end = given(layers.Dense(4, dtype="float64"), W.w[:4], W.b)
    network = camcore.wrap(settle(keras.Model(x, end(gap()(y)))))
    (only,) = found_sides(network, "mid")
    assert only is network.traced.source
    pixels = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 3)).astype(dtype)
    for layer in ("conv1", "mid", "own"):
        check_ablated(network, layer, pixels)
        check_placed(network, layer, pixels)
    assert network.layer("mid").grid == GRID


def test_an_image_that_was_written_into_is_looked_at_anew(branched):
    x = images(1, seed=1)
    branched.ablated_logits(x, "block2", [0])
    x += 0.5
    A = branched.tap(x, ["block2"]).activations["block2"].copy()
    A[..., 0] = 0
    np.testing.assert_allclose(branched.ablated_logits(x, "block2", [0]), branched.head("block2")(x, A), rtol=1e-9)
