"""Which map is recommended where several reach the scores, or a layer of one's own pools."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import camcore


def features() -> tuple[Any, Any]:
    source = keras.Input((24, 24, 3))
    return source, layers.Conv2D(6, 5, 3, padding="same", activation="relu", name="features")(source)


def wrapped(source: Any, pooled: Any) -> camcore.Network:
    return camcore.wrap(keras.Model(source, layers.Dense(3, "softmax")(pooled)))


def attention(x: Any) -> Any:
    weights = layers.Softmax(axis=1)(layers.Reshape((64, 1))(layers.Conv2D(1, 1, name="attention")(x)))
    return layers.Flatten()(layers.Dot(axes=1)([weights, layers.Reshape((64, 6))(x)]))


def assignment(x: Any) -> Any:
    """NetVLAD's: the share of each place in each of four clusters."""
    shares = layers.Reshape((64, 4))(layers.Conv2D(4, 1, activation="softmax", name="assignment")(x))
    return layers.Flatten()(layers.Dot(axes=1)([shares, layers.Reshape((64, 6))(x)]))


@pytest.mark.parametrize("pooling", [attention, assignment])
def test_the_map_that_is_pooled_is_recommended_and_not_its_weights(pooling):
    keras.utils.set_random_seed(0)
    source, x = features()
    assert wrapped(source, pooling(x)).default_layer == "features"


def test_a_later_map_of_the_same_grid_that_is_pooled_beside_an_earlier_one_is_recommended():
    source, x = features()
    later = layers.Conv2D(6, 3, padding="same", activation="relu", name="later")(x)
    both = layers.Concatenate()([layers.GlobalAveragePooling2D()(one) for one in (x, later)])
    assert wrapped(source, both).default_layer == "later"


class Pooling(layers.Layer):
    """A pooling of one's own."""

    def __init__(self, pool: Callable[[Any], Any]) -> None:
        super().__init__()
        self.pool = pool

    def call(self, x: Any) -> Any:
        return self.pool(x)


POOLINGS = {
    "generalised mean": lambda x: ops.mean(ops.maximum(x, 1e-6) ** 3.0, (1, 2)) ** (1 / 3),
    "root mean square": lambda x: ops.sqrt(ops.mean(ops.square(x), (1, 2)) + 1e-6),
    "log-mean-exp": lambda x: ops.log(ops.mean(ops.exp(5.0 * x), (1, 2))) / 5.0,
    "noisy or": lambda x: 1 - ops.exp(ops.sum(ops.log(1 - 0.05 * ops.minimum(x, 1.0)), (1, 2))),
    "spatial softmax": lambda x: ops.mean(ops.softmax(ops.reshape(ops.transpose(x, (0, 3, 1, 2)), (-1, 6, 64))), -1),
    "log-sum-exp": lambda x: tf.reduce_logsumexp(x, (1, 2)),
}


@pytest.mark.parametrize("name", POOLINGS)
def test_a_generalised_mean_ends_the_grid_of_the_layer_before_it(name):
    keras.utils.set_random_seed(0)
    source, x = features()
    assert wrapped(source, Pooling(POOLINGS[name])(x)).default_layer == "features"


def test_a_gate_inside_a_layer_of_ones_own_is_part_of_the_map():
    """And so is a scale: no generalised mean is taken of either."""

    class Gated(layers.Layer):
        def call(self, x: Any) -> tuple[Any, Any]:
            gate = ops.sigmoid(ops.mean(x, (1, 2), keepdims=True))
            return x * gate, gate

    source, x = features()
    network = wrapped(source, layers.GlobalAveragePooling2D()(Gated(name="gated")(x)[0]))
    assert network.default_layer is not None
    assert "/gated" in network.default_layer


def test_rows_along_the_first_axis_are_no_grid_of_a_picture():
    """As where a recurrent layer, or a layer for each row, wants the steps first."""
    source, x = features()
    steps = layers.Lambda(lambda t: ops.transpose(t, (1, 0, 2, 3)), name="steps")(x)
    back = layers.Lambda(lambda t: ops.transpose(ops.sum(ops.reshape(t, (8, -1, 48)), 0), (0, 1)))(steps)
    network = wrapped(source, back)
    assert network.default_layer == "features"
    assert not network.layer("steps").usable


def test_a_layer_that_is_run_on_tiles_of_the_picture_is_not_taken_for_its_map():
    source = keras.Input((24, 24, 3))

    def tiles(x: Any) -> Any:
        cut = ops.transpose(ops.reshape(x, (-1, 2, 12, 2, 12, 3)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(cut, (-1, 12, 12, 3))

    x = layers.Conv2D(4, 3, 2, padding="same", activation="relu", name="on_tiles")(layers.Lambda(tiles)(source))
    x = layers.GlobalAveragePooling2D()(x)
    network = wrapped(source, layers.Lambda(lambda t: ops.max(ops.reshape(t, (-1, 4, 4)), 1))(x))
    assert network.default_layer is None
    with pytest.raises(camcore.LayerError, match="pieces of each picture"):
        camcore.GradCAM(network, "on_tiles")
    picture = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8))
    assert np.isfinite(camcore.explain(network, picture, "occlusion")[0].raw).all()


def test_where_no_gradient_reaches_any_layer_none_is_advised():
    source, x = features()
    p = layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(x))
    votes = layers.Lambda(lambda t: ops.one_hot(ops.argmax(t, -1), 3))(p)
    network = camcore.wrap(keras.Model(source, votes))
    with pytest.raises(camcore.LayerError, match="No gradient reaches layer 'features'") as told:
        camcore.GradCAM(network).compute_heatmap(np.ones((24, 24, 3), np.float32), 0)
    assert "Try 'scorecam', 'occlusion' or 'rise'" in str(told.value)
