"""Receptive fields: by hand, by impulses, and as published."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import camcore

# ---- by hand: side of the input, layers → grid side, stride, field, first centre (all axes alike)

_L = layers
BY_HAND = {
    "3×3 valid": (9, lambda: [_L.Conv2D(2, 3)], (7, 1, 3, 1)),
    "3×3 same": (9, lambda: [_L.Conv2D(2, 3, padding="same")], (9, 1, 3, 0)),
    "2×2 same: the odd cell pads after": (9, lambda: [_L.Conv2D(2, 2, padding="same")], (9, 1, 2, 0.5)),
    "3×3 stride 2 valid": (9, lambda: [_L.Conv2D(2, 3, strides=2)], (4, 2, 3, 1)),
    "3×3 stride 2 same, odd side": (9, lambda: [_L.Conv2D(2, 3, strides=2, padding="same")], (5, 2, 3, 0)),
    "3×3 stride 2 same, even side": (10, lambda: [_L.Conv2D(2, 3, strides=2, padding="same")], (5, 2, 3, 1)),
    "5×5 stride 3 same, side 11": (11, lambda: [_L.Conv2D(2, 5, strides=3, padding="same")], (4, 3, 5, 1)),
    "7×7 stride 2 same, even side": (12, lambda: [_L.Conv2D(2, 7, strides=2, padding="same")], (6, 2, 7, 1)),
    "1×1 stride 2 same": (9, lambda: [_L.Conv2D(2, 1, strides=2, padding="same")], (5, 2, 1, 0)),
    "dilation 2 valid": (9, lambda: [_L.Conv2D(2, 3, dilation_rate=2)], (5, 1, 5, 2)),
    "dilation 3 same": (9, lambda: [_L.Conv2D(2, 3, dilation_rate=3, padding="same")], (9, 1, 7, 0)),
    "two 3×3 valid": (9, lambda: [_L.Conv2D(2, 3), _L.Conv2D(2, 3)], (5, 1, 5, 2)),
    "stride 2, then 3×3": (11, lambda: [_L.Conv2D(2, 3, strides=2), _L.Conv2D(2, 3)], (3, 2, 7, 3)),
    "max pooling": (8, lambda: [_L.MaxPooling2D(2)], (4, 2, 2, 0.5)),
    "max pooling, odd side": (9, lambda: [_L.MaxPooling2D(2)], (4, 2, 2, 0.5)),
    "average pooling 3, stride 2, same": (8, lambda: [_L.AveragePooling2D(3, 2, "same")], (4, 2, 3, 1)),
    "conv, pool, conv": (
        12,
        lambda: [_L.Conv2D(2, 3, padding="same"), _L.MaxPooling2D(2), _L.Conv2D(2, 3, padding="same")],
        (6, 2, 8, 0.5),
    ),
    "zero padding, valid": (9, lambda: [_L.ZeroPadding2D(3), _L.Conv2D(2, 7, strides=2)], (5, 2, 7, 0)),
    "uneven zero padding": (
        8,
        lambda: [_L.ZeroPadding2D(((0, 1), (0, 1))), _L.Conv2D(2, 3, strides=2)],
        (4, 2, 3, 1),
    ),
    "cropping": (9, lambda: [_L.Cropping2D(2), _L.Conv2D(2, 3)], (3, 1, 3, 3)),
    "uneven cropping": (9, lambda: [_L.Conv2D(2, 3), _L.Cropping2D(((1, 3), (1, 3)))], (3, 1, 3, 2)),
    "depthwise": (9, lambda: [_L.DepthwiseConv2D(3, strides=2, padding="same")], (5, 2, 3, 0)),
    "depthwise, dilated": (9, lambda: [_L.DepthwiseConv2D(3, dilation_rate=2)], (5, 1, 5, 2)),
    "depthwise, dilated, same": (
        9,
        lambda: [_L.DepthwiseConv2D(3, dilation_rate=2, padding="same")],
        (9, 1, 5, 0),
    ),
    "separable": (9, lambda: [_L.SeparableConv2D(2, 3, padding="same")], (9, 1, 3, 0)),
    "separable, strided": (10, lambda: [_L.SeparableConv2D(2, 5, strides=2, padding="same")], (5, 2, 5, 0.5 + 0.5)),
    "grouped": (9, lambda: [_L.Conv2D(4, 1), _L.Conv2D(4, 3, groups=2, strides=2)], (4, 2, 3, 1)),
    "batch norm and relu change nothing": (
        9,
        lambda: [_L.Conv2D(2, 3), _L.BatchNormalization(), _L.ReLU(), _L.Dropout(0.1)],
        (7, 1, 3, 1),
    ),
    "global response in between": (9, lambda: [_L.Conv2D(2, 3), _L.LayerNormalization()], (7, 1, 3, 1)),
    "upsampling by 2, nearest": (6, lambda: [_L.UpSampling2D(2)], (12, 0.5, None, -0.25)),
    "upsampling by 2, bilinear": (6, lambda: [_L.UpSampling2D(2, interpolation="bilinear")], (12, 0.5, None, -0.25)),
    "upsampling by pixel shuffle": (
        6,
        lambda: [_L.Conv2D(8, 1), _L.Lambda(lambda x: tf.nn.depth_to_space(x, 2))],
        (12, 0.5, None, -0.25),
    ),
    "space to depth": (8, lambda: [_L.Lambda(lambda x: tf.nn.space_to_depth(x, 2))], (4, 2, 2, 0.5)),
    "every second cell": (9, lambda: [_L.Lambda(lambda x: x[:, ::2, ::2])], (5, 2, 1, 0)),
    "from the third cell on": (9, lambda: [_L.Lambda(lambda x: x[:, 2:, 2:])], (7, 1, 1, 2)),
    "backwards": (9, lambda: [_L.Lambda(lambda x: x[:, ::-1, ::-1])], (9, -1, 1, 8)),
    "every second cell backwards": (9, lambda: [_L.Lambda(lambda x: x[:, 7::-2, 7::-2])], (4, -2, 1, 7)),
    "gathered": (
        9,
        lambda: [_L.Lambda(lambda x: tf.gather(tf.gather(x, [1, 4, 7], axis=1), [1, 4, 7], axis=2))],
        (3, 3, 1, 1),
    ),
    "second half of a split": (
        8,
        lambda: [_L.Lambda(lambda x: tf.split(tf.split(x, 2, axis=1)[1], 2, axis=2)[1])],
        (4, 1, 1, 4),
    ),
    "split and joined": (8, lambda: [_L.Lambda(lambda x: tf.concat(tf.split(x, 2, axis=1), axis=1))], (8, 1, 1, 0)),
    "a constant border": (
        8,
        lambda: [
            _L.Lambda(lambda x: tf.pad(tf.concat([0 * tf.ones_like(x[:, :1]), x], 1), [[0, 0], [0, 0], [1, 0], [0, 0]]))
        ],
        (9, 1, 1, -1),
    ),
    "stacked channels": (
        9,
        lambda: [_L.Lambda(lambda x: tf.stack([x[..., 2], x[..., 0]], axis=-1)), _L.Conv2D(2, 3)],
        (7, 1, 3, 1),
    ),
    "transposed 2, stride 2": (5, lambda: [_L.Conv2DTranspose(2, 2, strides=2)], (10, 0.5, None, -0.25)),
    "transposed 3, stride 1, same": (5, lambda: [_L.Conv2DTranspose(2, 3, padding="same")], (5, 1, 3, 0)),
    "transposed 4, stride 2, same": (5, lambda: [_L.Conv2DTranspose(2, 4, 2, "same")], (10, 0.5, None, -0.25)),
}


def chain(side: int, steps: list[Any]) -> Any:
    x = keras.Input((side, side, 3))
    y = x
    for step in steps:
        y = step(y)
    y = layers.Activation("linear", name="looked_at")(y)
    return keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(y)))


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name):
    side, build, (grid, stride, field, centre) = BY_HAND[name]
    model = chain(side, build())
    info = camcore.wrap(model).layer("looked_at")
    assert info.grid == (grid, grid)
    assert info.stride == (stride, stride)
    assert info.first_centre == pytest.approx((centre, centre))
    if field is not None:
        assert info.receptive_field == (field, field)


def test_axes_are_kept_apart():
    x = keras.Input((12, 9, 3))
    y = layers.Conv2D(2, (5, 1), strides=(2, 3), padding="same", name="looked_at")(x)
    info = camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))).layer("looked_at")
    assert info.grid == (6, 3)
    assert info.stride == (2, 3)
    assert info.receptive_field == (5, 1)
    assert info.first_centre == (1, 0)  # y: 3 cells padded, 1 before; x: none, 9 = 3·3, but 1×1 starts at 0


def classifier(x: Any, y: Any) -> camcore.Network:
    y = layers.Activation("linear", name="looked_at")(y)
    return camcore.wrap(keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(y))))


def test_branches_are_united():
    """Inception-like: 1×1, 5×5, two 3×3 and a pooling side by side."""
    x = keras.Input((12, 12, 3))
    stem = layers.Conv2D(4, 3, strides=2, padding="same")(x)
    branches = [
        layers.Conv2D(2, 1)(stem),
        layers.Conv2D(2, 5, padding="same")(layers.Conv2D(2, 1)(stem)),
        layers.Conv2D(2, 3, padding="same")(layers.Conv2D(2, 3, padding="same")(stem)),
        layers.MaxPooling2D(3, 1, "same")(stem),
    ]
    info = classifier(x, layers.Concatenate()(branches)).layer("looked_at")
    assert info.receptive_field == (3 + 4 * 2,) * 2
    assert info.stride == (2, 2)
    assert info.first_centre == (1, 1)


def test_branches_of_different_centres():
    """A field of 2 that reaches right and one of 2 that reaches left together make 3."""
    x = keras.Input((8, 8, 3))
    right = layers.Conv2D(3, 2)(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    left = layers.Conv2D(3, 2)(layers.ZeroPadding2D(((1, 0), (1, 0)))(x))
    info = classifier(x, layers.Add()([right, left])).layer("looked_at")
    assert info.receptive_field == (3, 3)
    assert info.first_centre == (0, 0)


def test_residuals():
    x = keras.Input((16, 16, 3))
    y = layers.Conv2D(4, 3, padding="same")(x)
    y = layers.Add()([y, layers.Conv2D(4, 3, padding="same")(layers.ReLU()(y))])
    assert classifier(x, y).layer("looked_at").receptive_field == (5, 5)


def test_a_strided_residual_with_a_1x1_shortcut():
    """ResNet's: 1×1 stride 2 beside 3×3 stride 2; at an even side the two are a pixel apart."""
    x = keras.Input((10, 10, 3))
    main = layers.Conv2D(4, 3, strides=2, padding="same")(x)
    short = layers.Conv2D(4, 1, strides=2, padding="same")(x)
    info = classifier(x, layers.Add()([main, short])).layer("looked_at")
    assert info.receptive_field == (3, 3)
    assert info.stride == (2, 2)
    assert info.first_centre == (1, 1)


def test_a_gate_keeps_the_field_and_is_noted():
    """Squeeze and excitation multiplies by what was pooled over the whole picture."""
    x = keras.Input((12, 12, 3))
    y = layers.Conv2D(4, 3, padding="same", name="before")(x)
    gate = layers.Conv2D(4, 1, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    network = classifier(x, layers.Multiply()([y, gate]))
    assert network.layer("looked_at").receptive_field == (3, 3)
    assert network.layer("looked_at").whole_picture
    assert not network.layer("before").whole_picture


def test_attention_sees_the_whole_picture():
    x = keras.Input((6, 6, 3))
    y = layers.Conv2D(4, 3, padding="same")(x)
    tokens = layers.Reshape((36, 4))(y)
    mixed = layers.Reshape((6, 6, 4))(layers.Attention()([tokens, tokens]))
    info = classifier(x, mixed).layer("looked_at")
    assert info.whole_picture
    assert info.receptive_field is None


def test_a_mirrored_grid_runs_backwards():
    """The cell at the left looks to the right then; along the channels nothing moves."""
    for axis, stride, centre in ((2, (1, -1), (1, 10)), (1, (-1, 1), (10, 1)), (3, (1, 1), (1, 1))):
        x = keras.Input((12, 12, 3))
        info = classifier(x, keras.ops.flip(layers.Conv2D(4, 3)(x), axis)).layer("looked_at")
        assert info.receptive_field == (3, 3)
        assert info.stride == stride
        assert info.first_centre == centre
        assert info.mirrored == tuple(step < 0 for step in stride)


def test_after_a_mirror_windows_and_padding_go_on_backwards():
    x = keras.Input((12, 12, 3))
    y = layers.Conv2D(4, 4, strides=2)(keras.ops.flip(x, 2))  # 5 cells, from pixel 11 backwards
    info = classifier(x, layers.Conv2D(4, 3, padding="same")(y)).layer("looked_at")
    assert info.stride == (2, -2)
    assert info.first_centre == (1.5, 9.5)
    assert info.receptive_field == (8, 8)


def test_a_rolled_grid_has_moved_and_its_field_is_known_once_it_is_rolled_back():
    x = keras.Input((12, 12, 3))
    once = keras.ops.roll(layers.Conv2D(4, 3)(x), 2, 2)
    info = classifier(x, once).layer("looked_at")
    assert info.first_centre == (1, -1)
    assert info.receptive_field is None, "the cells that came in on the other side look elsewhere"
    back = classifier(x, keras.ops.roll(layers.ReLU()(once), -2, 2)).layer("looked_at")
    assert back.first_centre == (1, 1)
    assert back.receptive_field == (3, 3)


def test_a_dense_layer_on_the_grid_is_a_1x1_convolution():
    x = keras.Input((12, 12, 3))
    y = layers.Dense(4)(layers.Conv2D(4, 3, strides=2, name="before")(x))
    network = classifier(x, y)
    for name in ("before", "looked_at"):
        assert network.layer(name).grid == (5, 5)
        assert network.layer(name).receptive_field == (3, 3)
        assert not network.layer(name).whole_picture


# ---- by impulse: exactly the cells whose field holds the pixel change


def changed(model: Any, side: int, pixel: tuple[int, int]) -> np.ndarray:
    """Which cells of the last map notice a change of one pixel (positive weights, so nothing cancels)."""
    base = np.ones((1, side, side, 3), np.float32)
    bumped = base.copy()
    bumped[0, pixel[0], pixel[1]] += 1000  # so much that no maximum passes over it
    inner = keras.Model(model.input, model.get_layer("looked_at").output)
    return np.abs(np.asarray(inner(bumped)) - np.asarray(inner(base))).max(axis=(0, 3)) > 1e-9


def positive(model: Any) -> Any:
    r = np.random.default_rng(3)
    for layer in model.layers:
        layer.set_weights([r.uniform(0.5, 1, weight.shape) for weight in layer.get_weights()])
    return model


def holds(info: Any, pixel: tuple[int, int]) -> np.ndarray:
    """Which cells' fields overlap the pixel."""
    sides = []
    for axis in (0, 1):
        centres = info.first_centre[axis] + info.stride[axis] * np.arange(info.grid[axis])
        sides.append(np.abs(centres - pixel[axis]) < (info.receptive_field[axis] + 1) / 2 - 1e-9)
    return sides[0][:, None] & sides[1]


_GAPS = {"dilation 2 valid", "dilation 3 same", "depthwise, dilated", "depthwise, dilated, same"}
_RESIZED = {name for name in BY_HAND if "upsampling" in name or "transposed" in name}
_UNPROVEN = {"batch norm and relu change nothing", "global response in between"}
# MaxPooling passes on the largest only; its impulse is larger than all around it, so it is always noticed.
EXACT = [name for name in BY_HAND if name not in _GAPS | _RESIZED | _UNPROVEN]


@pytest.mark.parametrize("name", EXACT)
def test_an_impulse_is_noticed_exactly_where_the_field_says(name):
    side, build, _ = BY_HAND[name]
    model = positive(chain(side, build()))
    info = camcore.wrap(model).layer("looked_at")
    for pixel in [(0, 0), (side - 1, side - 1), (side // 2, 1), (3, side - 2), (4, 4)]:
        np.testing.assert_array_equal(changed(model, side, pixel), holds(info, pixel), err_msg=str(pixel))


@pytest.mark.parametrize("name", sorted(_GAPS | _RESIZED))
def test_an_impulse_is_noticed_nowhere_outside_the_field(name):
    side, build, _ = BY_HAND[name]
    model = positive(chain(side, build()))
    info = camcore.wrap(model).layer("looked_at")
    for pixel in np.ndindex(side, side):
        noticed = changed(model, side, pixel)
        assert noticed.any() or "dilat" in name
        assert not (noticed & ~holds(info, pixel)).any(), pixel


@pytest.mark.parametrize(
    "enlarging",
    [
        lambda: layers.UpSampling2D(2),
        lambda: layers.UpSampling2D(4),
        lambda: layers.UpSampling2D(2, interpolation="bilinear"),
        lambda: layers.UpSampling2D(4, interpolation="bilinear"),
        lambda: layers.UpSampling2D(2, interpolation="bicubic"),
        lambda: layers.Conv2DTranspose(2, 2, strides=2),
        lambda: layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
        lambda: layers.Conv2DTranspose(2, 4, strides=4),
        lambda: layers.Conv2DTranspose(2, 5, strides=3, padding="same"),
    ],
    ids=[
        "nearest 2", "nearest 4", "bilinear 2", "bilinear 4", "bicubic 2",
        "transposed 2/2", "transposed 3/2", "transposed 4/4", "transposed 5/3",
    ],
)  # fmt: skip
def test_what_is_enlarged_sees_no_less_than_its_cells_did(enlarging):
    """The copies of one cell lie at different places and see the same pixels: the field must hold them all."""
    model = positive(chain(24, [layers.Conv2D(2, 4, strides=4), enlarging()]))
    info = camcore.wrap(model).layer("looked_at")
    for pixel in [(0, 0), (3, 3), (4, 7), (8, 11), (12, 12), (15, 16), (23, 20)]:
        outside = changed(model, 24, pixel) & ~holds(info, pixel)
        assert not outside.any(), f"pixel {pixel} changes cells {np.argwhere(outside).tolist()}"


DEEP = {
    "stem of ResNet": lambda: [
        layers.ZeroPadding2D(3),
        layers.Conv2D(2, 7, strides=2),
        layers.ZeroPadding2D(1),
        layers.MaxPooling2D(3, 2),
        layers.Conv2D(2, 3, padding="same"),
    ],
    "MobileNet's": lambda: [
        layers.Conv2D(2, 3, strides=2, padding="same"),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.ZeroPadding2D(((0, 1), (0, 1))),
        layers.DepthwiseConv2D(3, strides=2),
        layers.Conv2D(2, 1),
    ],
    "same at odd sides": lambda: [
        layers.Conv2D(2, 3, strides=2, padding="same"),
        layers.AveragePooling2D(3, 2, "same"),
        layers.Conv2D(2, 2, padding="same"),
    ],
}


@pytest.mark.parametrize("side", [17, 18, 20, 21])
@pytest.mark.parametrize("name", DEEP)
def test_impulses_through_deep_chains(name, side):
    model = positive(chain(side, DEEP[name]()))
    info = camcore.wrap(model).layer("looked_at")
    for pixel in [(0, 0), (side - 1, side - 1), (side // 2, 3), (5, side - 4), (8, 9)]:
        np.testing.assert_array_equal(changed(model, side, pixel), holds(info, pixel), err_msg=str(pixel))


# ---- the pixel that the mapping names is the one that a cell answers to most


def bell(size: int) -> np.ndarray:
    """Weights that fall steeply from the middle, 1, 8, 1 and the like, so that a cut-off border weighs less."""
    side = 8.0 ** np.minimum(np.arange(size), np.arange(size)[::-1])
    return np.outer(side, side)


def belled(model: Any) -> Any:
    """Every kernel a bell, so that a chain of them answers most to the middle of its field."""
    for layer in model.layers:
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if len(shape) == 4:
                weight.assign(np.broadcast_to(bell(shape[0])[:, :, None, None], shape))
    return model


CENTRED = {
    "same": lambda padding: [layers.Conv2D(2, 5, padding=padding), layers.Conv2D(2, 3, padding=padding)],
    "strided": lambda padding: [layers.Conv2D(2, 3, 2, padding), layers.Conv2D(2, 3, 2, padding)],
    "dilated": lambda padding: [layers.Conv2D(2, 3, padding=padding), layers.Conv2D(2, 3, 1, padding, dilation_rate=2)],
    "stride 3": lambda padding: [layers.Conv2D(2, 5, 3, padding), layers.DepthwiseConv2D(3, padding=padding)],
}


@pytest.mark.parametrize("side", [24, 25, 27])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("name", CENTRED)
def test_an_impulse_at_a_cells_centre_excites_that_cell_most(name, padding, side):
    model = belled(chain(side, CENTRED[name](padding)))
    info = camcore.wrap(model).layer("looked_at")
    inner = keras.Model(model.input, model.get_layer("looked_at").output)
    centres = [info.first_centre[0] + info.stride[0] * i for i in range(info.grid[0])]
    inside = [(i, int(c)) for i, c in enumerate(centres) if 0 <= c < side]
    assert len(inside) >= info.grid[0] - 2
    assert all(c == int(c) for c in centres), "odd windows have a pixel in their middle"
    pictures = np.zeros((len(inside), side, side, 3), np.float32)
    for n, (_, pixel) in enumerate(inside):
        pictures[n, pixel, inside[0][1]] = 1
    answers = np.asarray(inner(pictures))[..., 0]
    for (cell, _), answer in zip(inside, answers, strict=True):
        assert np.unravel_index(answer.argmax(), answer.shape) == (cell, inside[0][0])
        assert (answer == answer.max()).sum() == 1, "no other cell comes near"
