"""Outputs that are maps: scores and probabilities over a region, and the layer to look at."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import camcore

SIDE = 16
_64 = {"dtype": "float64"}


def images(n: int = 2) -> np.ndarray:
    return np.random.default_rng(0).random((n, SIDE, SIDE, 3))


def features(x: Any) -> Any:
    return layers.Conv2D(6, 3, padding="same", activation="relu", name="features", strides=2, **_64)(x)


def segmentation(activation: str | None, classes: int = 4) -> Any:
    keras.utils.set_random_seed(3)
    x = keras.Input((SIDE, SIDE, 3), **_64)
    return keras.Model(x, layers.Conv2D(classes, 1, activation=activation, name="answer", **_64)(features(x)))


def logits_of(model: Any, x: np.ndarray) -> np.ndarray:
    """Per pixel, by numpy."""
    A = np.asarray(keras.Model(model.input, model.get_layer("features").output)(x))
    kernel, bias = map(np.asarray, model.get_layer("answer").get_weights())
    return A @ kernel[0, 0] + bias


MASK = np.random.default_rng(1).random((8, 8))
TARGETS = {
    "everywhere": (None, np.ones((8, 8))),
    "box": ((1, 2, 5, 8), np.pad(np.ones((4, 6)), ((1, 3), (2, 0)))),
    "mask": (MASK > 0.5, (MASK > 0.5).astype(float)),
    "weights": (MASK, MASK),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("activation", ["softmax", "sigmoid", None])
def test_scores_and_probabilities_are_means_over_the_region(activation, target):
    model = segmentation(activation)
    given, weights = TARGETS[target]
    network = camcore.wrap(model, target=given)
    x = images()
    z = logits_of(model, x)
    says = np.asarray(model(x)) if activation else np.asarray(tf.nn.softmax(z))
    share = (weights / weights.sum())[None, :, :, None]
    logits, p = network.answer(x)
    np.testing.assert_allclose(logits, (share * z).sum(axis=(1, 2)), rtol=1e-9)
    np.testing.assert_allclose(p, (share * says).sum(axis=(1, 2)), rtol=1e-9)
    assert network.score_kind == "logit"
    assert network.classes == 4
    assert network.scored_over == ("all its pixels" if given is None else "a part of its pixels")


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_pixels_whose_answer_is_the_class(activation):
    model = segmentation(activation)
    network = camcore.wrap(model, target="predicted")
    x = images()
    z, says = logits_of(model, x), np.asarray(model(x))
    own = z > 0 if activation == "sigmoid" else np.eye(4)[z.argmax(axis=-1)] > 0
    assert own.any(axis=(1, 2)).any()
    count = np.maximum(own.sum(axis=(1, 2)), 1)
    logits, p = network.answer(x)
    np.testing.assert_allclose(logits, (own * z).sum(axis=(1, 2)) / count, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(p, (own * says).sum(axis=(1, 2)) / count, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("target", [None, (1, 2, 5, 8), "predicted"])
def test_gradients_are_those_of_a_tape(target):
    model = segmentation("softmax")
    network = camcore.wrap(model, target=target)
    x = images(1)
    z = logits_of(model, x)
    weights = (z.argmax(axis=-1) == z.mean(axis=(0, 1, 2)).argmax())[0].astype(float)
    c = int(z.mean(axis=(0, 1, 2)).argmax())
    if target != "predicted":
        weights = TARGETS["everywhere" if target is None else "box"][1]
    kernel = np.asarray(model.get_layer("answer").kernel)[0, 0, :, c]
    G = network.tap(x, ["features"], [c]).gradients[0]["features"]
    np.testing.assert_allclose(G[0], (weights / weights.sum())[..., None] * kernel, rtol=1e-9, atol=1e-15)


def test_a_map_of_one_sigmoid_has_two_classes():
    model = segmentation("sigmoid", 1)
    network = camcore.wrap(model, labels=["background", "cell"])
    x = images()
    z, p = logits_of(model, x)[..., 0].mean(axis=(1, 2)), np.asarray(model(x)).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(network.logits(x), np.stack([-z, z], axis=1), rtol=1e-9)
    np.testing.assert_allclose(network.answer(x)[1], np.stack([1 - p, p], axis=1), rtol=1e-9)


def test_a_heatmap_head_is_a_value():
    model = segmentation(None, 1)
    network = camcore.wrap(model, labels=["heat"])
    assert network.labels == ("raises heat", "lowers heat")
    y = np.asarray(model(images())).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(network.logits(images()), np.stack([y, -y], axis=1), rtol=1e-9)


def test_probabilities_enlarged_after_the_softmax():
    """The enlarged output is no softmax of anything: log p of every pixel."""
    x = keras.Input((SIDE, SIDE, 3), **_64)
    y = layers.Conv2D(3, 1, activation="softmax", **_64)(features(x))
    model = keras.Model(x, layers.UpSampling2D(2, interpolation="bilinear", **_64)(y))
    network = camcore.wrap(model)
    assert network.score_kind == "log-probability"
    says = np.asarray(model(images()))
    logits, p = network.answer(images())
    np.testing.assert_allclose(p, says.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(logits, np.log(says).mean(axis=(1, 2)), rtol=1e-5)


def test_maps_of_a_picture_carry_the_outputs_own_probability():
    model = segmentation("softmax")
    network = camcore.wrap(model)
    pic = camcore.Picture.from_array((images(1)[0] * 255).astype(np.uint8))
    x, _ = network.prepare(pic, "stretch")
    p = np.asarray(model(x)).mean(axis=(0, 1, 2))
    for m in camcore.explain(
        network, pic, methods=["gradcam", "scorecam", "occlusion"], classes=[2], framing="stretch"
    ):
        assert m.probability == pytest.approx(p[2], rel=1e-6)
        assert m.layer in ("features", None)
    for said in network.predict(pic, framing="stretch"):
        assert said.probability == pytest.approx(p[said.index], rel=1e-6)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ((0, 0, 9, 8), r"\(0, 0, 9, 8\) is no box on the output.*8×8"),
        ((3, 0, 3, 8), "no box"),
        (np.ones((4, 4)), r"shape \(4, 4\)"),
        (np.zeros((8, 8)), "none above 0"),
        (np.full((8, 8), 2.0), "outside 0..1"),
        (np.full((8, 8), np.nan), "outside 0..1"),
        ("everything", "'everything' is no region"),
        ("abcd", "'abcd' is no region"),
        ({"a": 1}, "no numbers"),
    ],
)
def test_a_target_that_is_no_region(target, message):
    with pytest.raises(camcore.ModelError, match=message):
        camcore.wrap(segmentation("softmax"), target=target)


def test_a_target_where_there_is_no_map():
    x = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(x))))
    with pytest.raises(camcore.ModelError, match=r"no map.*Leave target away"):
        camcore.wrap(model, target=(0, 0, 2, 2))


# ---- where to look


def encoder() -> tuple[Any, Any, Any]:
    x = keras.Input((SIDE, SIDE, 3))
    first = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="first")(x)
    return x, first, layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="deep")(first)


def enlarged_logits() -> Any:
    x, _, deep = encoder()
    return keras.Model(x, layers.Softmax()(layers.UpSampling2D(4)(layers.Conv2D(3, 1)(deep))))


def enlarged_features() -> Any:
    x, _, deep = encoder()
    return keras.Model(x, layers.Conv2D(3, 3, padding="same", activation="softmax")(layers.UpSampling2D(4)(deep)))


def resized_features() -> Any:
    x, _, deep = encoder()
    return keras.Model(x, layers.Conv2D(3, 1, activation="sigmoid")(layers.Resizing(SIDE, SIDE)(deep)))


def unet() -> Any:
    x, first, deep = encoder()
    up = layers.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu", name="up")(deep)
    joined = layers.Concatenate(name="joined")([up, first])
    return keras.Model(x, layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="softmax")(joined))


def fully_convolutional() -> Any:
    """FCN-16s: scores at two depths, the deeper enlarged by a transposed convolution of its own scores."""
    x, first, deep = encoder()
    coarse = layers.Conv2DTranspose(3, 4, strides=2, padding="same")(layers.Conv2D(3, 1)(deep))
    return keras.Model(x, layers.Softmax()(layers.Add()([coarse, layers.Conv2D(3, 1)(first)])))


def dense_pixels() -> Any:
    x, _, deep = encoder()
    return keras.Model(x, layers.Dense(3, activation="softmax")(deep))


DEFAULTS = {
    enlarged_logits: "deep",
    enlarged_features: "deep",
    resized_features: "deep",
    unet: "joined",
    fully_convolutional: "deep",
    dense_pixels: "deep",
}


@pytest.mark.parametrize("build", DEFAULTS, ids=lambda build: build.__name__)
def test_the_features_that_pixels_are_told_apart_by(build):
    network = camcore.wrap(build())
    assert network.default_layer == DEFAULTS[build]
    assert "the classifier of the output's pixels" in network.layer(network.default_layer).reason
    heatmap = camcore.GradCAM(network).compute_heatmap(images(1))
    assert heatmap.shape == network.layer(network.default_layer).grid
