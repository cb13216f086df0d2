"""What the output of a network is, for many ways to end one, and which score is differentiated then.

The oracle of every kind: probabilities are the model's own output, and gradients those of a GradientTape through the
model as Keras runs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from networks import FEATURES, conv1, conv2, gap, given, images, picture_input, settle

import camcore
from camcore.graph.score_kind import kind_of_values

_64 = {"dtype": "float64"}
Ending = Callable[[Any], Any]


def dense(classes: int, activation: str | None = None, seed: int = 0) -> Any:
    """A dense layer of weights of its own."""
    rng = np.random.default_rng(seed)
    layer = layers.Dense(classes, activation=activation, **_64)
    return given(layer, rng.normal(0, 1, (FEATURES, classes)), rng.normal(0, 0.3, classes))


def fixed(kernel: Any, bias: Any, activation: str | None = None) -> Any:
    kernel = np.asarray(kernel, float)
    return given(layers.Dense(kernel.shape[1], activation=activation, **_64), kernel, np.asarray(bias, float))


def network_of(end: Ending) -> Any:
    x = picture_input()
    return settle(keras.Model(x, end(gap()(conv2()(conv1()(x))))))


def softmax(y: Any, seed: int = 0) -> Any:
    return dense(4, "softmax", seed)(y)


def normalised(p: Any) -> Any:
    return p / ops.sum(p, axis=-1, keepdims=True)


def both(y: Any) -> Any:
    return ops.stack([softmax(y), softmax(y, 1)], axis=1)


DISTRIBUTIONS: dict[str, Ending] = {
    "mean of classifiers": lambda y: layers.Average(**_64)([softmax(y), softmax(y, 1)]),
    "weighted mean": lambda y: 0.3 * softmax(y) + 0.7 * softmax(y, 1),
    "mean over a stack": lambda y: ops.mean(both(y), axis=1),
    "weighted sum over a stack": lambda y: ops.sum(both(y) * np.array([[0.3], [0.7]]), axis=1),
    "mixture of experts": lambda y: ops.sum(ops.expand_dims(dense(2, "softmax", 5)(y), -1) * both(y), axis=1),
    "product of classifiers": lambda y: normalised(softmax(y) * softmax(y, 1)),
    "clipped": lambda y: ops.clip(softmax(y), 1e-7, 1 - 1e-7),
    "clipped and renormalised": lambda y: normalised(ops.clip(softmax(y), 0.01, 0.9)),
    "label smoothing": lambda y: softmax(y) * 0.9 + 0.1 / 4,
    "temperature afterwards": lambda y: normalised(softmax(y) ** 0.5),
    "written by hand": lambda y: normalised(ops.exp(dense(4)(y))),
    "written by hand, shifted": lambda y: (lambda z: ops.exp(z - ops.logsumexp(z, -1, keepdims=True)))(dense(4)(y)),
    "p and 1 - p": lambda y: (lambda p: ops.concatenate([1 - p, p], -1))(dense(1, "sigmoid")(y)),
    "classes merged": lambda y: ops.matmul(softmax(y), np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])),
}

LOGARITHMS: dict[str, Ending] = {
    "log softmax": lambda y: dense(4, "log_softmax")(y),
    "log of a softmax": lambda y: ops.log(softmax(y)),
    "log of a mean": lambda y: ops.log(ops.mean(both(y), axis=1)),
}

INDEPENDENT: dict[str, Ending] = {
    "sigmoids side by side": lambda y: layers.Concatenate(**_64)([dense(1, "sigmoid", i)(y) for i in range(3)]),
    "sigmoids stacked": lambda y: ops.stack([dense(1, "sigmoid", i)(y)[:, 0] for i in range(3)], axis=1),
    "written by hand": lambda y: 1 / (1 + ops.exp(-dense(3)(y))),
    "by tanh": lambda y: (ops.tanh(dense(3)(y)) + 1) / 2,
    "hard sigmoid": lambda y: dense(3, "hard_sigmoid")(y),
    "the larger of two classifiers": lambda y: ops.maximum(softmax(y), softmax(y, 1)),
    "two digits in a row": lambda y: layers.Flatten(**_64)(
        layers.Softmax(**_64)(layers.Reshape((2, 3), **_64)(dense(6)(y)))
    ),
}

ONE_UNIT: dict[str, Ending] = {
    "clipped sigmoid": lambda y: ops.clip(dense(1, "sigmoid")(y), 1e-6, 1 - 1e-6),
    "mean of sigmoids": lambda y: layers.Average(**_64)([dense(1, "sigmoid")(y), dense(1, "sigmoid", 1)(y)]),
    "written by hand": lambda y: 1 / (1 + ops.exp(-dense(1)(y))),
    "sum of classes": lambda y: ops.sum(softmax(y)[:, :2], axis=-1, keepdims=True),
}

SCALE = np.arange(4.0) / 3  # within 0..1, as the mean of a scale is then

VALUES: dict[str, Ending] = {
    "dense": lambda y: dense(1)(y),
    "dense of small numbers": lambda y: dense(1)(1e-4 * y) + 0.5,
    "relu": lambda y: layers.ReLU(**_64)(dense(1)(1e-2 * y)),
    "a hundred sigmoids": lambda y: 100 * dense(1, "sigmoid")(y),
    "expectation": lambda y: ops.sum(softmax(y) * np.arange(4.0), axis=-1, keepdims=True),
    "expectation within 0..1": lambda y: ops.sum(softmax(y) * SCALE, axis=-1, keepdims=True),
    "expectation as a product": lambda y: ops.matmul(softmax(y), SCALE[:, None]),
    "expectation as a dense layer": lambda y: fixed(SCALE[:, None], [0])(softmax(y)),
}

LINEAR: dict[str, Ending] = {
    "dense": lambda y: dense(4)(y),
    "dense of small numbers about 1/4": lambda y: dense(4)(1e-4 * y) + 0.25,
    "dense of zeros and 1/4": lambda y: fixed(np.zeros((FEATURES, 4)), [0.25] * 4)(y),
    "relu of zeros and 1/4": lambda y: fixed(np.zeros((FEATURES, 4)), [0.25] * 4, "relu")(y),
    "relu of small numbers": lambda y: layers.ReLU(**_64)(dense(4)(1e-3 * y)),
    "twice a softmax": lambda y: 2 * softmax(y),
}


def gradients_by_tape(model: Any, x: np.ndarray, score: Callable[[Any], Any]) -> np.ndarray:
    """∂score/∂A at the last feature map, of the model as Keras runs it."""
    both_ends = keras.Model(model.input, [model.get_layer("features").output, model.output])
    with tf.GradientTape() as tape:
        A, output = both_ends(tf.constant(x))
        value = score(output)
    return np.asarray(tape.gradient(value, A))


def agree(model: Any, network: Any, c: int, score: Callable[[Any], Any]) -> None:
    x = images(3)
    G = network.tap(x, ["features"], [c]).gradients[0]["features"]
    np.testing.assert_allclose(G, gradients_by_tape(model, x, score), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_is_the_output_itself(name):
    model = network_of(DISTRIBUTIONS[name])
    network = camcore.wrap(model)
    x = images(3)
    assert (network.score_kind, network.activation) == ("log-probability", "exp")
    np.testing.assert_allclose(network.answer(x)[1], np.asarray(model(x)), atol=1e-7)
    np.testing.assert_allclose(network.logits(x), np.log(np.asarray(model(x))), atol=1e-6)
    agree(model, network, 1, lambda p: tf.math.log(p[:, 1]))


@pytest.mark.parametrize("name", LOGARITHMS)
def test_log_probabilities_are_scores_already(name):
    model = network_of(LOGARITHMS[name])
    network = camcore.wrap(model)
    x = images(3)
    assert (network.score_kind, network.activation) == ("log-probability", "exp")
    np.testing.assert_allclose(network.answer(x)[1], np.exp(np.asarray(model(x))), atol=1e-7)
    agree(model, network, 2, lambda log_p: log_p[:, 2])


@pytest.mark.parametrize("name", INDEPENDENT)
def test_independent_probabilities_are_the_output_itself(name):
    model = network_of(INDEPENDENT[name])
    network = camcore.wrap(model)
    x = images(3)
    assert (network.score_kind, network.activation) == ("log-odds", "sigmoid")
    np.testing.assert_allclose(network.answer(x)[1], np.asarray(model(x)), atol=1e-7)
    agree(model, network, 1, lambda p: tf.math.log(p[:, 1]) - tf.math.log(1 - p[:, 1]))


@pytest.mark.parametrize("name", ONE_UNIT)
def test_one_unit_that_is_a_probability_has_two_classes(name):
    model = network_of(ONE_UNIT[name])
    network = camcore.wrap(model, labels=["cat", "dog"])
    x = images(3)
    assert (network.score_kind, network.classes) == ("log-odds", 2)
    p = np.asarray(model(x))
    np.testing.assert_allclose(network.answer(x)[1], np.concatenate([1 - p, p], axis=1), atol=1e-7)
    agree(model, network, 0, lambda p: tf.math.log(1 - p) - tf.math.log(p))
    agree(model, network, 1, lambda p: tf.math.log(p) - tf.math.log(1 - p))


@pytest.mark.parametrize("name", VALUES)
def test_a_regression_is_no_probability(name):
    model = network_of(VALUES[name])
    network = camcore.wrap(model)
    x = images(3)
    y = np.asarray(model(x))
    assert (network.score_kind, network.activation) == ("value", "none")
    np.testing.assert_allclose(network.logits(x), np.concatenate([y, -y], axis=1), rtol=1e-6)
    agree(model, network, 0, lambda y: y)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_outputs_are_logits(name):
    model = network_of(LINEAR[name])
    network = camcore.wrap(model)
    x = images(3)
    assert (network.score_kind, network.activation) == ("logit", "linear")
    np.testing.assert_allclose(network.logits(x), np.asarray(model(x)), rtol=1e-6)


def test_a_temperature_before_the_softmax_leaves_a_logit():
    model = network_of(lambda y: ops.softmax(dense(4)(y) / 2.0))
    network = camcore.wrap(model)
    assert (network.score_kind, network.activation) == ("logit", "softmax")
    np.testing.assert_allclose(network.answer(images(3))[1], model.predict(images(3), verbose=0), atol=1e-7)


def test_the_gradient_of_log_p_is_the_slope_of_log_p():
    """By central differences at the input."""
    model = network_of(DISTRIBUTIONS["mean of classifiers"])
    network = camcore.wrap(model)
    x = images(1)
    rng = np.random.default_rng(0)
    step = rng.normal(size=x.shape)
    step /= np.linalg.norm(step)
    G = network.tap(x, [""], [3]).gradients[0][""]
    up, down = (np.log(np.asarray(model(x + sign * 1e-5 * step))[0, 3]) for sign in (1, -1))
    assert float((G * step).sum()) == pytest.approx((up - down) / 2e-5, rel=1e-6)


class Mean(layers.Layer):
    """The mean of two classifiers, as a layer or model of one's own would write it."""

    def __init__(self) -> None:
        super().__init__(**_64)
        self.one, self.two = dense(4, "softmax"), dense(4, "softmax", 1)

    def build(self, shape: Any) -> None:
        self.one.build(shape)
        self.two.build(shape)
        self.built = True

    def call(self, y: Any) -> Any:
        return (self.one(y) + self.two(y)) / 2


class Whole(keras.Model):
    """All of the network in one call."""

    def __init__(self) -> None:
        super().__init__(**_64)
        self.steps = [conv1(), conv2(), gap(), Mean()]

    def call(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return x


def built(model: Any) -> Any:
    model(images(1))
    return settle(model)


TWINS = {
    "sequential": lambda: built(keras.Sequential([picture_input(), conv1(), conv2(), gap(), Mean()])),
    "subclassed": lambda: built(Whole()),
    "classifiers nested": lambda: _nested(),
}


def _nested() -> Any:
    x = picture_input()
    y = conv2()(conv1()(x))
    parts = []
    for seed in (0, 1):
        features = keras.Input(y.shape[1:], **_64)
        parts.append(keras.Model(features, softmax(gap()(features), seed))(y))
    return settle(keras.Model(x, layers.Average(**_64)(parts)))


@pytest.mark.parametrize("name", TWINS)
def test_other_ways_to_write_it_are_the_same(name):
    x = images(3)
    one = camcore.wrap(network_of(DISTRIBUTIONS["mean of classifiers"]))
    other = camcore.wrap(TWINS[name](), input_size=x.shape[1:3])
    assert other.score_kind == "log-probability"
    np.testing.assert_allclose(other.logits(x), one.logits(x), rtol=1e-9)
    for method in (camcore.GradCAM, camcore.ScoreCAM):
        maps = [method(network).compute_heatmap(x[:1], 2, raw=True) for network in (one, other)]
        np.testing.assert_allclose(maps[1], maps[0], rtol=1e-5)


def test_crops_in_one_batch():
    """The end cannot be fed by itself, because it folds the batch; the network is run whole."""

    class Crops(keras.Model):
        def __init__(self) -> None:
            super().__init__(**_64)
            self.one = network_of(softmax)

        def call(self, x: Any) -> Any:
            both_ways = tf.concat([x, tf.reverse(x, [2])], 0)
            return tf.reduce_mean(tf.reshape(self.one(both_ways), [2, tf.shape(x)[0], 4]), 0)

    model = Crops()
    x = images(3)
    says = np.asarray(model(x))
    network = camcore.wrap(model, input_size=x.shape[1:3])
    assert network.score_kind == "log-probability"
    np.testing.assert_allclose(network.answer(x)[1], says, atol=1e-7)


class Compiled(layers.Layer):
    """An end within a called function, as a SavedModel has it, of which nothing can be fed by itself."""

    def __init__(self, kernel: Any, bias: float, function: Callable[[Any], Any]) -> None:
        super().__init__(**_64)
        self.kernel, self.bias = tf.constant(kernel), bias
        self.inner = tf.function(lambda y: function(tf.linalg.matmul(y, self.kernel) + self.bias))

    def call(self, y: Any) -> Any:
        return self.inner(y)


@pytest.mark.parametrize(
    ("function", "kind"),
    [(tf.nn.softmax, "log-probability"), (tf.sigmoid, "log-odds"), (tf.identity, "logit"), (tf.nn.relu, "logit")],
)
def test_an_end_within_a_called_function(function, kind):
    """Small numbers within 0..1 are no probabilities there either."""
    kernel = 1e-5 * np.random.default_rng(0).normal(size=(FEATURES, 4))
    network = camcore.wrap(network_of(Compiled(kernel, 0.5, function)))
    assert network.score_kind == kind
    model = network.model
    says = np.asarray(model(images(3)))
    if kind == "logit":
        np.testing.assert_allclose(network.logits(images(3)), says, rtol=1e-9)
    else:
        np.testing.assert_allclose(network.answer(images(3))[1], says, atol=1e-7)


def test_saturated_sigmoids_side_by_side_still_have_a_gradient():
    """Their logits are found, where log p − log(1 − p) would be rounded away."""
    x = picture_input()
    y = gap()(conv2()(conv1()(x)))
    kernel = 1e4 * np.random.default_rng(0).normal(size=(FEATURES, 2))
    ends = [fixed(kernel[:, [i]], [0], "sigmoid")(y) for i in range(2)]
    network = camcore.wrap(settle(keras.Model(x, layers.Concatenate(**_64)(ends))))
    G = network.tap(images(1), ["features"], [1]).gradients[0]["features"]
    np.testing.assert_allclose(G, np.broadcast_to(kernel[:, 1] / 30, G.shape), rtol=1e-9)


def test_probabilities_of_zero_keep_scores_and_gradients_finite():
    x = picture_input(dtype="float32")
    y = gap("float32")(conv2("float32")(conv1("float32")(x)))
    kernel = 1e3 * np.random.default_rng(0).normal(size=(FEATURES, 3))
    ends = [given(layers.Dense(3, activation="softmax"), kernel * sign, np.zeros(3)) for sign in (1, 2)]
    model = settle(keras.Model(x, layers.Average()([end(y) for end in ends])))
    network = camcore.wrap(model)
    assert (np.asarray(model(images(2))) == 0).any()
    for c in range(3):
        found = network.tap(images(2), ["features"], [c])
        assert np.isfinite(found.logits).all()
        assert np.isfinite(found.gradients[0]["features"]).all()


def test_half_precision_is_judged_by_its_own_precision():
    x = keras.Input((12, 10, 3))
    policy = {"dtype": "mixed_bfloat16"}
    y = layers.GlobalAveragePooling2D(**policy)(layers.Conv2D(6, 3, activation="relu", **policy)(x))
    ends = [layers.Dense(7, activation="softmax", **policy)(y) for _ in range(2)]
    network = camcore.wrap(keras.Model(x, layers.Average(**policy)(ends)))
    assert network.score_kind == "log-probability"
    assert network.logits(images(2)).dtype == np.float32


def test_cam_is_not_defined_for_a_log_probability():
    network = camcore.wrap(network_of(DISTRIBUTIONS["mean of classifiers"]))
    with pytest.raises(camcore.MethodError, match=r"score is the log-probability of its own probabilities.*gradcam"):
        camcore.CAM(network)


# ---- the numbers by themselves


def test_rows_that_sum_to_one_are_a_distribution():
    p = np.random.default_rng(0).dirichlet(np.ones(5), 8)
    assert kind_of_values(p) == "distribution"
    assert kind_of_values(np.log(p)) == "log distribution"
    assert kind_of_values(p[:, :4]) == "independent"
    assert kind_of_values(2 * p) == "other"


def test_rows_that_overflow_are_left_out_and_equal_ones_say_nothing():
    p = np.random.default_rng(0).dirichlet(np.ones(5), 8)
    assert kind_of_values(np.concatenate([p, np.full((1, 5), np.nan)])) == "distribution"
    assert kind_of_values(np.full((8, 5), 0.2)) == "other"
    assert kind_of_values(np.full((8, 5), np.nan)) == "other"
