"""The logits behind every kind of ending."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from networks import (
    CLASSES,
    SIZE,
    W,
    conv1,
    conv2,
    dense,
    flat,
    gap,
    given,
    head,
    images,
    mobilenet_head,
    one_unit,
    picture_input,
    settle,
)

import camcore
from camcore.engine.scores import find_scores
from camcore.engine.tracing import trace_model

_64 = {"dtype": "float64"}


def logits_by_hand(x: np.ndarray) -> np.ndarray:
    """The logits of the reference network, from its last feature map."""
    model = flat()
    features = keras.Model(model.input, model.get_layer("features").output)
    return np.asarray(features(x)).mean(axis=(1, 2)) @ W.w + W.b


ENDINGS = {
    "softmax in Dense": (lambda: flat("softmax"), "softmax"),
    "sigmoid in Dense": (lambda: flat("sigmoid"), "sigmoid"),
    "log softmax in Dense": (lambda: flat("log_softmax"), "softmax"),
    "no activation": (lambda: flat(None), "linear"),
    "Activation layer": (
        lambda: head(gap(), dense(activation=None), layers.Activation("softmax", **_64)),
        "softmax",
    ),
    "Softmax layer": (lambda: head(gap(), dense(activation=None), layers.Softmax(**_64)), "softmax"),
    "sigmoid layer": (
        lambda: head(gap(), dense(activation=None), layers.Activation("sigmoid", **_64)),
        "sigmoid",
    ),
    "reshape, then softmax": (mobilenet_head, "softmax"),
    "softmax, then reshape": (lambda: mobilenet_head(True), "softmax"),
    "softmax, then dropout": (lambda: head(gap(), dense(), layers.Dropout(0.5, **_64)), "softmax"),
    "softmax, then identity": (lambda: head(gap(), dense(), layers.Activation("linear", **_64)), "softmax"),
    "softmax, cast to float32": (lambda: head(gap(), dense(), layers.Identity(dtype="float32")), "softmax"),
    "softmax (n, 1, 1, c)": (
        lambda: head(
            gap(keepdims=True),
            given(layers.Conv2D(CLASSES, 1, activation="softmax", **_64), W.w[None, None], W.b),
        ),
        "softmax",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_logits_are_found(name):
    build, activation = ENDINGS[name]
    network = camcore.wrap(build())
    x = images(3)
    assert network.activation == activation
    assert network.classes == CLASSES
    wanted = logits_by_hand(x)
    found = network.logits(x)
    assert found.shape == (3, CLASSES)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", ENDINGS)
def test_probabilities_are_what_the_model_says(name):
    build, activation = ENDINGS[name]
    model = build()
    network = camcore.wrap(model)
    x = images(3)
    says = np.asarray(model(x)).reshape(3, CLASSES)
    if "log" in name:
        says = np.exp(says)
    if activation == "linear":
        says = np.exp(says) / np.exp(says).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.probabilities(network.logits(x)), says, rtol=1e-6)


def test_one_sigmoid_unit_has_two_classes():
    network = camcore.wrap(one_unit())
    x = images(3)
    z = logits_by_hand(x)[:, 2]
    assert network.classes == 2
    assert network.activation == "sigmoid"
    np.testing.assert_allclose(network.logits(x), np.stack([-z, z], axis=1), rtol=1e-9)
    p = network.probabilities(network.logits(x))
    np.testing.assert_allclose(p[:, 1], np.asarray(network.model(x))[:, 0], rtol=1e-9)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


def test_one_linear_unit_has_one_score_and_no_probability():
    network = camcore.wrap(one_unit("linear"))
    x = images(2)
    assert (network.classes, network.activation) == (1, "linear")
    np.testing.assert_allclose(network.logits(x)[:, 0], logits_by_hand(x)[:, 2], rtol=1e-9)
    assert np.isnan(network.probabilities(network.logits(x))).all()


def test_a_saturated_softmax_still_has_a_gradient():
    """The probability's gradient is exactly zero here; the logit's is W."""
    x = picture_input()
    end = given(layers.Dense(CLASSES, activation="softmax", **_64), 1e4 * W.w, W.b)
    model = settle(keras.Model(x, end(gap()(conv2()(conv1()(x))))))
    pixels = images(1)
    network = camcore.wrap(model)
    assert np.asarray(model(pixels)).max() == 1
    c = int(network.logits(pixels)[0].argmax())
    G = network.tap(pixels, ["features"], [c]).gradients[0]["features"]
    np.testing.assert_allclose(G, np.broadcast_to(1e4 * W.w[:, c] / 30, G.shape), rtol=1e-9)


def test_scores_after_more_arithmetic_are_the_output_itself():
    """A softmax whose output is changed again is no ending that could be read."""

    class Doubled(layers.Layer):
        def call(self, x: Any) -> Any:
            return 2.0 * x

    network = camcore.wrap(head(gap(), dense(), Doubled(**_64)))
    x = images(2)
    assert network.activation == "linear"
    np.testing.assert_allclose(network.logits(x), 2 * np.asarray(flat()(x)), rtol=1e-9)


def test_a_softmax_in_the_middle_is_not_the_end():
    x = picture_input()
    y = layers.Softmax(**_64)(conv2()(conv1()(x)))
    model = settle(keras.Model(x, dense(activation=None)(gap()(y))))
    assert camcore.wrap(model).activation == "linear"


def test_half_precision_scores_are_computed_in_single():
    network = camcore.wrap(flat(dtype="mixed_float16"))
    assert network.logits(images(1)).dtype == np.float32
    assert camcore.wrap(flat()).logits(images(1)).dtype == np.float64


# ---- what has no scores


def scores_of(build: Any) -> Any:
    return find_scores(trace_model(build, (*SIZE, 3), "float64", lambda out: out).output)


def test_segmentation_is_refused():
    x = picture_input()
    y = layers.Conv2D(5, 1, activation="softmax", **_64)(conv1()(x))
    with pytest.raises(camcore.ModelError, match=r"grid of its own \(shape \(None, 6, 5, 5\)\).*segmentation.*pools"):
        scores_of(keras.Model(x, y))


def test_an_output_without_a_class_axis_is_refused():
    x = picture_input()
    y = keras.ops.mean(conv1()(x), axis=(1, 2, 3))
    with pytest.raises(camcore.ModelError, match=r"shape \(None,\).*one score per class.*Choose another output"):
        scores_of(keras.Model(x, y))


def test_class_tensors_have_a_static_number_of_classes():
    scores = scores_of(flat())
    assert scores.logits.shape[1] == CLASSES
    assert scores.logits.dtype == tf.float64
