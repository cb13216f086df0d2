"""Networks that turn or mirror their picture: the evidence lies on the left, and so must every map."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from cheap import GENERAL
from keras import layers, ops

import camcore
from camcore.features.cells import look_at_cells

SIDE = 24
TURNS: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda x: x,
    "mirrored": lambda x: ops.flip(x, 2),
    "upside down": lambda x: ops.flip(x, 1),
    "half turn": lambda x: ops.flip(x, (1, 2)),
    "transposed": layers.Permute((2, 1, 3)),
    "quarter turn": lambda x: ops.rot90(x, 1, axes=(1, 2)),
}
# In the picture: a red square here is all that class 0 asks for.
ROW, COLUMN = 6, 4


@functools.cache
def network(turn: str) -> camcore.Network:
    """Class 0 is the mean redness, seen through a strided convolution behind the turn."""
    x = keras.Input((SIDE, SIDE, 3))
    y = layers.Conv2D(2, 2, strides=2, name="seen", activation="relu")(TURNS[turn](x))
    y = layers.GlobalAveragePooling2D()(y)
    model = keras.Model(x, layers.Dense(2)(y))
    kernel = np.zeros((2, 2, 3, 2), np.float32)
    kernel[:, :, 0, 0], kernel[:, :, 1, 1] = 1, 1
    model.get_layer("seen").set_weights([kernel, np.zeros(2, np.float32)])
    model.layers[-1].set_weights([200 * np.eye(2, dtype=np.float32), np.zeros(2, np.float32)])
    return camcore.wrap(model, preprocess=lambda rgb: rgb / 255)


@functools.cache
def picture() -> camcore.Picture:
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    rgb[ROW - 2 : ROW + 2, COLUMN - 2 : COLUMN + 2, 0] = 255
    rgb[14:22, 14:22, 1] = 120  # for the other class
    return camcore.Picture.from_array(rgb)


def middle(drawn: np.ndarray) -> tuple[float, float]:
    weight = np.maximum(np.nan_to_num(drawn), 0) ** 2
    return tuple(float((weight * at).sum() / weight.sum()) for at in np.mgrid[:SIDE, :SIDE])


OPTIONS: dict[str, dict[str, Any]] = {"sscam": {"n": 2}, "iscam": {"n": 2}, "occlusion": {"size": 4}, "rise": {"n": 40}}
METHODS = [key for key in GENERAL if camcore.METHODS[key].input.reads_network]


@functools.cache
def drawn(method: str, turn: str) -> np.ndarray:
    options = {method: OPTIONS[method]} if method in OPTIONS else None
    (found,) = camcore.explain(network(turn), picture(), method, classes=0, framing="stretch", options=options)
    return found.on_picture()


@pytest.mark.parametrize("turn", list(TURNS)[1:])
@pytest.mark.parametrize("method", METHODS)
def test_every_map_lies_where_it_does_without_the_turn(method, turn):
    plain = drawn(method, "as it is")
    assert plain.max() > 0
    if method not in ("eigencam", "kpcacam", "fem", "rise", "reciprocam"):  # of no class, or too coarse
        row, column = middle(plain)
        assert abs(row - (ROW - 0.5)) < 2.5
        assert abs(column - (COLUMN - 0.5)) < 2.5
    np.testing.assert_allclose(drawn(method, turn), plain, atol=1e-4)


@pytest.mark.parametrize("turn", TURNS)
def test_masks_of_score_cam_let_through_what_the_channel_saw(turn):
    """The red channel's mask shows the red square: the score of class 0 is what it is on the whole picture."""
    net = network(turn)
    x, _ = net.prepare(picture(), "stretch")
    whole = float(net.logits(x)[0, 0])
    A = net.tap(x, ["seen"]).activations["seen"][0]
    red, green = (net.layer("seen").upright(A[..., channel]) for channel in (0, 1))
    seen = net.masked_logits(x, np.stack([red, green]).astype(np.float32))
    assert seen[0, 0] > 0.6 * whole
    assert seen[1, 0] < 0.05 * whole


@pytest.mark.parametrize("turn", TURNS)
def test_values_for_drawing_lie_as_the_picture_does_and_raw_as_the_layer(turn):
    net = network(turn)
    x, _ = net.prepare(picture(), "stretch")
    cam = camcore.GradCAM(net)
    values, raw = cam.compute_heatmap(x, 0), cam.compute_heatmap(x, 0, raw=True)
    at = np.unravel_index(values.argmax(), values.shape)
    assert abs(at[0] - ROW / 2) <= 1
    assert abs(at[1] - COLUMN / 2) <= 1
    np.testing.assert_allclose(net.layer("seen").upright(raw) / raw.max(), values, rtol=1e-6)


@pytest.mark.parametrize("turn", TURNS)
def test_the_cell_under_the_pointer_is_the_one_that_saw_it(turn):
    cells = look_at_cells(network(turn), picture(), class_index=0, framing="stretch")
    place = cells.of((ROW - 0.5, COLUMN - 0.5))
    assert cells.A[place][0] == cells.A[..., 0].max()
    top, left, bottom, right = cells.area(*place)
    assert top <= ROW <= bottom
    assert left <= COLUMN <= right
    for row, column in np.ndindex(cells.A.shape[:2]):
        top, left, bottom, right = cells.area(row, column)
        assert bottom > top
        assert right > left


@pytest.mark.parametrize("turn", TURNS)
def test_fullgrad_adds_up(turn):
    (found,) = camcore.explain(network(turn), picture(), "fullgrad", classes=0, framing="stretch")
    assert abs(found.residual) < 1e-5 * abs(found.logit)
