"""The first layer's kernels as pictures: their own weights, in the picture's own colours, on one scale."""

import keras
import numpy as np
import pytest
from keras import layers

import camcore
from camcore.errors import LayerError
from camcore.filters import first_kernels
from camcore.models.preprocessing import preprocessing


def network(kernel: np.ndarray, mode: str) -> camcore.Network:
    x = keras.Input((12, 12, 3))
    y = layers.Conv2D(kernel.shape[3], kernel.shape[:2], use_bias=False, name="first")(x)
    y = layers.Conv2D(3, 3, name="second")(layers.Conv2D(3, 1, name="middle")(y))
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
    model.get_layer("first").set_weights([kernel])
    return camcore.wrap(model, preprocess=preprocessing(mode))


KERNEL = np.random.default_rng(0).normal(0, 1, (3, 2, 3, 5)).astype(np.float32)


def test_they_are_the_weights_of_red_green_and_blue() -> None:
    found = first_kernels(network(KERNEL, "unit"))
    assert found.layer == "first"
    np.testing.assert_allclose(found.weights, KERNEL.transpose(3, 0, 1, 2), rtol=1e-5)
    found = first_kernels(network(KERNEL, "caffe"))  # which hands the network blue, green, red in 0..255
    np.testing.assert_allclose(found.weights, 255 * KERNEL.transpose(3, 0, 1, 2)[..., ::-1], rtol=1e-4, atol=1e-3)


def test_one_scale_with_grey_for_nothing() -> None:
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[0, 0, :, 0] = (2.0, 0.0, -2.0)
    kernel[0, 0, :, 1] = (1.0, -0.5, 0.0)
    found = first_kernels(network(kernel, "unit"))
    assert found.scale == pytest.approx(2.0)
    np.testing.assert_array_equal(found.rgb[:, 0, 0], [[255, 128, 1], [192, 96, 128]])
    np.testing.assert_array_equal(first_kernels(network(np.zeros_like(kernel), "unit")).rgb, 128)


def test_a_network_without_such_a_layer_is_told() -> None:
    x = keras.Input((12, 12, 3))
    y = layers.Conv2D(2, 3)(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    net = camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y))))
    with pytest.raises(LayerError, match="no convolution of the input's own 3 channels"):
        first_kernels(net)
