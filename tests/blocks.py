"""Some sixty ways to write a block in front of a small network or in the middle of it, and the networks themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

HEIGHT, WIDTH = 16, 24
Step = Callable[[Any], Any]


def function(step: Step, shape: tuple[int, ...] | None = None) -> Step:
    """A step written in TensorFlow, as a layer; its ``shape`` where Keras cannot find it out."""
    return lambda x: layers.Lambda(step, output_shape=shape)(x)


def conv(filters: int, kernel: int = 3, **options: Any) -> Any:
    return layers.Conv2D(filters, kernel, padding="same", **options)


def sides(x: Any) -> tuple[int, int, int]:
    return x.shape[1], x.shape[2], x.shape[3]


def windows(x: Any, size: int = 4, inside: Step = lambda w: w) -> Any:
    """Cut into windows (n·k, size·size, c), treated one by one, and joined again."""
    h, w, c = sides(x)
    cut = ops.transpose(ops.reshape(x, (-1, h // size, size, w // size, size, c)), (0, 1, 3, 2, 4, 5))
    cut = inside(ops.reshape(cut, (-1, size * size, c)))
    c = cut.shape[-1]
    back = ops.transpose(ops.reshape(cut, (-1, h // size, w // size, size, size, c)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(back, (-1, h, w, c))


def attention(tokens: Any) -> Any:
    return tokens + layers.MultiHeadAttention(2, 4)(tokens, tokens)


def as_tokens(inside: Step) -> Step:
    def step(x: Any) -> Any:
        h, w, c = sides(x)
        return layers.Reshape((h, w, c))(inside(layers.Reshape((h * w, c))(x)))

    return step


def shifted_windows(x: Any) -> Any:
    moved = ops.roll(x, (-2, -2), (1, 2))
    return x + ops.roll(windows(moved, 4, attention), (2, 2), (1, 2))


def squeeze_excite(x: Any) -> Any:
    gate = layers.Dense(x.shape[-1], activation="sigmoid")(layers.GlobalAveragePooling2D()(x))
    return x * layers.Reshape((1, 1, x.shape[-1]))(gate)


def group_norm(x: Any) -> Any:
    h, w, c = sides(x)
    grouped = ops.reshape(x, (-1, h, w, 2, c // 2))
    mean, variance = ops.moments(grouped, (1, 2, 4), keepdims=True)
    return ops.reshape((grouped - mean) / ops.sqrt(variance + 1e-3), (-1, h, w, c))


def instance_norm(x: Any) -> Any:
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return (x - mean) / tf.sqrt(variance + 1e-3)


def pixel_shuffle(x: Any) -> Any:
    h, w, c = sides(x)
    apart = ops.transpose(ops.reshape(x, (-1, h, w, 2, 2, c // 4)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(apart, (-1, 2 * h, 2 * w, c // 4))


def channel_shuffle(x: Any) -> Any:
    h, w, c = sides(x)
    return ops.reshape(ops.transpose(ops.reshape(x, (-1, h, w, 2, c // 2)), (0, 1, 2, 4, 3)), (-1, h, w, c))


def unfold(x: Any) -> Any:
    return tf.image.extract_patches(x, [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME")


def on_a_singleton_axis(x: Any) -> Any:
    y = layers.Conv3D(8, (1, 3, 3), padding="same")(layers.Reshape((1, *sides(x)))(x))
    return layers.Reshape((x.shape[1], x.shape[2], 8))(y)


def strips(x: Any) -> Any:
    return layers.TimeDistributed(layers.Conv1D(8, 3, padding="same"))(x)


def channels_first_inside(x: Any) -> Any:
    h, w, c = sides(x)
    first = layers.Permute((3, 1, 2))(x)
    mixed = ops.reshape(
        ops.matmul(ops.ones((c, c)) / c + ops.eye(c), ops.reshape(first, (-1, c, h * w))), (-1, c, h, w)
    )
    return layers.Permute((2, 3, 1))(mixed)


def while_loop(x: Any) -> Any:
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 1.1), [0, x])[1]


def mixed_experts(x: Any) -> Any:
    """Two convolutions, weighed by a softmax of the pooled picture."""
    weights = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    both = ops.stack([conv(4)(x), conv(4)(x)], axis=1)
    return ops.sum(both * ops.reshape(weights, (-1, 2, 1, 1, 1)), axis=1)


FRONT: dict[str, Step] = {
    "stack of channel slices": lambda x: ops.stack([x[..., 2], x[..., 1], x[..., 0]], axis=-1),
    "caffe preprocessing": lambda x: keras.applications.vgg16.preprocess_input(x * 255),
    "torch preprocessing": lambda x: keras.applications.imagenet_utils.preprocess_input(x * 255, mode="torch"),
    "tf preprocessing": lambda x: keras.applications.mobilenet.preprocess_input(x * 255),
    "channels reversed": lambda x: x[..., ::-1],
    "channels gathered": function(lambda x: tf.gather(x, [2, 0, 1], axis=3)),
    "tf.image grayscale": function(tf.image.rgb_to_grayscale, (HEIGHT, WIDTH, 1)),
    "keras.ops.image grayscale": lambda x: ops.image.rgb_to_grayscale(x),
    "hsv": function(tf.image.rgb_to_hsv),
    "contrast": function(lambda x: tf.image.adjust_contrast(x, 2.0)),
    "saturation": function(lambda x: tf.image.adjust_saturation(x, 0.5)),
    "standardized": function(tf.image.per_image_standardization),
    "Rescaling": layers.Rescaling(2.0, -1.0),
    "Normalization": layers.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.1, 0.2, 0.3]),
    "augmentation": lambda x: layers.RandomRotation(0.2)(layers.RandomFlip()(layers.RandomZoom(0.2)(x))),
    "Resizing": layers.Resizing(32, 48),
    "CenterCrop": layers.CenterCrop(12, 16),
    "ZeroPadding": layers.ZeroPadding2D((4, 2)),
    "tf.image crop": function(lambda x: tf.image.central_crop(x, 0.5)),
    "tf.image pad": function(lambda x: tf.image.pad_to_bounding_box(x, 3, 5, 32, 40)),
    "keras.ops.image crop": lambda x: ops.image.crop_images(x, 2, 4, target_height=12, target_width=16),
    "keras.ops.image pad": lambda x: ops.image.pad_images(x, 2, 4, target_height=24, target_width=32),
    "area resizing": function(lambda x: tf.image.resize(x, (8, 12), "area")),
    "space to depth": function(lambda x: tf.nn.space_to_depth(x, 2)),
    "mean of channels": lambda x: ops.mean(x, axis=-1, keepdims=True),
    "colour matrix by tensordot": function(lambda x: tf.tensordot(x, tf.eye(3) + 0.1, 1)),
    "colour matrix by einsum": lambda x: ops.einsum("nhwc,cd->nhwd", x, ops.eye(3) + 0.1),
    "unfolded": function(unfold),
    "map_fn over pictures": function(lambda x: tf.map_fn(lambda one: one * 2.0, x)),
    "vectorized_map over pictures": function(lambda x: tf.vectorized_map(lambda one: one[:, :, ::-1] * 2.0, x)),
    "cast to uint8 and back": function(lambda x: tf.cast(tf.cast(x * 255, tf.uint8), tf.float32)),
}

# In front: what moves the picture's places.
MOVED: dict[str, Step] = {
    "mirrored by slicing": lambda x: x[:, :, ::-1],
    "mirrored by keras.ops.flip": lambda x: ops.flip(x, axis=2),
    "mirrored by tf.image": function(tf.image.flip_left_right),
    "upside down": function(tf.image.flip_up_down),
    "mirrored by gather": function(lambda x: tf.gather(x, list(range(WIDTH - 1, -1, -1)), axis=2)),
    "half turn": function(lambda x: tf.image.rot90(x, 2), (HEIGHT, WIDTH, 3)),
    "quarter turn": function(lambda x: tf.image.rot90(x, 1), (WIDTH, HEIGHT, 3)),
    "quarter turn back": function(lambda x: tf.image.rot90(x, 3), (WIDTH, HEIGHT, 3)),
    "quarter turn by keras.ops": lambda x: ops.rot90(x, 1, axes=(1, 2)),
    "transposed": function(tf.image.transpose),
    "Permute": layers.Permute((2, 1, 3)),
    "transposed and mirrored": lambda x: layers.Permute((2, 1, 3))(x)[:, ::-1],
    "every second pixel": lambda x: x[:, ::2, ::2],
    "left half": lambda x: x[:, :, : WIDTH // 2],
    "rolled": lambda x: ops.roll(x, 2, axis=2),
    "mirrored by a product": function(lambda x: tf.einsum("nhwc,wv->nhvc", x, tf.eye(WIDTH)[::-1])),
}

MIDDLE: dict[str, Step] = {
    "mean over stacked branches": lambda x: ops.mean(ops.stack([conv(4)(x), conv(4)(x)], axis=0), axis=0),
    "maximum over stacked branches": lambda x: ops.max(ops.stack([conv(4)(x), conv(4)(x)], axis=-1), axis=-1),
    "experts": mixed_experts,
    "windows cut and joined": windows,
    "windows with attention": lambda x: windows(x, 4, attention),
    "shifted windows with attention": shifted_windows,
    "windows with a dense layer": lambda x: windows(x, 4, layers.Dense(6)),
    "split and concat": lambda x: ops.concatenate(ops.split(x, 2, axis=-1)[::-1], axis=-1),
    "split along the rows and joined": lambda x: ops.concatenate(ops.split(x, 2, axis=1), axis=1),
    "unstacked channels": lambda x: ops.stack(ops.unstack(x, axis=-1), axis=-1),
    "unstacked rows": function(lambda x: tf.stack(tf.unstack(x, axis=1), axis=1)),
    "einsum": lambda x: ops.einsum("nhwc,cd->nhwd", x, ops.ones((x.shape[-1], 5))) + 0.0,
    "tensordot": lambda x: ops.tensordot(x, ops.ones((x.shape[-1], 5)), axes=[[3], [0]]),
    "cumulated channels": lambda x: ops.cumsum(x, axis=-1),
    "where": lambda x: ops.where(x > 0.5, x, 0.2 * x),
    "rolled there and back": lambda x: ops.roll(conv(8)(ops.roll(x, 3, axis=1)), -3, axis=1),
    "reversed there and back": lambda x: ops.flip(conv(8)(ops.flip(x, axis=2)), axis=2),
    "depth to space": function(lambda x: tf.nn.depth_to_space(x, 2)),
    "pixel shuffle": pixel_shuffle,
    "channel shuffle": channel_shuffle,
    "tokens and back": as_tokens(lambda tokens: layers.Dense(8)(layers.LayerNormalization()(tokens))),
    "attention over tokens": as_tokens(attention),
    "attention alone": as_tokens(lambda t: layers.MultiHeadAttention(2, 4)(t, t)),
    "dot attention": as_tokens(lambda t: t + layers.Attention(use_scale=True)([t, t])),
    "squeeze and excite": squeeze_excite,
    "LayerNormalization": layers.LayerNormalization(),
    "GroupNormalization": layers.GroupNormalization(2),
    "group norm by reshaping": group_norm,
    "instance norm": function(instance_norm),
    "UnitNormalization": layers.UnitNormalization(),
    "unfolded": function(unfold),
    "Conv3D on a singleton axis": on_a_singleton_axis,
    "SeparableConv2D": layers.SeparableConv2D(6, 3, padding="same"),
    "transposed convolution": layers.Conv2DTranspose(4, 3, strides=2, padding="same"),
    "UpSampling2D": layers.UpSampling2D(2),
    "TimeDistributed strips": strips,
    "channels first inside": channels_first_inside,
    "map_fn": function(lambda x: tf.map_fn(lambda one: tf.nn.relu(one) * 2.0, x)),
    "vectorized_map": function(lambda x: tf.vectorized_map(lambda one: tf.nn.relu(one) * 2.0, x)),
    "while loop": function(while_loop),
    "cond": function(lambda x: tf.cond(tf.reduce_mean(x) > -1e9, lambda: x * 2.0, lambda: x)),
    "gathered rows": function(lambda x: tf.gather(x, list(range(x.shape[1])), axis=1)),
    "sorted channels": lambda x: ops.sort(x, axis=-1),
    "top channels": function(lambda x: tf.math.top_k(x, 4).values),
    "local response": function(tf.nn.local_response_normalization),
    "softmax over channels": lambda x: ops.softmax(x, axis=-1),
    "softmax over places": lambda x: (
        x
        * ops.reshape(
            ops.softmax(ops.reshape(ops.mean(x, axis=-1), (-1, x.shape[1] * x.shape[2])), axis=-1),
            (-1, x.shape[1], x.shape[2], 1),
        )
    ),
    "spectrum and back": function(lambda x: tf.math.real(tf.signal.ifft(tf.signal.fft(tf.cast(x, tf.complex64))))),
    "diagonal product": function(lambda x: tf.linalg.matvec(tf.eye(x.shape[-1]) * 2.0, x)),
    "ConvLSTM2D on one step": lambda x: layers.ConvLSTM2D(4, 3, padding="same")(layers.Reshape((1, *sides(x)))(x)),
}


def network(front: Step | None = None, middle: Step | None = None) -> Any:
    """Convolution, pooling, convolution ``last``, a dense layer on the flattened map; a block at one of two places."""
    keras.utils.set_random_seed(3)
    picture = keras.Input((HEIGHT, WIDTH, 3))
    x = picture if front is None else front(picture)
    x = conv(8, activation="relu", name="first")(x)
    x = x if middle is None else middle(x)
    x = layers.MaxPooling2D()(x)
    x = conv(8, activation="relu", name="last")(x)
    return keras.Model(picture, layers.Dense(4, name="scores")(layers.Flatten()(x)))


def pictures(count: int = 1) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.05, 0.95, (count, HEIGHT, WIDTH, 3)).astype(np.float32)
