"""Networks fed whole numbers: gradients end at the floats that their cast makes, and FullGrad is complete there."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import camcore
from camcore.graph.walks import as_floats

SIZE = (10, 14)


def model(dtype: str, first: Any) -> Any:
    keras.utils.set_random_seed(2)
    x = keras.Input((*SIZE, 3), dtype=dtype)
    y = layers.Conv2D(4, 3, activation="relu", name="last", bias_initializer="normal")(first(x))
    return keras.Model(x, layers.Dense(3, bias_initializer="normal")(layers.GlobalAveragePooling2D()(y)))


FIRST = {
    "rescaling": layers.Rescaling(1 / 127.5, offset=-1),
    "cast": lambda x: keras.ops.cast(x, "float32") / 255.0,
    "channels turned first": lambda x: keras.ops.cast(x[..., ::-1], "float32") / 255.0,
}


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
@pytest.mark.parametrize("first", FIRST)
def test_gradient_and_fullgrad(first, dtype):
    made = model(dtype, FIRST[first])
    net = camcore.wrap(made)
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 255, (*SIZE, 3), dtype=np.uint8))
    fullgrad, gradient = camcore.explain(net, pic, ["fullgrad", "gradient"], classes=1, framing="stretch")
    assert abs(fullgrad.residual) < 1e-5
    # The twin takes floats; a turn of the channels changes no maximum over them.
    twin = keras.models.clone_model(made)
    floats = keras.Input((*SIZE, 3))
    y = FIRST[first](floats)
    for layer, own in zip(twin.layers[-3:], made.layers[-3:], strict=True):
        layer.set_weights(own.get_weights())
        y = layer(y)
    pixels = tf.Variable(pic.rgb[np.newaxis].astype(np.float32))
    with tf.GradientTape() as tape:
        score = keras.Model(floats, y)(pixels)[:, 1]
    slope = tape.gradient(score, pixels).numpy()[0]
    np.testing.assert_allclose(gradient.raw, np.abs(slope).max(-1), rtol=1e-4, atol=1e-7)


def test_whole_numbers_cast_at_two_places_have_no_one_gradient():
    net = camcore.wrap(model("uint8", lambda x: keras.ops.cast(x, "float32") + keras.ops.cast(x // 2, "float32")))
    assert as_floats(net.traced.source) is net.traced.source
    pic = camcore.Picture.from_array(np.zeros((*SIZE, 3), np.uint8))
    with pytest.raises(camcore.LayerError, match="No gradient reaches the network's input"):
        camcore.explain(net, pic, ["fullgrad"])
