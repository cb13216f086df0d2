"""Preprocessing by name: Keras's own numbers, and the input left as it is."""

import numpy as np
import pytest

from camcore.errors import ModelError
from camcore.models.catalogue import backbones
from camcore.models.preprocessing import PREPROCESSINGS, preprocessing


@pytest.mark.parametrize("module", sorted({row.keras_module for row in backbones()}))
def test_the_catalogues_is_keras_own_to_the_last_bit(module):
    import keras

    (name,) = {row.preprocessing for row in backbones() if row.keras_module == module}
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 5, 7, 3)).astype(np.float32)
    pictures[0, 0, 0] = 0, 255, 128
    expected = getattr(keras.applications, module).preprocess_input(pictures.copy(), data_format="channels_last")
    np.testing.assert_array_equal(preprocessing(name)(pictures), expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tf", [-1.0, 1.0, 0.2 * 2 - 1]),
        ("unit", [0.0, 1.0, 0.2]),
        ("raw", [0.0, 255.0, 51.0]),
        ("torch", [-0.485 / 0.229, (1 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]),
        ("caffe", [51 - 103.939, 255 - 116.779, 0 - 123.68]),
    ],
)
def test_one_pixel_by_hand(name, expected):
    pixel = np.array([[[[0, 255, 51]]]], np.uint8)
    prepared = preprocessing(name)(pixel)
    np.testing.assert_allclose(prepared[0, 0, 0], expected, rtol=1e-6, atol=1e-6)
    assert prepared.dtype == np.float32


@pytest.mark.parametrize("name", PREPROCESSINGS)
def test_the_input_is_copied(name):
    pictures = np.random.default_rng(0).uniform(0, 255, (1, 2, 2, 3)).astype(np.float32)
    before = pictures.copy()
    prepared = preprocessing(name)(pictures)
    prepared += 1
    np.testing.assert_array_equal(pictures, before)
    assert prepared.flags.c_contiguous


@pytest.mark.parametrize(("name", "hint"), [("Torch", "Did you mean 'torch'"), ("", "tf, unit"), (None, "tf, unit")])
def test_an_unknown_name(name, hint):
    with pytest.raises(ModelError, match=f"no preprocessing {name!r}.*{hint}"):
        preprocessing(name)
