"""The preprocessing as an affine map, against the modes' own definitions."""

import keras
import numpy as np
import pytest
from keras import layers

import camcore
from camcore.errors import ModelError
from camcore.filters.pixel_map import pixel_map
from camcore.models.preprocessing import preprocessing


def network(preprocess=None, channels: int = 3):
    x = keras.Input((8, 8, channels))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, activation="relu")(x))
    return camcore.wrap(keras.Model(x, layers.Dense(2)(y)), preprocess=preprocess)


MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
MODES = {
    "tf": (np.eye(3) / 127.5, -np.ones(3)),
    "raw": (np.eye(3), np.zeros(3)),
    "unit": (np.eye(3) / 255, np.zeros(3)),
    "torch": (np.diag(1 / 255 / DEVIATION), -MEAN / DEVIATION),
    "caffe": (np.eye(3)[:, ::-1], -np.array([103.939, 116.779, 123.68])),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_modes_are_measured(mode: str) -> None:
    found = pixel_map(network(preprocessing(mode)))
    np.testing.assert_allclose(found.matrix, MODES[mode][0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.offset, MODES[mode][1], rtol=1e-5, atol=1e-5)


def test_a_grey_network_sees_luma() -> None:
    found = pixel_map(network(preprocessing("unit"), channels=1))
    np.testing.assert_allclose(found.matrix[:, 0], np.array([0.299, 0.587, 0.114]) / 255, rtol=1e-5)


@pytest.mark.parametrize(("preprocess", "said"), [
    (lambda x: np.sqrt(x), "not an affine map"),
    (lambda x: x - x.mean(axis=(1, 2), keepdims=True), "not an affine map"),
    (lambda x: x * np.nan, "not an affine map"),
    (lambda x: x[:, ::2, ::2], "the same n, height and width"),
])  # fmt: skip
def test_what_has_no_way_back_is_refused(preprocess, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        pixel_map(network(preprocess))
