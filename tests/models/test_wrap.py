"""Models whose output is no tensor of scores are told so, whatever their code returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import camcore


class Returning(keras.Model):
    """A classifier that returns what ``change`` makes of its scores."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        super().__init__()
        self.conv, self.pool, self.end = layers.Conv2D(2, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)
        self.change = change

    def call(self, x: Any) -> Any:
        return self.change(self.end(self.pool(self.conv(x))))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y: None, "is a NoneType"),
        (lambda y: "cat", "is a str"),
        (lambda y: 1.0, "is a float"),
        (lambda y: np.zeros((1, 3)), "is a ndarray"),
        (lambda y: {"a": [y, y]}, "is a list"),
        (lambda y: ops.cast(y, "int32"), "is numbers of type int32"),
        (lambda y: y > 0, "is numbers of type bool"),
    ],
)
def test_an_output_that_is_no_tensor_of_scores(change, words):
    with pytest.raises(camcore.ModelError, match=words):
        camcore.wrap(Returning(change), input_size=(12, 12))


def test_its_scores_are_taken():
    assert camcore.wrap(Returning(lambda y: y), input_size=(12, 12)).classes == 3


def built_for(count: int, flatten: Any) -> Any:
    source = keras.Input((8, 8, 3), batch_size=count)
    y = keras.layers.Conv2D(4, 3, name="features")(source)
    return keras.Model(source, keras.layers.Dense(3, "softmax")(flatten(y)))


@pytest.mark.parametrize("count", [1, 4])
def test_a_model_that_holds_its_number_of_pictures_is_refused_with_what_to_do(count):
    model = built_for(count, keras.layers.Lambda(lambda t: keras.ops.reshape(t, (count, -1))))
    with pytest.raises(camcore.ModelError, match=rf"built for {count} pictures at a time.*without batch_size"):
        camcore.wrap(model)


def test_a_model_that_was_built_for_some_pictures_and_takes_others_is_served():
    model = built_for(4, keras.layers.GlobalAveragePooling2D())
    picture = camcore.Picture.from_array(np.full((8, 8, 3), 9, np.uint8))
    (found,) = camcore.wrap(model).predict(picture, top=1)
    want = model.predict(np.full((4, 8, 8, 3), 9.0), verbose=0)[0].max()
    assert found.probability == pytest.approx(want, abs=1e-6)
