"""Transformers of keras_hub and home-made ones with random weights: the layer to look at, its grid, its methods.

    python benchmarks/transformers.py
    python benchmarks/transformers.py --networks ViT Swin

The backbones are those of keras_hub (pip install keras-hub) on 224×224 pixels with few and narrow blocks, since what
is shown does not depend on how many there are; each has the head that keras_hub gives it, or one on its class token.
The home-made ones are of Keras's own layers: as in Keras's example, whose head takes all tokens in, with an average in
its place, and with convolutions before the tokens. Prints a Markdown table: the layer to look at, its grid and the
tokens beside it, the attentions found, the methods whose maps are finite, and those that are not offered. Exits with 1
where a map is not finite, or a layer's grid is another than wanted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from everywhere import first_map

import camcore
from camcore.heatmaps.offered import refusals

SIDE = 224


def _headed(backbone: Any, pool: Callable[[Any], Any]) -> Any:
    import keras

    return keras.Model(backbone.input, keras.layers.Dense(10, name="scores")(pool(backbone.output)))


def vit(pooling: str) -> Any:
    """ViT of patches of 16 pixels."""
    import keras_hub

    backbone = keras_hub.models.ViTBackbone((SIDE, SIDE, 3), 16, 3, 4, 64, 128)
    return keras_hub.models.ViTImageClassifier(backbone, 10, pooling=pooling)


def deit() -> Any:
    """DeiT, with a token for distillation beside the class token; the mean of both ends."""
    import keras_hub

    backbone = keras_hub.models.DeiTBackbone((SIDE, SIDE, 3), 16, 3, 4, 64, 128)
    return _headed(backbone, lambda x: (x[:, 0] + x[:, 1]) / 2)


def swin() -> Any:
    """Swin of windows of 7, three stages."""
    import keras_hub

    backbone = keras_hub.models.SwinTransformerBackbone((SIDE, SIDE, 3), 24, (2, 2, 2), (3, 6, 12), 7)
    return keras_hub.models.SwinTransformerImageClassifier(backbone, 10)


def dinov2(registers: int) -> Any:
    """DINOv2 of patches of 14 pixels, its class token read."""
    import keras_hub

    backbone = keras_hub.models.DINOV2Backbone(
        14, 3, 64, 4, 128, num_register_tokens=registers, image_shape=(SIDE, SIDE, 3)
    )
    return _headed(backbone, lambda x: x[:, 0])


def home_made(convolutions: int, average: bool) -> Any:
    """Blocks of Keras's own layers: tokens of patches, or cut out of a few convolutions; averaged, or all read."""
    import keras
    from keras import layers, ops

    x = keras.Input((SIDE, SIDE, 3))
    y = x
    for number in range(convolutions):
        y = layers.Conv2D(16 * 2**number, 3, strides=2, padding="same", activation="relu")(y)
    patch = 16 // 2**convolutions
    y = layers.Reshape((-1, 48))(layers.Conv2D(48, patch, strides=patch, name="patches")(y))
    y = y + layers.Embedding(y.shape[1], 48)(ops.arange(y.shape[1]))
    for _ in range(3):
        z = layers.LayerNormalization()(y)
        y = layers.Add()([layers.MultiHeadAttention(4, 12)(z, z), y])
        z = layers.Dense(96, activation="gelu")(layers.LayerNormalization()(y))
        y = layers.Add()([layers.Dense(48)(z), y])
    y = layers.LayerNormalization(name="norm")(y)
    y = layers.GlobalAveragePooling1D()(y) if average else layers.Flatten()(y)
    return keras.Model(x, layers.Dense(10, name="scores")(y))


NETWORKS: dict[str, tuple[Callable[[], Any], tuple[int, int], int]] = {
    "ViT": (lambda: vit("token"), (14, 14), 1),
    "ViT, average": (lambda: vit("gap"), (14, 14), 1),
    "DeiT": (deit, (14, 14), 2),
    "Swin": (swin, (14, 14), 0),
    "DINOv2": (lambda: dinov2(0), (16, 16), 1),
    "DINOv2, registers": (lambda: dinov2(4), (16, 16), 5),
    "Keras's example": (lambda: home_made(0, False), (14, 14), 0),
    "averaged": (lambda: home_made(0, True), (14, 14), 0),
    "convolutions first": (lambda: home_made(3, True), (14, 14), 0),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    given = parser.parse_args()
    import keras

    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    pic = camcore.Picture.from_array(noise)
    good = True
    print("| network | layer to look at | grid | tokens beside | attentions | finite maps | not offered |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in given.networks:
        keras.utils.set_random_seed(0)
        build, grid, beside = NETWORKS[name]
        model = build()
        net = camcore.wrap(model, preprocess=lambda rgb: rgb / 127.5 - 1)
        info = net.layer_with_grid()
        finite: list[str] = []
        broken: list[str] = []
        refused = refusals(net)
        for key in camcore.METHODS:
            if key in refused:
                continue
            m = first_map(net, pic, key)
            fine = np.isfinite(m.raw).all() and (m.values.any() or bool(m.warning))
            (finite if fine else broken).append(key)
        extra = (info.shape[0] or 0) - prod(info.grid or (0, 0))
        good = good and not broken and info.grid == grid and info.tokens and extra == beside
        shown = "×".join(map(str, info.grid or ()))
        maps = f"{len(finite)} of {len(camcore.METHODS)}" + (f", NOT {', '.join(broken)}" if broken else "")
        cells = (name, f"`{info.path}`", shown, str(extra), str(len(net.attentions.found)), maps)
        print(f"| {' | '.join((*cells, ', '.join(refused) or '–'))} |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
