"""Models with several inputs: the picture, and the others held fixed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import camcore

X = np.random.default_rng(0).random((3, 12, 12, 3), np.float32)
SEX = np.array([0.0, 1.0, 0.0, 0.0])
FIXED = {"age": 0.5, "sex": SEX}
OTHERS = {"age": np.full((3, 1), 0.5, np.float32), "sex": np.tile(SEX[None].astype(np.float32), (3, 1))}


def inputs() -> tuple[Any, Any, Any]:
    return keras.Input((12, 12, 3), name="image"), keras.Input((1,), name="age"), keras.Input((4,), name="sex")


def scores(image: Any, age: Any, sex: Any) -> Any:
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(5, 3, activation="relu", name="features")(image))
    return layers.Dense(3, activation="softmax")(layers.Concatenate()([y, age, sex]))


def by_name() -> Any:
    image, age, sex = inputs()
    return keras.Model({"sex": sex, "image": image, "age": age}, scores(image, age, sex))


def in_a_list() -> Any:
    image, age, sex = inputs()
    return keras.Model([age, image, sex], scores(image, age, sex))


def nested() -> Any:
    image, age, sex = inputs()
    return keras.Model([image, age, sex], by_name()({"image": image, "age": age, "sex": sex}))


class Named(keras.Model):
    """Takes a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.end = layers.Conv2D(5, 3, activation="relu", name="features"), layers.Dense(3)

    def call(self, given: Any) -> Any:
        y = tf.reduce_mean(self.conv(given["image"]), [1, 2])
        return tf.nn.softmax(self.end(tf.concat([y, given["age"], given["sex"]], -1)))


class Listed(Named):
    """Takes a tuple."""

    def call(self, given: Any) -> Any:
        image, age, sex = given
        return super().call({"image": image, "age": age, "sex": sex})


def called(model: Any, values: Any) -> Any:
    model(values)
    return model


BY_NAME = {"image": X, **OTHERS}
MODELS = {
    "dictionary": (by_name, BY_NAME, FIXED),
    "list": (in_a_list, [OTHERS["age"], X, OTHERS["sex"]], FIXED),
    "nested": (nested, [X, OTHERS["age"], OTHERS["sex"]], FIXED),
    "subclassed, dictionary": (lambda: called(Named(), BY_NAME), BY_NAME, FIXED),
    "subclassed, tuple": (
        lambda: called(Listed(), (X, OTHERS["age"], OTHERS["sex"])),
        (X, OTHERS["age"], OTHERS["sex"]),
        {"input 1": 0.5, "input 2": SEX},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_answer_is_the_models_own_with_the_others_fixed(name):
    keras.utils.set_random_seed(0)
    build, values, fixed = MODELS[name]
    model = build()
    network = camcore.wrap(model, fixed=fixed)
    np.testing.assert_allclose(network.answer(X)[1], np.asarray(model(values)), atol=1e-6)
    assert network.input_size == (12, 12)
    assert network.default_layer.endswith("features")


def test_maps_are_those_of_a_tape():
    keras.utils.set_random_seed(0)
    model = in_a_list()
    network = camcore.wrap(model, fixed=FIXED)
    ends = keras.Model(model.inputs, [model.get_layer("features").output, model.output])
    with tf.GradientTape() as tape:
        A, p = ends([OTHERS["age"][:1], X[:1], OTHERS["sex"][:1]])
        margin = tf.math.log(p[0, 2]) - tf.math.log(p[0, 0])  # the difference of the logits
    wanted = np.asarray(tape.gradient(margin, A))
    G = [one["features"] for one in network.tap(X[:1], ["features"], [2, 0]).gradients]
    np.testing.assert_allclose(G[0] - G[1], wanted, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("method", ["gradcam", "scorecam", "ablationcam", "reciprocam", "fullgrad", "occlusion"])
def test_methods_of_every_kind_run(method):
    """Their maps are those of a twin whose other inputs are constants inside the model."""
    keras.utils.set_random_seed(0)
    model = by_name()
    picture = keras.Input((12, 12, 3))
    held = {
        key: ops.zeros_like(ops.sum(picture, (1, 2, 3)))[:, None] + value for key, value in (("age", 0.5), ("sex", SEX))
    }
    twin = keras.Model(picture, model({"image": picture, **held}))
    pic = camcore.Picture.from_array((X[0] * 255).astype(np.uint8))
    options: dict[str, Any] = {"methods": [method], "classes": [1], "framing": "stretch"}
    one, other = (
        camcore.explain(network, pic, **options)[0].raw
        for network in (camcore.wrap(model, fixed=FIXED), camcore.wrap(twin))
    )
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * float(np.abs(other).max()))


def test_a_value_for_all_of_an_input_and_one_of_its_shape():
    network = camcore.wrap(by_name(), fixed={"age": 2, "sex": 1.0})
    same = camcore.wrap(network.model, fixed={"age": [2], "sex": np.ones(4)})
    np.testing.assert_array_equal(network.logits(X), same.logits(X))


def test_the_picture_by_index_and_by_name():
    image, other = keras.Input((12, 12, 3), name="image"), keras.Input((12, 12, 3), name="before")
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(layers.Concatenate()([image, other])))
    model = keras.Model([other, image], layers.Dense(3)(y))
    with pytest.raises(camcore.ModelError, match=r"2 inputs.*2 of them.*'before' \(12, 12, 3\), 'image' \(12, 12, 3\)"):
        camcore.wrap(model, fixed={"before": 0})
    wanted = model.predict([np.zeros_like(X), X], verbose=0)
    for image_input in (1, "image"):
        network = camcore.wrap(model, image_input=image_input, fixed={"before": 0})
        np.testing.assert_allclose(network.logits(X), wanted, atol=1e-6)


def test_an_optional_input_may_be_left_out():
    class Maybe(layers.Layer):
        def call(self, y: Any, more: Any = None) -> Any:
            return y if more is None else y + ops.sum(more)

        def compute_output_shape(self, y_shape: Any, more_shape: Any = None) -> Any:
            return y_shape

    image, more = keras.Input((12, 12, 3), name="image"), keras.Input((2,), name="more", optional=True)
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(image))
    model = keras.Model([image, more], layers.Dense(3)(Maybe()(y, more)))
    np.testing.assert_allclose(camcore.wrap(model).logits(X), np.asarray(model([X, None])), atol=1e-6)
    given = camcore.wrap(model, fixed={"more": [1, 2]}).logits(X)
    np.testing.assert_allclose(given, np.asarray(model([X, np.tile([[1.0, 2.0]], (3, 1))])), atol=1e-6)
    assert np.abs(given - camcore.wrap(model).logits(X)).max() > 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"3 inputs; .*'age' \(1,\).*'image' \(12, 12, 3\).*'sex' \(4,\).*fixed=\{'age': …, 'sex': …\}"),
        ({"fixed": {"age": 1}}, r"held at a value: wrap\(model, fixed=\{'sex': …\}\)"),
        ({"fixed": {**FIXED, "weight": 1}}, r"names 'weight'.*It takes 'age' \(1,\), 'sex' \(4,\)"),
        ({"fixed": {**FIXED, "image": 1}}, r"names 'image'"),
        ({"fixed": {**FIXED, "age": "old"}}, r"fixed\['age'\] is no finite number"),
        ({"fixed": {**FIXED, "age": float("nan")}}, r"fixed\['age'\] is no finite number"),
        ({"fixed": {**FIXED, "age": {}}}, r"fixed\['age'\] is no finite number"),
        ({"fixed": {**FIXED, "sex": [1, 2]}}, r"fixed\['sex'\] has the shape \(2,\).*'sex' \(4,\)"),
        ({"fixed": 3}, r"fixed=int .*dictionary"),
        ({"image_input": "photo", "fixed": FIXED}, r"no input 'photo'\. It has .*'image' \(12, 12, 3\)"),
        ({"image_input": 7, "fixed": FIXED}, r"no input 7"),
        ({"image_input": True, "fixed": FIXED}, r"no input True"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_inputs_named(options, message):
    with pytest.raises(camcore.ModelError, match=message):
        camcore.wrap(by_name(), **options)


def test_one_input_has_nothing_to_fix():
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Conv2D(3, 3), layers.GlobalAveragePooling2D()])
    with pytest.raises(camcore.ModelError, match=r"It takes nothing else\. Leave fixed away"):
        camcore.wrap(model, fixed={"age": 1})
    with pytest.raises(camcore.ModelError, match=r"does not say which inputs it has"):
        camcore.wrap(Named(), fixed={"age": 1}, input_size=(12, 12))
