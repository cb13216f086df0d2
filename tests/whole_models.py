"""Small whole models as files: written by Keras 3, and what people name in their place."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers


def seeded(model: Any, seed: int = 0) -> Any:
    """The model with drawn weights, positive where they are variances."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.uniform(0.5, 1.5, one.shape) if "var" in one.path else rng.normal(0, 0.4, one.shape)
            for one in model.weights
        ]
    )
    return model


def sequential(classes: int = 3, side: int = 24) -> Any:
    return seeded(
        keras.Sequential(
            [
                keras.Input((side, side, 3)),
                layers.RandomFlip(),
                layers.Rescaling(1 / 127.5, offset=-1),
                layers.Conv2D(6, 3, activation="relu", name="features"),
                layers.BatchNormalization(name="normed"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(classes, activation="softmax"),
            ]
        )
    )


def transfer(classes: int = 3, side: int = 32) -> Any:
    """A base within a model, augmentation and scaling before it, as the recipes build them."""
    inner = keras.Input((side, side, 3))
    x = inner
    for number in range(3):
        x = layers.Conv2D(4, 3, padding="same", name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"bn{number}")(x)
        x = layers.ReLU(6.0, name=f"relu{number}")(x)
    base = keras.Model(inner, layers.MaxPooling2D(name="pool")(x), name="base")
    base.trainable = False
    image = keras.Input((side, side, 3), name="image")
    x = layers.RandomRotation(0.1)(image)
    x = keras.applications.mobilenet_v2.preprocess_input(x)
    x = base(x, training=False)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return seeded(keras.Model(image, layers.Dense(classes, activation="softmax")(x)), 1)


def bare(classes: int = 2, side: int = 16) -> Any:
    """Without any scaling of its own."""
    return seeded(
        keras.Sequential(
            [
                keras.Input((side, side, 3)),
                layers.Conv2D(4, 3, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(classes, activation="softmax"),
            ]
        ),
        2,
    )


def with_lambda(path: Path) -> Path:
    """A model whose file holds Python code."""
    scale = layers.Lambda(lambda x: x / 255.0, name="scale", output_shape=(16, 16, 3))
    seeded(keras.Sequential([keras.Input((16, 16, 3)), scale, *bare().layers])).save(path)
    return path


def rezipped(source: Path, target: Path, **more: bytes) -> Path:
    """A copy of an archive with further entries or other contents."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in more:
                new.writestr(name, old.read(name))
        for name, data in more.items():
            new.writestr(name, data)
    return target
