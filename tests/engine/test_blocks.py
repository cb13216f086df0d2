"""A sweep: however a block is written, the right layer is recommended, and its map is the tape's, at its place."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from blocks import FRONT, HEIGHT, MIDDLE, MOVED, WIDTH, network, pictures

import camcore
from camcore.framing import frame_for

CASES = [("front", name) for name in FRONT] + [("moved", name) for name in MOVED] + [("middle", n) for n in MIDDLE]


@functools.cache
def built(place: str, name: str) -> tuple[Any, camcore.Network]:
    if place == "middle":
        model = network(middle=MIDDLE[name])
    else:
        model = network(front=(FRONT if place == "front" else MOVED)[name])
    return model, camcore.wrap(model)


def by_tape(model: Any, x: np.ndarray, index: int) -> np.ndarray:
    """Grad-CAM at ``last``, written out."""
    inner = keras.Model(model.input, model.get_layer("last").output)
    dense = model.get_layer("scores")
    A = tf.convert_to_tensor(inner(x, training=False))
    with tf.GradientTape() as tape:
        tape.watch(A)
        score = (tf.reshape(A, (1, -1)) @ dense.kernel + dense.bias)[:, index]
    G = tape.gradient(score, A)
    return np.maximum(np.einsum("hwc,c->hw", A[0].numpy(), G[0].numpy().mean((0, 1))), 0)


@pytest.mark.parametrize(("place", "name"), CASES)
def test_the_last_map_is_recommended_and_its_map_is_the_tapes(place, name):
    model, net = built(place, name)
    assert net.default_layer == "last"
    x = pictures()
    index = max(range(4), key=lambda c: by_tape(model, x, c).max())  # a class that has a map
    want = by_tape(model, x, index)
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
        share = np.maximum(drawn - np.median(drawn), 0) ** 2 * np.outer(*seen)
        found = [float((share * at).sum() / share.sum()) for at in np.mgrid[:HEIGHT, :WIDTH]]
        off = np.hypot(found[0] - row, found[1] - column)
        assert off < max(2.5, *map(abs, cells.stride)), f"changed at {(row, column)}, drawn at {found}"


def covered(first: float, stride: float, count: int, side: int) -> np.ndarray:
    """Which of ``side`` pixels the cells cover; beyond them the border's value goes on."""
    return np.abs(np.arange(side) - first - stride * (count - 1) / 2) <= abs(stride) * count / 2
