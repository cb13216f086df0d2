"""Small transformers, and the many ways of writing one: tokens in front, pooled, windows, behind a convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

SIZE = (24, 40)
PATCH = 8
GRID = (3, 5)
DIM, HEADS, CLASSES = 8, 2, 4


def images(n: int = 1, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (n, *SIZE, 3))


class Tokens(layers.Layer):
    """Learned tokens put before (or behind) the patches, and a learned position added."""

    def __init__(self, count: int = 1, behind: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.count, self.behind = count, behind

    def build(self, shape: tuple[int, ...]) -> None:
        self.tokens = self.add_weight(shape=(1, self.count, shape[-1]), initializer="random_normal", name="tokens")
        self.places = self.add_weight(
            shape=(1, self.count + shape[1], shape[-1]), initializer="random_normal", name="places"
        )

    def call(self, x: Any) -> Any:
        own = ops.tile(self.tokens, (ops.shape(x)[0], 1, 1))
        return ops.concatenate([x, own] if self.behind else [own, x], axis=1) + self.places


def patches(x: Any, dim: int = DIM) -> Any:
    h, w = x.shape[1] // PATCH, x.shape[2] // PATCH
    return layers.Reshape((h * w, dim))(layers.Conv2D(dim, PATCH, strides=PATCH, name="patches")(x))


def own_attention(x: Any, name: str, fused: bool = True) -> Any:
    """Attention written out: one projection for queries, keys and values, matmul and softmax."""
    tokens, dim = x.shape[1], x.shape[2]
    qkv = layers.Dense(3 * dim, name=f"{name}_qkv")(x)
    q, k, v = ops.unstack(ops.transpose(ops.reshape(qkv, (-1, tokens, 3, HEADS, dim // HEADS)), (2, 0, 3, 1, 4)))
    weights = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / (dim // HEADS) ** 0.5, axis=-1)
    mixed = ops.reshape(ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3)), (-1, tokens, dim))
    return layers.Dense(dim, name=f"{name}_out")(mixed)


def normalised_keys(x: Any, name: str) -> Any:
    """Attention whose queries and keys are normalised in each head."""
    tokens, dim = x.shape[1], x.shape[2]

    def heads(part: str) -> Any:
        return ops.reshape(layers.Dense(dim, name=f"{name}_{part}")(x), (-1, tokens, HEADS, dim // HEADS))

    q, k = (layers.LayerNormalization(name=f"{name}_{part}_norm")(heads(part)) for part in "qk")
    weights = ops.softmax(ops.einsum("nqhd,nkhd->nhqk", q, k) / (dim // HEADS) ** 0.5, axis=-1)
    return layers.Dense(dim)(ops.reshape(ops.einsum("nhqk,nkhd->nqhd", weights, heads("v")), (-1, tokens, dim)))


def by_hand(x: Any, name: str) -> Any:
    """Attention by einsum, its softmax as exponentials divided by their sum."""
    dim = x.shape[2]
    q, k, v = (layers.Dense(dim, name=f"{name}_{part}")(x) for part in "qkv")
    scores = ops.einsum("nqd,nkd->nqk", q, k) / dim**0.5
    raised = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return ops.einsum("nqk,nkd->nqd", raised / ops.sum(raised, axis=-1, keepdims=True), v)


def with_layer(x: Any, name: str, **options: Any) -> Any:
    return layers.MultiHeadAttention(HEADS, x.shape[-1] // HEADS, name=name, **options)(x, x)


Attention = Callable[[Any, str], Any]


def block(x: Any, number: int, attention: Attention = with_layer, post: bool = False) -> Any:
    """One block: attention and a small network on each token, normalised before (or after) each."""

    def mlp(y: Any) -> Any:
        wide = layers.Dense(2 * y.shape[-1], activation="gelu", name=f"mlp{number}_wide")(y)
        return layers.Dense(x.shape[-1], name=f"mlp{number}")(wide)

    norms = [layers.LayerNormalization(name=f"norm{number}{part}") for part in "ab"]
    if post:
        x = norms[0](x + attention(x, f"attention{number}"))
        return norms[1](layers.Add(name=f"block{number}")([x, mlp(x)]))
    x = layers.Add(name=f"middle{number}")([x, attention(norms[0](x), f"attention{number}")])
    return layers.Add(name=f"block{number}")([x, mlp(norms[1](x))])


def end(x: Any, pooling: str) -> Any:
    if pooling == "class":
        x = x[:, 0]
    elif pooling == "last":
        x = ops.take(x, -1, axis=1)
    elif pooling == "distilled":
        x = (x[:, 0] + x[:, 1]) / 2
    elif pooling == "flat":
        x = layers.Flatten()(x)
    elif pooling == "both":
        x = ops.concatenate([x[:, 0], ops.mean(x[:, 1:], axis=1)], axis=-1)
    elif pooling == "patches":
        x = ops.mean(x[:, 1:], axis=1)
    else:
        x = layers.GlobalAveragePooling1D()(x)
    return layers.Dense(CLASSES, name="scores")(x)


def vit(
    pooling: str = "class",
    tokens: int = 1,
    blocks: int = 2,
    attention: Attention = with_layer,
    post: bool = False,
    behind: bool = False,
    dtype: str = "float32",
) -> Any:
    """A vision transformer whose last normalisation is ``norm``."""
    keras.utils.set_random_seed(3)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return _vit(pooling, tokens, blocks, attention, post, behind)
    finally:
        keras.config.set_dtype_policy(before)


def _vit(pooling: str, tokens: int, blocks: int, attention: Attention, post: bool, behind: bool) -> Any:
    x = keras.Input((*SIZE, 3), dtype=keras.config.dtype_policy().variable_dtype)
    y = Tokens(tokens, behind, name="tokens")(patches(x))
    for number in range(1, blocks + 1):
        y = block(y, number, attention, post)
    y = y if post else layers.LayerNormalization(name="norm")(y)
    return keras.Model(x, end(y, pooling))


class Registers(layers.Layer):
    """Two tokens of 0.1 put between the class token and the patches."""

    def call(self, x: Any) -> Any:
        extra = ops.tile(ops.ones((1, 2, x.shape[-1])) * 0.1, (ops.shape(x)[0], 1, 1))
        return ops.concatenate([x[:, :1], extra, x[:, 1:]], axis=1)


def registers() -> Any:
    """Register tokens put between the class token and the patches, as DINOv2 has them."""
    keras.utils.set_random_seed(3)
    x = keras.Input((*SIZE, 3))
    y = Registers(name="registers")(Tokens(1, name="tokens")(patches(x)))
    for number in (1, 2):
        y = block(y, number)
    return keras.Model(x, end(layers.LayerNormalization(name="norm")(y), "class"))


def patchified(pooling: str = "flat") -> Any:
    """The patches cut out by reshaping, as in many tutorials, and a dense layer on each."""
    keras.utils.set_random_seed(3)
    x = keras.Input((*SIZE, 3))
    cut = ops.reshape(x, (-1, GRID[0], PATCH, GRID[1], PATCH, 3))
    cut = ops.reshape(ops.transpose(cut, (0, 1, 3, 2, 4, 5)), (-1, GRID[0] * GRID[1], PATCH * PATCH * 3))
    y = layers.Dense(DIM, name="projection")(cut)
    for number in (1, 2):
        y = block(y, number)
    return keras.Model(x, end(layers.LayerNormalization(name="norm")(y), pooling))


def extracted() -> Any:
    """The patches cut out by ``tf.image.extract_patches`` in a layer of their own, as in Keras's example."""

    class Patches(layers.Layer):
        def call(self, x: Any) -> Any:
            size = [1, PATCH, PATCH, 1]
            found = tf.image.extract_patches(x, sizes=size, strides=size, rates=[1, 1, 1, 1], padding="VALID")
            return tf.reshape(found, (tf.shape(x)[0], -1, found.shape[-1]))

    class Encoder(layers.Layer):
        def build(self, shape: tuple[int, ...]) -> None:
            self.projection = layers.Dense(DIM)
            self.projection.build(shape)
            self.position = layers.Embedding(GRID[0] * GRID[1], DIM)
            self.position.build(None)

        def call(self, x: Any) -> Any:
            return self.projection(x) + self.position(ops.expand_dims(ops.arange(GRID[0] * GRID[1]), 0))

    keras.utils.set_random_seed(3)
    x = keras.Input((*SIZE, 3))
    y = Encoder(name="encoder")(Patches()(x))
    for number in (1, 2):
        y = block(y, number, lambda z, name: with_layer(z, name, dropout=0.1))
    y = layers.LayerNormalization(name="norm")(y)
    return keras.Model(x, layers.Dense(CLASSES)(layers.Dropout(0.5)(layers.Flatten()(y))))


def hybrid(pooling: str = "class") -> Any:
    """A convolutional stem, then tokens."""
    keras.utils.set_random_seed(3)
    x = keras.Input((*SIZE, 3))
    y = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="stem")(x)
    y = layers.Conv2D(DIM, 3, strides=4, padding="same", activation="relu", name="features")(y)
    y = Tokens(1, name="tokens")(layers.Reshape((-1, DIM))(y))
    for number in (1, 2):
        y = block(y, number)
    return keras.Model(x, end(layers.LayerNormalization(name="norm")(y), pooling))


class ClassAttention(layers.Layer):
    """A class token that looks at the patches once, at the end, as in CaiT."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal", name="token")
        self.norm = layers.LayerNormalization(name="norm")
        self.norm.build(shape)
        self.attention = layers.MultiHeadAttention(HEADS, shape[-1] // HEADS, name="attention")
        self.attention.build((None, 1, shape[-1]), shape)

    def call(self, x: Any) -> Any:
        own = ops.tile(self.token, (ops.shape(x)[0], 1, 1))
        every = self.norm(ops.concatenate([own, x], axis=1))
        return own + self.attention(every[:, :1], every)


def class_attention() -> Any:
    """A block of patches alone, then a class token that gathers them."""
    keras.utils.set_random_seed(3)
    x = keras.Input((*SIZE, 3))
    y = ClassAttention(name="gather")(block(patches(x), 1))
    return keras.Model(x, layers.Dense(CLASSES)(layers.Flatten()(y)))


def windows(x: Any, size: int, shift: int, number: int) -> Any:
    """A block of windows of ``size``, shifted by ``shift``, on tokens (n, h·w, c) as Swin has it."""
    h, w, c = 4, 8, x.shape[-1]
    y = ops.reshape(layers.LayerNormalization(name=f"norm{number}a")(x), (-1, h, w, c))
    y = ops.roll(y, (-shift, -shift), (1, 2)) if shift else y
    y = ops.transpose(ops.reshape(y, (-1, h // size, size, w // size, size, c)), (0, 1, 3, 2, 4, 5))
    y = own_attention(ops.reshape(y, (-1, size * size, c)), f"attention{number}")
    y = ops.transpose(ops.reshape(y, (-1, h // size, w // size, size, size, c)), (0, 1, 3, 2, 4, 5))
    y = ops.reshape(y, (-1, h, w, c))
    y = ops.roll(y, (shift, shift), (1, 2)) if shift else y
    x = x + ops.reshape(y, (-1, h * w, c))
    y = layers.Dense(c, activation="gelu")(layers.LayerNormalization(name=f"norm{number}b")(x))
    return layers.Add(name=f"block{number}")([x, layers.Dense(c)(y)])


def swin() -> Any:
    """Two blocks of windows, the second shifted, patch merging, and a block over all tokens."""
    keras.utils.set_random_seed(3)
    x = keras.Input((32, 64, 3))
    y = layers.Reshape((-1, DIM))(layers.Conv2D(DIM, 8, strides=8, name="patches")(x))
    y = windows(windows(y, 2, 0, 1), 2, 1, 2)
    y = ops.reshape(y, (-1, 4, 8, DIM))
    y = ops.concatenate([y[:, i::2, j::2] for j in (0, 1) for i in (0, 1)], axis=-1)
    y = layers.Dense(2 * DIM, use_bias=False, name="merged")(ops.reshape(y, (-1, 8, 4 * DIM)))
    y = layers.LayerNormalization(name="norm")(block(y, 3, own_attention))
    return keras.Model(x, end(y, "average"))


def reduced() -> Any:
    """A block whose tokens look at the averages of five, as in pyramid vision transformers."""
    keras.utils.set_random_seed(3)
    x = keras.Input((*SIZE, 3))
    y = layers.Conv2D(DIM, PATCH, strides=PATCH, name="patches")(x)
    few = layers.Reshape((-1, DIM))(layers.AveragePooling2D((1, 5))(y))
    y = layers.Reshape((-1, DIM))(y)
    y = y + layers.MultiHeadAttention(HEADS, DIM // HEADS)(y, few)
    return keras.Model(x, end(layers.LayerNormalization(name="norm")(y), "average"))


class Subclassed(keras.Model):
    """The class-token network with everything in its own call, residual sums as plain code."""

    def __init__(self, pooling: str = "class", blocks: int = 2) -> None:
        super().__init__()
        self.pooling = pooling
        self.embed = layers.Conv2D(DIM, PATCH, strides=PATCH, name="patches")
        self.tokens = Tokens(1, name="tokens")
        self.parts = [
            (
                layers.LayerNormalization(name=f"norm{n}a"),
                layers.MultiHeadAttention(HEADS, DIM // HEADS, name=f"attention{n}"),
                layers.LayerNormalization(name=f"norm{n}b"),
                layers.Dense(2 * DIM, activation="gelu", name=f"mlp{n}_wide"),
                layers.Dense(DIM, name=f"mlp{n}"),
            )
            for n in range(1, blocks + 1)
        ]
        self.norm = layers.LayerNormalization(name="norm")
        self.scores = layers.Dense(CLASSES, name="scores")

    def call(self, x: Any, training: bool | None = None) -> Any:
        y = self.embed(x)
        y = self.tokens(tf.reshape(y, (tf.shape(y)[0], GRID[0] * GRID[1], DIM)))
        for before, attention, between, wide, narrow in self.parts:
            normal = before(y)
            y = y + attention(normal, normal)
            y = y + narrow(wide(between(y)))
        y = self.norm(y)
        return self.scores(y[:, 0] if self.pooling == "class" else tf.reduce_mean(y, axis=1))


def subclassed(pooling: str = "class") -> Any:
    """Of the same weights as ``vit(pooling)``."""
    model = Subclassed(pooling)
    model(images())
    model.set_weights(vit(pooling).get_weights())
    return model


def nested(pooling: str = "class") -> Any:
    """``vit(pooling)`` as a backbone within a model."""
    whole = vit(pooling)
    backbone = keras.Model(whole.input, whole.get_layer("norm").output, name="backbone")
    x = keras.Input((*SIZE, 3))
    y = backbone(x)
    y = y[:, 0] if pooling == "class" else layers.GlobalAveragePooling1D()(y)
    return keras.Model(x, whole.get_layer("scores")(y))


def sequential(pooling: str = "class") -> Any:
    """``vit(pooling)`` as a chain of layers, a block each."""

    class First(layers.Layer):
        def call(self, x: Any) -> Any:
            return x[:, 0]

    whole = vit(pooling)
    chain = [keras.Input((*SIZE, 3)), whole.get_layer("patches"), layers.Reshape((-1, DIM)), whole.get_layer("tokens")]
    inside = whole.get_layer("tokens").output
    for number in (1, 2):
        out = whole.get_layer(f"block{number}").output
        chain.append(keras.Model(inside, out, name=f"part{number}"))
        inside = out
    pool = First() if pooling == "class" else layers.GlobalAveragePooling1D()
    return keras.Sequential([*chain, whole.get_layer("norm"), pool, whole.get_layer("scores")])
