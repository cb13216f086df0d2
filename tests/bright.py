"""A network that counts bright pixels, so that every figure of faithfulness can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers

import camcore
from camcore.heatmaps.cam_map import CamMap
from camcore.metrics.faithfulness import Case, case_of
from camcore.network import Network

SLOPE, OFFSET = 8.0, -3.0


def counter(size: tuple[int, int] = (8, 10), activation: str = "sigmoid") -> Network:
    """p(bright) = σ(8·mean(x) − 3) of a grey input x in 0..1, in float64; class 1 of two.

    ``softmax``: the same probability from two units. ``linear``: the plain value
    8·mean(x) − 3, a regression; class 0 raises it.
    """
    x = keras.Input((*size, 1), dtype="float64")
    light = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", dtype="float64", name="light")(x)
    pooled = layers.GlobalAveragePooling2D(dtype="float64")(light)
    units = 2 if activation == "softmax" else 1
    score = layers.Dense(units, activation=activation, dtype="float64", name="score")
    model = keras.Model(x, score(pooled), name="counter")
    kernel, bias = np.array([[SLOPE]]), np.array([OFFSET])
    if units == 2:
        kernel, bias = np.array([[0.0, SLOPE]]), np.array([0.0, OFFSET])
    score.set_weights([kernel, bias])
    return camcore.wrap(model, preprocess=lambda rgb: rgb[..., :1].astype(np.float64) / 255)


def probability(mean: Any) -> Any:
    """What the counter says of a picture of this mean."""
    return 1 / (1 + np.exp(-(SLOPE * np.asarray(mean, np.float64) + OFFSET)))


def picture(values: Any) -> camcore.Picture:
    """A grey picture of pixels in 0..255."""
    grey = np.asarray(values, np.uint8)
    return camcore.Picture.from_array(np.repeat(grey[..., None], 3, axis=2))


def shades(size: tuple[int, int] = (8, 10), seed: int = 0) -> Any:
    """Pixels that are all different, in a random order."""
    count = size[0] * size[1]
    return np.random.default_rng(seed).permutation(np.linspace(5, 250, count).astype(np.uint8)).reshape(size)


def a_map(net: Network, pic: camcore.Picture, values: Any, framing: str = "stretch") -> CamMap:
    """A map of the brightest class with these values, pixel by pixel of the input."""
    index = bright_class(net)
    (m,) = camcore.explain(net, pic, "gradcam", classes=index, framing=framing)
    drawn = np.asarray(values, np.float32)
    return replace(m, raw=drawn, values=drawn)


def bright_class(net: Network) -> int:
    """The class that a brighter picture speaks for."""
    return 0 if net.score_kind == "value" else 1


def a_case(net: Network, pic: camcore.Picture, framing: str = "stretch") -> Case:
    """The case of the brightest class."""
    return case_of(net, pic, bright_class(net), framing)
