"""Networks without a grid: what needs no layer works, everything else says why it cannot."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import camcore

SIZE = (12, 18)


@functools.cache
def dense_only() -> tuple[Any, camcore.Network]:
    keras.utils.set_random_seed(0)
    x = keras.Input((*SIZE, 3))
    y = layers.Dense(8, activation="relu")(layers.Flatten()(x))
    model = keras.Model(x, layers.Dense(3)(y))
    return model, camcore.wrap(model, preprocess=lambda rgb: rgb / 255)


def picture() -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(0).integers(0, 255, (*SIZE, 3), dtype=np.uint8))


def test_methods_on_the_inputs_own_grid_are_as_ever():
    model, net = dense_only()
    pic = picture()
    x = pic.rgb[np.newaxis].astype(np.float32) / 255
    pixels = tf.Variable(x)
    with tf.GradientTape() as tape:
        score = model(pixels)[:, 1]
    slope = tape.gradient(score, pixels).numpy()[0]
    gradient, fullgrad, occlusion, rise = camcore.explain(
        net,
        pic,
        ["gradient", "fullgrad", "occlusion", "rise"],
        classes=1,
        framing="stretch",
        options={"rise": {"n": 50}},
    )
    np.testing.assert_allclose(gradient.raw, np.abs(slope).max(-1), rtol=1e-5)
    assert abs(fullgrad.residual) < 1e-5 * max(1, abs(fullgrad.logit))
    assert {gradient.layer, fullgrad.layer, occlusion.layer, rise.layer} == {None}
    assert occlusion.values.max() == 1
    assert rise.values.max() == 1


@pytest.mark.parametrize("method", ["random", "centre"])
def test_controls_lie_on_the_inputs_own_grid(method):
    (found,) = camcore.explain(dense_only()[1], picture(), method, framing="stretch")
    assert found.raw.shape == SIZE
    assert found.layer is None


@pytest.mark.parametrize(
    "method", [key for key, info in camcore.METHODS.items() if not info.layer_free and info.input.reads_network]
)
def test_methods_that_need_a_layer_say_that_there_is_none(method):
    with pytest.raises(camcore.LayerError, match=r"no layer with a grid.*places are mixed.*'occlusion' and 'rise'"):
        camcore.explain(dense_only()[1], picture(), method)


@pytest.mark.parametrize(
    "prepare",
    [
        layers.Rescaling(1 / 255),
        layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]),
        lambda x: layers.AveragePooling2D(2)(layers.Rescaling(1 / 127.5, -1)(x)),
        keras.applications.vgg16.preprocess_input,
    ],
)
def test_a_prepared_picture_is_no_feature_map(prepare):
    """It has a grid, and could be named as a layer; but nothing was found in it yet that a map could be about."""
    x = keras.Input((*SIZE, 3))
    net = camcore.wrap(keras.Model(x, layers.Dense(3, activation="softmax")(layers.Flatten()(prepare(x)))))
    assert net.default_layer is None
    assert camcore.explain(net, picture(), "occlusion")[0].layer is None


@pytest.mark.parametrize("features", [layers.Conv2D(2, 1), layers.Dense(3), layers.SeparableConv2D(3, 3)])
def test_features_of_few_channels_are_features(features):
    x = keras.Input((*SIZE, 3))
    y = layers.Dense(3, activation="softmax")(layers.Flatten()(features(layers.Rescaling(1 / 255)(x))))
    assert camcore.wrap(keras.Model(x, y)).default_layer == features.name


def test_in_the_style_of_keras():
    model, net = dense_only()
    x = np.zeros((*SIZE, 3), np.float32)
    assert camcore.FullGrad(net).compute_heatmap(x, 0).shape == SIZE
    with pytest.raises(camcore.LayerError, match="no layer with a grid"):
        camcore.GradCAM(model)


def test_a_saved_model_is_looked_at_from_outside(tmp_path):
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [keras.Input((*SIZE, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    )
    inner.export(str(tmp_path), verbose=False)
    x = keras.Input((*SIZE, 3))
    net = camcore.wrap(keras.Model(x, layers.TFSMLayer(str(tmp_path), call_endpoint="serve")(x)))
    assert net.default_layer is None
    (found,) = camcore.explain(net, picture(), "occlusion", classes=0, framing="stretch")
    (twin,) = camcore.explain(camcore.wrap(inner), picture(), "occlusion", classes=0, framing="stretch")
    np.testing.assert_allclose(found.raw, twin.raw, rtol=1e-4, atol=1e-4)
