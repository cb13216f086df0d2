"""A network's own preprocessing: by name, and what it does wrong is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from networks import flat

import camcore
from camcore.models.preprocessing import preprocessing

RGB = np.random.default_rng(0).integers(0, 256, (20, 24, 3)).astype(np.uint8)
PIC = camcore.Picture.from_array(RGB)


@pytest.mark.parametrize("name", ["tf", "unit", "raw", "torch", "caffe"])
def test_by_name(name):
    by_name = camcore.wrap(flat(), preprocess=name)
    by_function = camcore.wrap(flat(), preprocess=preprocessing(name))
    np.testing.assert_array_equal(by_name.prepare(PIC)[0], by_function.prepare(PIC)[0])


@pytest.mark.parametrize("given", ["tensorflow", 5, object(), [np.abs], np.float32])
def test_what_is_no_preprocessing(given):
    with pytest.raises(camcore.ModelError, match="tf, unit, raw, torch, caffe"):
        camcore.wrap(flat(), preprocess=given)


def test_tensors_and_other_floats_are_taken():
    for function in (lambda x: tf.constant(x / 255), lambda x: (x / 255).astype(np.float64)):
        x, _ = camcore.wrap(flat(), preprocess=function).prepare(PIC)
        np.testing.assert_allclose(x, camcore.wrap(flat(), preprocess="unit").prepare(PIC)[0], rtol=1e-6)


def raising(x: Any) -> Any:
    raise KeyError("mean")


def in_place(x: Any) -> None:
    x /= 255


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (in_place, "returned None"),
        (raising, "raised KeyError: 'mean'"),
        (lambda: 0, "raised TypeError"),
        (lambda x: x[0], "made an array of shape"),
        (lambda x: x[:, :5], "made an array of shape"),
        (lambda x: x.mean(), "made an array of shape"),
        (lambda x: x[:0], "made an array of shape"),
        (lambda x: "x", "holds no numbers"),
        (lambda x: x.astype(complex), "holds no numbers"),
        (lambda x: {"x": x}, "holds no numbers"),
        (lambda x: x * np.nan, "NaN"),
        (lambda x: x[..., :2], "shape"),
    ],
)
def test_what_a_preprocessing_does_wrong_is_said(function, words):
    network = camcore.wrap(flat(), preprocess=function)
    for ask in (lambda: network.predict(PIC), lambda: camcore.explain(network, PIC)):
        with pytest.raises(camcore.ModelError, match=words):
            ask()


def test_an_error_of_our_own_passes_through():
    def refusing(x: Any) -> Any:
        raise camcore.PictureError("No cats.")

    with pytest.raises(camcore.PictureError, match="No cats"):
        camcore.wrap(flat(), preprocess=refusing).predict(PIC)


@pytest.mark.parametrize("rgb", ["x", np.zeros((5, 5, 3)), np.zeros((1, 5, 5, 1)), None])
def test_only_pictures_are_preprocessed(rgb):
    with pytest.raises(camcore.ModelError, match=r"pictures are RGB 0..255 of shape \(n, height, width, 3\)"):
        camcore.wrap(flat()).preprocess(rgb)
