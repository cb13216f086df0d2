"""Tiny networks of known weights, and many ways of writing the same one.

``flat()`` is the reference: a functional Conv → ReLU → Conv → ReLU → GAP → Dense → softmax in float64. Each row
of ``TWINS`` is the same function written in another way; every method has to give the same map for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SIZE = (12, 10)
GRID = (6, 5)
CLASSES = 4
FEATURES = 6


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of the reference network."""

    k1: np.ndarray
    b1: np.ndarray
    k2: np.ndarray
    b2: np.ndarray
    w: np.ndarray
    b: np.ndarray


def weights(seed: int = 10) -> Weights:
    r = np.random.default_rng(seed)
    return Weights(
        r.normal(0, 0.5, (3, 3, 3, 4)),
        r.normal(0.3, 0.1, 4),
        r.normal(0.05, 0.4, (3, 3, 4, FEATURES)),
        r.normal(0.3, 0.1, FEATURES),
        r.normal(0, 1, (FEATURES, CLASSES)),
        r.normal(0, 0.5, CLASSES),
    )


W = weights()


def images(n: int = 1, channels: int = 3, seed: int = 1, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.2, 1, (n, *size, channels))


def given(layer: Any, *arrays: np.ndarray) -> Any:
    """``layer`` with these weights, set once it is built."""
    layer.given = arrays
    return layer


def settle(model: Any) -> Any:
    """Set the weights of every layer below ``model`` that were noted by ``given``."""
    for layer in model._flatten_layers():
        if hasattr(layer, "given"):
            layer.set_weights(list(layer.given))
    return model


def conv1(dtype: str = "float64", activation: str | None = "relu", **options: Any) -> Any:
    options = {"name": "conv1", "strides": 2, "padding": "same", **options}
    return given(layers.Conv2D(4, 3, activation=activation, dtype=dtype, **options), W.k1, W.b1)


def conv2(dtype: str = "float64", activation: str | None = "relu", **options: Any) -> Any:
    options = {"name": "features", "padding": "same", **options}
    return given(layers.Conv2D(FEATURES, 3, activation=activation, dtype=dtype, **options), W.k2, W.b2)


def gap(dtype: str = "float64", **options: Any) -> Any:
    return layers.GlobalAveragePooling2D(dtype=dtype, **options)


def dense(dtype: str = "float64", activation: str | None = "softmax", name: str = "scores") -> Any:
    return given(layers.Dense(CLASSES, activation=activation, dtype=dtype, name=name), W.w, W.b)


def picture_input(channels: int = 3, dtype: str = "float64", size: tuple[int | None, int | None] = SIZE) -> Any:
    return keras.Input((*size, channels), dtype=dtype)


def flat(activation: str | None = "softmax", dtype: str = "float64") -> Any:
    x = picture_input(dtype="float32" if "mixed" in dtype else dtype)
    y = conv2(dtype)(conv1(dtype)(x))
    return settle(keras.Model(x, dense(dtype, activation)(gap(dtype)(y)), name="flat"))


def backbone() -> Any:
    x = picture_input()
    return keras.Model(x, conv2()(conv1()(x)), name="backbone")


def nested() -> Any:
    x = picture_input()
    return settle(keras.Model(x, dense()(gap()(backbone()(x)))))


def twice_nested() -> Any:
    x = picture_input()
    inner = keras.Sequential([picture_input(), backbone(), layers.Dropout(0.5, dtype="float64")], name="body")
    return settle(keras.Model(x, dense()(gap()(inner(x)))))


def nested_in_sequential() -> Any:
    return settle(keras.Sequential([picture_input(), backbone(), gap(), dense()]))


def sequential() -> Any:
    return settle(keras.Sequential([picture_input(), conv1(), conv2(), gap(), dense()]))


def sequential_built_late() -> Any:
    model = keras.Sequential([conv1(), conv2(), gap(), dense()])
    model.build((None, *SIZE, 3))
    return settle(model)


class Subclassed(keras.Model):
    """Layers as attributes, called by hand."""

    def __init__(self, **options: Any) -> None:
        super().__init__(dtype="float64", **options)
        self.first, self.second, self.pool, self.end = conv1(), conv2(), gap(), dense()

    def call(self, x: Any) -> Any:
        return self.end(self.pool(self.second(self.first(x))))


class Listed(keras.Model):
    """Layers in a list, with dropout and a training argument."""

    def __init__(self) -> None:
        super().__init__(dtype="float64")
        self.steps = [conv1(), layers.Dropout(0.9, dtype="float64"), conv2(), gap(), dense()]

    def call(self, x: Any, training: bool = False) -> Any:
        for step in self.steps:
            x = step(x, training=training) if isinstance(step, layers.Dropout) else step(x)
        return x


class Compiled(Subclassed):
    """Its call is a tf.function."""

    @tf.function
    def call(self, x: Any) -> Any:
        return self.end(self.pool(self.second(self.first(x))))


class OwnRelu(keras.Model):
    """Applies its own ReLU between linear layers."""

    def __init__(self) -> None:
        super().__init__(dtype="float64")
        self.first, self.second = conv1(activation=None), conv2(activation=None)
        self.pool, self.end = gap(), dense()

    def call(self, x: Any) -> Any:
        return self.end(self.pool(tf.nn.relu(self.second(tf.nn.relu(self.first(x))))))


class OwnEverything(keras.Model):
    """Pools and scores in its own code."""

    def __init__(self) -> None:
        super().__init__(dtype="float64")
        self.first, self.second = conv1(), conv2()
        self.end = dense(activation=None)

    def call(self, x: Any) -> Any:
        return tf.nn.softmax(self.end(tf.reduce_mean(self.second(self.first(x)), axis=[1, 2])))


class Block(layers.Layer):
    """A composite layer; with ``compiled`` its call is a tf.function."""

    def __init__(self, **options: Any) -> None:
        super().__init__(dtype="float64", **options)
        self.inner = conv2(activation=None)

    def build(self, shape: Any) -> None:
        self.inner.build(shape)
        self.built = True

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape[:-1], FEATURES)

    def call(self, x: Any) -> Any:
        return tf.nn.relu(self.inner(x))


class CompiledBlock(Block):
    @tf.function
    def call(self, x: Any) -> Any:
        return tf.nn.relu(self.inner(x))


def built(model: Any) -> Any:
    model(np.zeros((1, *SIZE, 3)))
    return settle(model)


def with_block(block: type) -> Any:
    x = picture_input()
    return settle(keras.Model(x, dense()(gap()(block(name="block")(conv1()(x))))))


def two_outputs(kind: str) -> Any:
    x = picture_input()
    pooled = gap(name="embedding")(conv2()(conv1()(x)))
    scores = dense()(pooled)
    outputs = [pooled, scores] if kind == "list" else {"embedding": pooled, "scores": scores}
    return settle(keras.Model(x, outputs))


def head(*ends: Any) -> Any:
    """conv1, conv2, then these layers."""
    x = picture_input()
    y = conv2()(conv1()(x))
    for end in ends:
        y = end(y)
    return settle(keras.Model(x, y))


def mobilenet_head(softmax_first: bool = False) -> Any:
    score = given(layers.Conv2D(CLASSES, 1, dtype="float64", name="conv_preds"), W.w[None, None], W.b)
    shape = layers.Reshape((CLASSES,), dtype="float64")
    softmax = layers.Activation("softmax", dtype="float64")
    ends = (softmax, shape) if softmax_first else (shape, softmax)
    return head(gap(keepdims=True), layers.Dropout(0.5, dtype="float64"), score, *ends)


def squeezenet_head() -> Any:
    """A 1×1 convolution with one map per class, then the average: the same scores as GAP → Dense."""
    score = given(layers.Conv2D(CLASSES, 1, dtype="float64", name="maps"), W.w[None, None], W.b)
    return head(score, gap(), layers.Softmax(dtype="float64"))


def pooled_by_hand() -> Any:
    """Average pooling over the whole grid and Flatten instead of a global pooling."""
    return head(layers.AveragePooling2D(GRID, dtype="float64"), layers.Flatten(dtype="float64"), dense())


def normalised() -> Any:
    """A BatchNormalization that carries out conv2's bias, and one ReLU layer of its own."""
    x = picture_input()
    r = np.random.default_rng(5)
    gamma, mean, variance = r.uniform(0.5, 2, FEATURES), r.normal(0, 1, FEATURES), r.uniform(0.5, 2, FEATURES)
    scale = gamma / np.sqrt(variance + 1e-3)
    linear = given(
        layers.Conv2D(FEATURES, 3, padding="same", use_bias=False, dtype="float64", name="linear"), W.k2 / scale
    )
    norm = given(layers.BatchNormalization(dtype="float64", epsilon=1e-3), gamma, W.b2 + scale * mean, mean, variance)
    y = layers.ReLU(dtype="float64", name="features")(norm(linear(conv1()(x))))
    return settle(keras.Model(x, dense()(gap()(y))))


def open_size() -> Any:
    x = picture_input(size=(None, None))
    return settle(keras.Model(x, dense()(gap()(conv2()(conv1()(x))))))


def padded_by_operations() -> Any:
    """Plain Keras operations instead of layers."""
    x = picture_input()
    y = keras.ops.relu(conv2(activation=None)(keras.ops.relu(conv1(activation=None)(x))))
    return settle(keras.Model(x, keras.ops.softmax(dense(activation=None)(keras.ops.mean(y, axis=(1, 2))))))


def grey() -> Any:
    x = picture_input(1)
    first = given(
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", dtype="float64", name="conv1"),
        W.k1.sum(axis=2, keepdims=True),
        W.b1,
    )
    return settle(keras.Model(x, dense()(gap()(conv2()(first(x))))))


def channels_first(dtype: str = "float32") -> Any:
    x = keras.Input((3, *SIZE), dtype=dtype)
    y = conv2(dtype, data_format="channels_first")(conv1(dtype, data_format="channels_first")(x))
    return settle(keras.Model(x, dense(dtype)(gap(dtype, data_format="channels_first")(y))))


def channels_first_inside() -> Any:
    """Pictures as everywhere, turned to channels first for the network's own layers (as ported networks do)."""
    x = picture_input(dtype="float32")
    y = layers.Permute((3, 1, 2))(x)
    y = conv2("float32", data_format="channels_first")(conv1("float32", data_format="channels_first")(y))
    return settle(keras.Model(x, dense("float32")(gap("float32", data_format="channels_first")(y))))


def channels_first_outside() -> Any:
    """Pictures with their channels first, layers with theirs last."""
    x = keras.Input((3, *SIZE), dtype="float64")
    y = layers.Permute((2, 3, 1), dtype="float64")(x)
    return settle(keras.Model(x, dense()(gap()(conv2()(conv1()(y))))))


def on_its_side() -> Any:
    """The columns before the rows, as column-major libraries keep pictures; the kernels lie on their side, too."""
    x = picture_input()
    y = layers.Permute((2, 1, 3), dtype="float64")(x)
    first, second = conv1(), conv2()
    given(first, W.k1.swapaxes(0, 1), W.b1)
    given(second, W.k2.swapaxes(0, 1), W.b2)
    return settle(keras.Model(x, dense()(gap()(second(first(y))))))


def one_unit(activation: str = "sigmoid") -> Any:
    """One sigmoid unit: W's class 2 against nothing."""
    end = given(layers.Dense(1, activation=activation, dtype="float64"), W.w[:, 2:3], W.b[2:3])
    return head(gap(), end)


def two_units() -> Any:
    """The same two scores, written out: [-z, z]."""
    w, b = W.w[:, 2:3], W.b[2:3]
    end = given(layers.Dense(2, dtype="float64"), np.concatenate([-w, w], axis=1), np.concatenate([-b, b]))
    return head(gap(), end)


def shared_twice(really_shared: bool = True) -> Any:
    """conv1 → mid → mid → GAP → Dense, with one layer called twice or two of equal weights."""
    r = np.random.default_rng(9)
    kernel, bias = r.normal(0.05, 0.3, (3, 3, 4, 4)), r.normal(0.2, 0.1, 4)

    def mid(name: str) -> Any:
        return given(layers.Conv2D(4, 3, padding="same", activation="relu", dtype="float64", name=name), kernel, bias)

    x = picture_input()
    one = mid("mid")
    two = one if really_shared else mid("mid_b")
    end = given(layers.Dense(CLASSES, activation="softmax", dtype="float64"), W.w[:4], W.b)
    return settle(keras.Model(x, end(gap()(two(one(conv1()(x)))))))


@dataclass(frozen=True, eq=False)
class Twin:
    """One way to write the reference network."""

    build: Callable[[], Any]
    options: dict[str, Any] = field(default_factory=dict)  # for camcore.wrap
    reference: Callable[[], Any] = flat
    image: Callable[[np.ndarray], np.ndarray] = lambda x: x  # the reference's input → this one's
    grey_picture: bool = False  # the same only for pictures whose channels are equal
    class_index: int = 2
    reference_class: int = 2
    layer: str | None = "features"  # a name by which the last map is found; None: made by the model's own code
    tolerance: float = 1e-6


_SIZED = {"input_size": SIZE}


def _end(*ends: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: head(*(end() for end in ends))


TWINS: dict[str, Twin] = {
    "nested functional": Twin(nested),
    "nested twice, with dropout": Twin(twice_nested),
    "nested in Sequential": Twin(nested_in_sequential),
    "Sequential": Twin(sequential),
    "Sequential built late": Twin(sequential_built_late),
    "subclassed": Twin(lambda: built(Subclassed()), _SIZED),
    "subclassed, layers in a list": Twin(lambda: built(Listed()), _SIZED),
    "subclassed, call is a tf.function": Twin(lambda: built(Compiled()), _SIZED),
    "subclassed, own relu": Twin(lambda: built(OwnRelu()), _SIZED, layer=None),
    "subclassed, own pooling and softmax": Twin(lambda: built(OwnEverything()), _SIZED),
    "composite layer": Twin(lambda: with_block(Block), layer="block"),
    "composite layer, call is a tf.function": Twin(lambda: with_block(CompiledBlock), layer="block"),
    "two outputs, list, by index": Twin(lambda: two_outputs("list"), {"output": 1}),
    "two outputs, list, by name": Twin(lambda: two_outputs("list"), {"output": "scores"}),
    "two outputs, dict, by name": Twin(lambda: two_outputs("dict"), {"output": "scores"}),
    "two outputs, dict, by index": Twin(lambda: two_outputs("dict"), {"output": 1}),
    "multi-label sigmoid": Twin(_end(gap, lambda: dense(activation="sigmoid"))),
    "logits": Twin(_end(gap, lambda: dense(activation=None))),
    "Activation layer": Twin(
        _end(gap, lambda: dense(activation=None), lambda: layers.Activation("softmax", dtype="float64"))
    ),
    "Softmax layer": Twin(_end(gap, lambda: dense(activation=None), lambda: layers.Softmax(dtype="float64"))),
    "reshape after the logits": Twin(mobilenet_head),
    "reshape after the softmax": Twin(lambda: mobilenet_head(True)),
    "average pooling over the grid, Flatten": Twin(pooled_by_hand),
    "batch normalisation": Twin(normalised),
    "plain operations": Twin(padded_by_operations, layer=None),
    "grey": Twin(grey, image=lambda x: x[..., :1], grey_picture=True),
    "open input size": Twin(open_size, _SIZED),
    "one sigmoid unit, class 1": Twin(one_unit, reference=two_units, class_index=1, reference_class=1),
    "one sigmoid unit, class 0": Twin(one_unit, reference=two_units, class_index=0, reference_class=0),
    "shared layer called twice": Twin(shared_twice, reference=lambda: shared_twice(False), layer="mid"),
    "channels first": Twin(channels_first, image=lambda x: x.transpose(0, 3, 1, 2), tolerance=1e-4),
    "channels first inside": Twin(channels_first_inside, tolerance=1e-4),
    "channels first outside": Twin(channels_first_outside, image=lambda x: x.transpose(0, 3, 1, 2)),
    "on its side": Twin(on_its_side),
    "float32": Twin(lambda: flat(dtype="float32"), tolerance=1e-4),
    "mixed float16": Twin(lambda: flat(dtype="mixed_float16"), tolerance=2e-2),
    "mixed bfloat16": Twin(lambda: flat(dtype="mixed_bfloat16"), tolerance=1e-1),
}
