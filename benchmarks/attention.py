"""The time of the methods made for attention, as a multiple of the network's forward pass.

    python benchmarks/attention.py
    python benchmarks/attention.py --blocks 12 --dim 384

A vision transformer with random weights on 224×224 pixels in patches of 16, with a class token. Each figure
is the median of several runs, in one process, next to the forward pass of the same run. The target for
``attentiongrad`` and ``legrad`` is 3.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import data  # noqa: F401 - finds the package beside this folder
import numpy as np

import camcore

KEYS = ("rollout", "attentiongrad", "legrad", "gradcam")


def transformer(blocks: int, dim: int) -> Any:
    """A transformer of 196 patches and a class token."""
    import keras
    from keras import layers

    class ClassToken(layers.Layer):
        def build(self, shape: tuple[int, ...]) -> None:
            self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal")

        def call(self, x: Any) -> Any:
            return keras.ops.concatenate([keras.ops.tile(self.token, (keras.ops.shape(x)[0], 1, 1)), x], axis=1)

    keras.utils.set_random_seed(0)
    image = keras.Input((224, 224, 3))
    x = layers.Reshape((196, dim))(layers.Conv2D(dim, 16, strides=16)(image))
    x = ClassToken()(x)
    for _ in range(blocks):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(dim // 64, 64)(y, y)])
        y = layers.Dense(4 * dim, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(dim)(y)])
    x = layers.LayerNormalization()(x)
    return keras.Model(image, layers.Dense(1000)(x[:, 0]))


def seconds(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=12)
    parser.add_argument("--dim", type=int, default=192)
    parser.add_argument("--runs", type=int, default=15)
    given = parser.parse_args()
    net = camcore.wrap(transformer(given.blocks, given.dim))
    x = np.random.default_rng(0).normal(size=(1, 224, 224, 3)).astype(np.float32)
    methods = {key: getattr(camcore, camcore.METHODS[key].class_name)(net) for key in KEYS}
    work: dict[str, Callable[[], object]] = {"forward": lambda: net.logits(x)}
    work |= {key: partial(method.compute_heatmap, x, 3, raw=True) for key, method in methods.items()}
    ratios: dict[str, list[float]] = {key: [] for key in KEYS}
    for one in work.values():
        one()  # compiled
    for _ in range(given.runs):
        spent = {name: seconds(one) for name, one in work.items()}
        for key in KEYS:
            ratios[key].append(spent[key] / spent["forward"])
    print(f"{given.blocks} blocks of {given.dim} channels, {net.multiplications / 1e9:.1f} G multiplications")
    for key in KEYS:
        print(f"  {camcore.METHODS[key].title:26s} {median(ratios[key]):5.2f} × forward")


if __name__ == "__main__":
    main()
