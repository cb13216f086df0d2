"""Factories as people write them, good and bad, for CAMCORE_MODELS. Imported when a network is loaded, not before."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import keras
import networks
import numpy as np
import transformers
from keras import layers

LABELS = ["circle", "square", "star", "triangle"]


def flat() -> Any:
    return networks.flat()


def nested() -> Any:
    return networks.nested()


def sequential() -> dict[str, Any]:
    return {"model": networks.sequential(), "labels": LABELS, "preprocess": "unit"}


@dataclass(frozen=True)
class Given:
    model: Any
    labels: list[str]
    preprocess: Any
    input_size: tuple[int, int]


def subclassed() -> Given:
    model = networks.TWINS["subclassed"].build()
    return Given(model, LABELS, lambda rgb: rgb / 255, networks.SIZE)


def two_outputs() -> dict[str, Any]:
    return {"model": networks.two_outputs("dict"), "output": "scores"}


# ---- larger ones, as the pages show them: a grid of 8×8 cells, and answers that depend on the picture

SIDE = 64


def _conv(filters: int, strides: int, name: str) -> Any:
    return layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu", name=name)


def _settled(model: Any) -> Any:
    """Weights that are the same in every process."""
    random = np.random.default_rng(7)
    for variable in model.weights:
        variable.assign(random.normal(0, 0.4, variable.shape))
    return model


def page_nested() -> dict[str, Any]:
    x = keras.Input((SIDE, SIDE, 3))
    y = _conv(12, 2, "deep")(_conv(6, 4, "shallow")(x))
    body = keras.Model(x, y, name="body")
    image = keras.Input((SIDE, SIDE, 3))
    pooled = layers.GlobalAveragePooling2D()(body(image))
    model = keras.Model(image, layers.Dense(4, activation="softmax")(pooled), name="page_nested")
    return {"model": _settled(model), "labels": LABELS, "preprocess": "unit"}


def page_sequential() -> dict[str, Any]:
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            _conv(6, 4, "shallow"),
            _conv(12, 2, "deep"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    return {"model": _settled(model), "labels": LABELS, "preprocess": "unit"}


class Own(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.shallow, self.deep = _conv(6, 4, "shallow"), _conv(12, 2, "deep")
        self.pool, self.scores = layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax")

    def call(self, image: Any) -> Any:
        return self.scores(self.pool(self.deep(self.shallow(image))))


def page_subclassed() -> dict[str, Any]:
    model = Own()
    model(np.zeros((1, SIDE, SIDE, 3), np.float32))
    return {"model": _settled(model), "labels": LABELS, "preprocess": "unit", "input_size": (SIDE, SIDE)}


def transformer() -> dict[str, Any]:
    """Three tokens beside the patches: the class token and two registers."""
    return {"model": transformers.vit("class", 3), "labels": LABELS, "preprocess": "tf"}


# ---- bad ones


def raises() -> Any:
    raise RuntimeError("the weights are on <b>another</b> machine")


def leaves() -> Any:
    sys.exit("usage: own_models.py FOLDER")


def nothing() -> None:
    return None


def array() -> Any:
    return np.zeros(3)


def misspelt() -> dict[str, Any]:
    return {"model": networks.flat(), "lables": LABELS}


def no_model() -> dict[str, Any]:
    return {"labels": LABELS}


def short_labels() -> dict[str, Any]:
    return {"model": networks.flat(), "labels": ["circle", "square"]}


def odd_preprocess() -> dict[str, Any]:
    return {"model": networks.flat(), "preprocess": 255}


def unknown_preprocess() -> dict[str, Any]:
    return {"model": networks.flat(), "preprocess": "cafe"}


not_callable = 7


def page_dense_only() -> dict[str, Any]:
    """No layer of it has a grid."""
    x = keras.Input((32, 32, 3))
    y = layers.Dense(8, activation="relu")(layers.Flatten()(x))
    return {"model": _settled(keras.Model(x, layers.Dense(4)(y))), "labels": LABELS, "preprocess": "unit"}
