"""New blocks on a trunk: convolutions, or a transformer on its cells, under a global average and one Dense layer.

CAM is exact on either. The transformer's tokens are the cells of the trunk's grid (the hybrid of Dosovitskiy et al.
2021, arXiv:2010.11929), pooled by their average instead of by a class token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from camcore.errors import ModelError
from camcore.models.gap_classifier import residual_block
from camcore.models.grafting import BLOCKS

if TYPE_CHECKING:
    import keras

AVERAGE, SCORES = "average", "scores"
"""The layers that pool the cells or tokens, and that tell the classes."""

_WIDER = 2  # of the small network on each token, times the width
_HEAD_CHANNELS = 32


def grafted(
    image: keras.KerasTensor, trunk: keras.KerasTensor, kind: str, width: int, blocks: int, outputs: int
) -> keras.Model:
    """A keras.Model: a frozen trunk, from the input ``image`` to the feature map ``trunk``, under new blocks.

    ``kind``: "transformer" or "convolutions"; ``width``: channels of the ``blocks`` new blocks. ``outputs``: 1 for one
    sigmoid unit, or a softmax of several, whose weights are zero. Raises ModelError for another kind.
    """
    import keras

    if kind not in BLOCKS:
        raise ModelError(f"Blocks of the kind {kind!r} are unknown. They are {' or '.join(map(repr, BLOCKS))}.")
    keras.Model(image, trunk).trainable = False
    x = (_transformer if kind == "transformer" else _convolutions)(trunk, width, blocks)
    pooling = keras.layers.GlobalAveragePooling1D if len(x.shape) == 3 else keras.layers.GlobalAveragePooling2D
    activation = "sigmoid" if outputs == 1 else "softmax"
    head = keras.layers.Dense(outputs, activation, kernel_initializer="zeros", name=SCORES)
    return keras.Model(image, head(pooling(name=AVERAGE)(x)), name=f"grafted_{kind}")


def _convolutions(x: keras.KerasTensor, width: int, blocks: int) -> keras.KerasTensor:
    """Residual blocks of plain 3×3 convolutions on the trunk's grid."""
    for number in range(1, blocks + 1):
        x = residual_block(x, width, f"block{number}", strides=1)
    return x


def _transformer(x: keras.KerasTensor, width: int, blocks: int) -> keras.KerasTensor:
    """Blocks of attention and of a small network on each token, each behind a normalisation; then a last one.

    The bias of the embedding is one of each place: the learned position. Raises ModelError where the trunk's grid or
    the width do not go with that.
    """
    import keras

    layers = keras.layers
    height, wide, channels = x.shape[1:]
    if height is None or wide is None:
        raise ModelError("The trunk leaves its grid open, and each token has a learned place. Give an input size.")
    if width % _HEAD_CHANNELS:
        raise ModelError(
            f"The width is {width}, not a multiple of {_HEAD_CHANNELS}, the channels of an attention head."
        )
    x = layers.Reshape((height * wide, channels), name="tokens")(x)
    x = layers.EinsumDense("ntc,cd->ntd", (height * wide, width), bias_axes="td", name="embedding")(x)
    for number in range(1, blocks + 1):
        name = f"block{number}"
        y = layers.LayerNormalization(name=f"{name}_norm1")(x)
        attention = layers.MultiHeadAttention(width // _HEAD_CHANNELS, _HEAD_CHANNELS, name=f"{name}_attention")
        x = layers.Add(name=f"{name}_add1")([x, attention(y, y)])
        y = layers.LayerNormalization(name=f"{name}_norm2")(x)
        y = layers.Dense(_WIDER * width, "gelu", name=f"{name}_mlp1")(y)
        x = layers.Add(name=f"{name}_add2")([x, layers.Dense(width, name=f"{name}_mlp2")(y)])
    return layers.LayerNormalization(name="norm")(x)
