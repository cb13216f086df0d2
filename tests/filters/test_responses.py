"""What is climbed: against plain numpy, central differences, and the gradient of a channel at rest."""

import keras
import networks
import numpy as np
import pytest
from keras import layers

import camcore
from camcore.errors import LayerError
from camcore.filters.responses import LEAK, before_rectifier, climbing

SIZE = networks.SIZE


def response(net: camcore.Network, layer: str | None, x: np.ndarray, channels: list[int]) -> list[np.ndarray]:
    return climbing(net, layer, "test", lambda part: part)(x, np.asarray(channels, np.int32))


def test_before_a_rectifier_by_hand_and_by_central_differences() -> None:
    net = camcore.wrap(networks.flat())
    linear = camcore.wrap(networks.flat())
    x = networks.images(2)
    value, gradient = response(net, "features", x, [1, 4])

    def by_hand(images: np.ndarray) -> np.ndarray:
        first = linear.tap(images, ["conv1"]).activations["conv1"]
        padded = np.pad(first, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        z = np.einsum("nhwcij,ijck->nhwk", windows, networks.W.k2) + networks.W.b2
        chosen = np.stack([z[0, ..., 1], z[1, ..., 4]])
        return np.where(chosen > 0, chosen, LEAK * chosen).mean(axis=(1, 2))

    np.testing.assert_allclose(value, by_hand(x), rtol=1e-7)  # TensorFlow keeps the leak in single precision
    for place in [(0, 3, 4, 1), (0, 0, 0, 0), (1, 11, 9, 2), (1, 6, 5, 0)]:
        step = np.zeros_like(x)
        step[place] = 1e-5
        slope = (by_hand(x + step) - by_hand(x - step))[place[0]] / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_a_class_is_its_logit() -> None:
    net = camcore.wrap(networks.flat())
    x = networks.images(2)
    value, gradient = response(net, None, x, [3, 0])
    np.testing.assert_allclose(value, net.logits(x)[[0, 1], [3, 0]], rtol=1e-12)
    found = net.tap(x, [""], [[3, 0]]).gradients[0][""]
    np.testing.assert_allclose(gradient, found, rtol=1e-9)


def test_a_channel_at_rest_has_a_slope() -> None:
    """relu(w·x − 100) is zero; LEAK·w/(h·w) is the gradient of what is climbed."""
    x = keras.Input((4, 5, 3), dtype="float64")
    y = layers.Conv2D(2, 1, activation="relu", dtype="float64", name="resting")(x)
    y = layers.Dense(2, dtype="float64")(layers.GlobalAveragePooling2D(dtype="float64")(y))
    model = keras.Model(x, y)
    w = np.arange(1.0, 7.0).reshape(1, 1, 3, 2)
    model.get_layer("resting").set_weights([w, np.full(2, -100.0)])
    net = camcore.wrap(model)
    image = np.ones((1, 4, 5, 3))
    value, gradient = response(net, "resting", image, [1])
    assert net.tap(image, ["resting"]).activations["resting"].max() == 0
    assert value[0] == pytest.approx(LEAK * (12 - 100))
    np.testing.assert_allclose(gradient[0], np.broadcast_to(LEAK * w[0, 0, :, 1] / 20, (4, 5, 3)))


def test_only_the_part_up_to_the_layer_is_run() -> None:
    net = camcore.wrap(networks.flat())
    kept = []
    climbing(net, "conv1", "test", lambda part: kept.append(part) or part)
    kinds = [operation.type for operation in kept[0].graph.get_operations()]
    assert kinds.count("Conv2D") == 1
    assert "MatMul" not in kinds


def test_whole_numbers_have_no_gradient() -> None:
    x = keras.Input((6, 6, 3), dtype="uint8")
    y = layers.Conv2D(2, 3, name="c")(layers.Rescaling(1 / 255)(x))
    net = camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y))))
    with pytest.raises(LayerError, match="No gradient leads from layer 'c'"):
        response(net, "c", np.zeros((1, 6, 6, 3), np.uint8), [0])


@pytest.mark.parametrize(("activation", "passed"), [("relu", True), ("relu6", True), ("tanh", True), ("silu", False)])
def test_activations_that_never_fall_are_passed(activation: str, passed: bool) -> None:
    x = keras.Input((4, 4, 3))
    y = layers.Activation(activation, name="a")(layers.Conv2D(2, 1, name="c")(x))
    net = camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y))))
    tensors = net.traced.table.tensors
    assert (before_rectifier(tensors["a"]).name == tensors["c"].name) is passed
