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
from camcore.graph.gradients import TOP_CLASS
from camcore.graph.scores import find_scores
from camcore.graph.trace import trace_model

_64 = {"dtype": "float64"}


def logits_by_hand(x: np.ndarray) -> np.ndarray:
    """The logits of the reference network, from its last feature map."""
    model = flat()
    features = keras.Model(model.input, model.get_layer("features").output)
    return np.asarray(features(x)).mean(axis=(1, 2)) @ W.w + W.b


ENDINGS = {
    "softmax in Dense": (lambda: flat("softmax"), "softmax"),
    "sigmoid in Dense": (lambda: flat("sigmoid"), "sigmoid"),
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


def test_one_linear_unit_is_a_value_that_is_raised_or_lowered():
    network = camcore.wrap(one_unit("linear"))
    x = images(2)
    y = logits_by_hand(x)[:, 2]
    assert (network.classes, network.activation, network.score_kind) == (2, "none", "value")
    np.testing.assert_allclose(network.logits(x), np.stack([y, -y], axis=1), rtol=1e-9)
    assert np.isnan(network.probabilities(network.logits(x))).all()


def test_one_linear_unit_with_two_labels_is_a_logit():
    network = camcore.wrap(one_unit("linear"), labels=["cat", "dog"])
    x = images(3)
    z = logits_by_hand(x)[:, 2]
    assert (network.labels, network.activation, network.score_kind) == (("cat", "dog"), "sigmoid", "logit")
    np.testing.assert_allclose(network.logits(x), np.stack([-z, z], axis=1), rtol=1e-9)
    np.testing.assert_allclose(network.answer(x)[1][:, 1], 1 / (1 + np.exp(-z)), rtol=1e-9)


def test_the_labels_of_a_value():
    model = one_unit("linear")
    assert camcore.wrap(model).labels == ("raises", "lowers")
    assert camcore.wrap(model, labels=["age"]).labels == ("raises age", "lowers age")
    with pytest.raises(camcore.ModelError, match=r"3 labels.*one number per picture.*two labels, the negative one"):
        camcore.wrap(model, labels=["a", "b", "c"])


def test_a_value_is_the_one_answer_also_where_it_is_negative():
    network = camcore.wrap(one_unit("linear"))
    x = images(6, seed=3)
    y = logits_by_hand(x)[:, 2]
    negative = int(np.argmin(y))
    assert y[negative] < 0
    (said,) = network.predictions(network.logits(x)[negative])
    assert (said.index, said.score_kind) == (0, "value")
    assert said.logit == pytest.approx(y[negative])
    found = network.tap(x, ["features"], [TOP_CLASS])
    assert found.classes[0].tolist() == [0] * 6
    np.testing.assert_allclose(
        camcore.GradCAM(network).compute_heatmap(x[[negative]], raw=True),
        camcore.GradCAM(network).compute_heatmap(x[[negative]], 0, raw=True),
    )
    up, down = (network.tap(x, ["features"], [c]).gradients[0]["features"] for c in (0, 1))
    np.testing.assert_allclose(up, np.broadcast_to(W.w[:, 2] / 30, up.shape), rtol=1e-9)
    np.testing.assert_array_equal(down, -up)


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
    return find_scores(trace_model(build, (*SIZE, 3), "float64", lambda out: out))


def test_several_rows_of_scores_are_refused():
    x = picture_input()
    y = layers.Reshape((2, 3), **_64)(layers.Dense(6, **_64)(gap()(conv1()(x))))
    with pytest.raises(camcore.ModelError, match=r"of its own \(shape \(None, 2, 3\)\).*\(batch, classes\).*reshape"):
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
