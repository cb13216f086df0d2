"""A sweep: however a block is written, the right layer is recommended, and its map is the tape's, at its place."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from blocks import FRONT, HEIGHT, MIDDLE, MOVED, WIDTH, conv, network, pictures
from keras import layers, ops

import camcore
from camcore.framing import CellGrid, frame_for

CASES = [("front", name) for name in FRONT] + [("moved", name) for name in MOVED] + [("middle", n) for n in MIDDLE]


@functools.cache
def built(place: str, name: str) -> tuple[Any, camcore.Network]:
    if place == "middle":
        model = network(middle=MIDDLE[name])
    else:
        model = network(front=(FRONT if place == "front" else MOVED)[name])
    return model, camcore.wrap(model)


def by_tape(model: Any, x: np.ndarray) -> list[np.ndarray]:
    """Grad-CAM at ``last`` for each class, written out."""
    inner = keras.Model(model.input, model.get_layer("last").output)
    dense = model.get_layer("scores")
    A = tf.convert_to_tensor(inner(x, training=False))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(A)
        scores = tf.unstack(tf.reshape(A, (1, -1)) @ dense.kernel + dense.bias, axis=1)
    slopes = [tape.gradient(score, A)[0].numpy() for score in scores]
    return [np.maximum(np.einsum("hwc,c->hw", A[0].numpy(), G.mean((0, 1))), 0) for G in slopes]


@pytest.mark.parametrize(("place", "name"), CASES)
def test_the_last_map_is_recommended_and_its_map_is_the_tapes(place, name):
    model, net = built(place, name)
    assert net.default_layer == "last"
    x = pictures()
    maps = by_tape(model, x)
    index = max(range(4), key=lambda c: maps[c].max())  # a class that has a map
    want = maps[index]
    assert want.max() > 0
    turned = net.layer("last").grid != want.shape  # maps have the picture's rows and columns
    for layer in (None, "last"):
        got = camcore.GradCAM(net, layer).compute_heatmap(x, index, raw=True)
        np.testing.assert_allclose(got, want.T if turned else want, atol=1e-3 * want.max())


# What mixes all places, so that no single cell answers for one.
_MIXED = {"attention alone", "standardized", "contrast"}


@pytest.mark.parametrize(("place", "name"), [case for case in CASES if case[1] not in _MIXED])
def test_what_changes_is_drawn_where_it_changed(place, name):
    """A spot of the picture is altered: the map of what that changes at ``last`` peaks there, drawn on the picture."""
    model, net = built(place, name)
    inner = keras.Model(model.input, model.get_layer("last").output)
    info = net.layer("last")
    frame = frame_for((HEIGHT, WIDTH), (HEIGHT, WIDTH), "stretch")
    spots = [(5, 7), (5, 15), (10, 8), (10, 16)] if name != "left half" else [(4, 4), (11, 7)]
    x = pictures()
    before = np.asarray(inner(x, training=False))
    cells = info.cells((HEIGHT, WIDTH))
    seen = [
        covered(cells.first_centre[i], cells.stride[i], info.grid[i], side) for i, side in enumerate((HEIGHT, WIDTH))
    ]
    for row, column in spots:
        spot = (0, slice(row - 1, row + 2), slice(column - 1, column + 2))
        changed = x.copy()
        changed[spot] = 1 - np.round(x[spot])
        change = ((np.asarray(inner(changed, training=False)) - before)[0] ** 2).sum(-1)
        drawn = frame.to_picture(change.T if info.grid != change.shape else change, cells)
        share = np.nan_to_num(np.maximum(drawn - np.nanmedian(drawn), 0)) ** 2 * np.outer(*seen)  # NaN: cropped away
        found = [float((share * at).sum() / share.sum()) for at in np.mgrid[:HEIGHT, :WIDTH]]
        off = np.hypot(found[0] - row, found[1] - column)
        assert off < max(2.5, *map(abs, cells.stride)), f"changed at {(row, column)}, drawn at {found}"


def covered(first: float, stride: float, count: int, side: int) -> np.ndarray:
    """Which of ``side`` pixels the cells cover; beyond them the border's value goes on."""
    return np.abs(np.arange(side) - first - stride * (count - 1) / 2) <= abs(stride) * count / 2


# ---- what has no geometry that could be found

_COLUMNS = np.random.default_rng(0).permutation(WIDTH)


def bottleneck(x: Any) -> Any:
    h, w, _ = x.shape[1:]
    return layers.Reshape((h, w, 2))(layers.Dense(h * w * 2)(layers.Flatten()(x)))


UNLOCATED = {
    "columns shuffled": lambda x: ops.take(x, _COLUMNS, axis=2),
    "columns sorted": lambda x: ops.sort(x, axis=2),
    "all through a dense layer": bottleneck,
}


@pytest.mark.parametrize("name", UNLOCATED)
def test_where_no_geometry_is_found_it_is_said_and_the_map_is_still_the_tapes(name):
    model = network(middle=UNLOCATED[name])
    net = camcore.wrap(model)
    info = net.layer("last")
    assert net.default_layer == "last"
    assert (info.located, info.stride, info.receptive_field) == (False, None, None)
    assert "geometry is not known" in info.reason
    assert info.cells((HEIGHT, WIDTH)) == CellGrid.uniform(info.grid, (HEIGHT, WIDTH))
    x = pictures()
    want = by_tape(model, x)[1]
    got = camcore.GradCAM(net).compute_heatmap(x, 1, raw=True)
    np.testing.assert_allclose(got, want, atol=1e-3 * max(want.max(), 1e-6))


def test_any_tensor_of_rank_four_can_be_named_and_the_reason_says_what_is_not_known():
    """Shuffled tokens (n, tokens, heads, channels) are no picture, and yet somebody may ask for them."""
    x = keras.Input((HEIGHT, WIDTH, 3))
    tokens = layers.Reshape((24, 8))(conv(8, 4, strides=4, name="patches")(x))
    tokens = ops.take(tokens, np.random.default_rng(0).permutation(24), axis=1)
    heads = layers.Reshape((24, 2, 4), name="heads")(tokens)
    y = layers.Dense(4)(layers.Flatten()(ops.reshape(ops.sum(heads, axis=3), (-1, 48))))
    net = camcore.wrap(keras.Model(x, y))
    assert net.default_layer == "patches"
    assert "what comes after it (shape 24 × 2" in net.layer("patches").reason
    assert net.layer("heads").usable
    assert "geometry is not known" in net.layer("heads").reason
    assert camcore.GradCAM(net, "heads").compute_heatmap(pictures(), 0, raw=True).shape == (24, 2)


def test_heads_of_tokens_have_the_tokens_grid():
    x = keras.Input((HEIGHT, WIDTH, 3))
    tokens = layers.Reshape((24, 8))(conv(8, 4, strides=4, name="patches")(x))
    heads = layers.Reshape((24, 2, 4), name="heads")(layers.Dense(8, activation="relu", name="dense")(tokens))
    net = camcore.wrap(keras.Model(x, layers.Dense(4)(layers.Flatten()(heads))))
    info = net.layer("heads")
    assert (info.grid, info.channels, info.tokens, info.stride) == ((4, 6), 8, True, (4, 4))
    A = net.tap(pictures(), ["heads", "dense"]).activations
    np.testing.assert_array_equal(A["heads"], A["dense"])
    assert camcore.GradCAM(net, "heads").compute_heatmap(pictures(), 0, raw=True).shape == (4, 6)


def test_windows_along_the_first_axis_are_refused_with_the_reason():
    net = built("middle", "windows with attention")[1]
    info = next(info for info in net.layers if info.path.endswith("/query"))
    assert not info.usable
    assert "pieces of each picture" in info.reason


@pytest.mark.parametrize("name", ["quarter turn", "mirrored by gather"])
@pytest.mark.parametrize("method", ["gradcam", "fullgrad", "gradient"])
def test_gradients_pass_what_leaves_sides_open_or_gathers(name, method):
    """The pass through all layers, and down to the input."""
    net = built("moved", name)[1]
    pic = camcore.Picture.from_array((255 * pictures()[0]).astype(np.uint8))
    found = camcore.explain(net, pic, method, layers=["first", "last"], framing="stretch")
    assert all(np.abs(m.raw).max() > 0 for m in found)


def test_a_gather_over_pictures_leaves_plain_gradients():
    net = built("front", "vectorized_map over pictures")[1]
    pic = camcore.Picture.from_array((255 * pictures()[0]).astype(np.uint8))
    (found,) = camcore.explain(net, pic, "gradient", framing="stretch")
    assert found.raw.shape == (HEIGHT, WIDTH)
    assert found.raw.max() > 0


def test_sides_that_are_known_only_as_the_network_runs():
    """tf.image.rot90 leaves all sides open in the graph."""
    x = keras.Input((HEIGHT, WIDTH, 3))
    turned = layers.Lambda(lambda x: tf.image.rot90(x, 1), output_shape=(None, None, 3))(x)
    y = conv(4, name="last")(turned)
    net = camcore.wrap(keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(y))))
    info = net.layer("last")
    assert net.default_layer == "last"
    assert info.grid == (HEIGHT, WIDTH), "rows and columns of the picture"
    assert info.stride == (1, -1)
    assert info.first_centre == (0, WIDTH - 1)


@pytest.mark.parametrize("first", [True, False])
def test_a_layer_called_twice_of_which_the_picture_reaches_one_call(first):
    class Contrast(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.shared = conv(4, name="shared")
            self.scores = layers.Dense(3)

        def call(self, x: Any, training: bool | None = None) -> Any:
            grey = tf.fill([1, HEIGHT, WIDTH, 3], 0.5)
            own, other = (self.shared(x), self.shared(grey)) if first else (self.shared(grey), self.shared(x))[::-1]
            return self.scores(tf.reduce_mean(tf.nn.relu(own - other), [1, 2]))

    model = Contrast()
    model(pictures())
    net = camcore.wrap(model, input_size=(HEIGHT, WIDTH))
    info = net.layer("shared")
    assert info.path == ("shared#1" if first else "shared#2")
    assert info.usable
    unreached = net.layer("shared#2" if first else "shared#1")
    assert "the picture does not reach it" in unreached.reason
    x = pictures()
    A = tf.convert_to_tensor(model.shared(x))
    with tf.GradientTape() as tape:
        tape.watch(A)
        other = model.shared(tf.fill([1, HEIGHT, WIDTH, 3], 0.5))
        score = model.scores(tf.reduce_mean(tf.nn.relu(A - other), [1, 2]))[:, 1]
    G = tape.gradient(score, A)
    want = np.maximum(np.einsum("hwc,c->hw", A[0].numpy(), G[0].numpy().mean((0, 1))), 0)
    got = camcore.GradCAM(net, "shared").compute_heatmap(x, 1, raw=True)
    np.testing.assert_allclose(got, want, atol=1e-5 * max(want.max(), 1e-3))
