"""The compact classifier: residual 3×3 convolutions, global average pooling, one Dense layer. CAM is exact on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def gap_classifier(
    size: int | None,
    stem: int,
    widths: Sequence[int],
    blocks: Sequence[int],
    outputs: int,
    name: str = "gap_classifier",
) -> keras.Model:
    """A keras.Model (n, size, size, 3) → probabilities (n, outputs): one sigmoid unit, or a softmax of several.

    A strided stem, then one stage for each width, which halves the grid in its first block: the last grid is
    size / 2^(1 + stages). size None leaves the input's sides open. The input is scaled to -1..1 beforehand.

    Plain convolutions, which train as fast on a CPU as the cheaper separable ones do there. Basic blocks (He et
    al. 2016, arXiv:1512.03385) with the averaging shortcut of ResNet-D (He et al. 2019, arXiv:1812.01187).
    """
    import keras

    image = keras.Input((size, size, 3), name="image")
    x = _conv(image, stem, "stem", strides=2)
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True), 1):
        for block in range(1, count + 1):
            x = residual_block(x, width, f"stage{stage}_block{block}", strides=2 if block == 1 else 1)
    pooled = keras.layers.GlobalAveragePooling2D(name="average")(x)
    activation = "sigmoid" if outputs == 1 else "softmax"
    scores = keras.layers.Dense(outputs, activation, kernel_initializer="zeros", name="scores")(pooled)
    return keras.Model(image, scores, name=name)


def residual_block(x: keras.KerasTensor, width: int, name: str, strides: int) -> keras.KerasTensor:
    """Two 3×3 convolutions beside a shortcut, which is widened or shrunk where the block is."""
    import keras

    y = _conv(x, width, f"{name}_1", strides=strides)
    y = _conv(y, width, f"{name}_2", relu=False)
    if strides > 1:
        x = keras.layers.AveragePooling2D(2, padding="same", name=f"{name}_shrink")(x)
    if x.shape[-1] != width:
        x = _conv(x, width, f"{name}_widen", kernel=1, relu=False)
    return keras.layers.ReLU(name=name)(keras.layers.Add(name=f"{name}_add")([x, y]))


def _conv(
    x: keras.KerasTensor, width: int, name: str, kernel: int = 3, strides: int = 1, relu: bool = True
) -> keras.KerasTensor:
    import keras

    x = keras.layers.Conv2D(
        width, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    x = keras.layers.BatchNormalization(name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x
