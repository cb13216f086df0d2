"""Grids found by trial: right where something regular comes out, refused where nothing does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from camcore.graph.probing import Prober
from camcore.graph.reach import LOST, Axis, Reach

SIDES = (16, 24)


def settled(step: Callable[[Any], Any]) -> Reach | None:
    """What trying out says of ``step``, a function of a map (n, 16, 24, 3) of stride 2 that begins at pixel 1."""
    made: list[Any] = []

    def forward(x: Any) -> Any:
        made.append(step(x))
        return made[0]

    function = tf.compat.v1.wrap_function(forward, [tf.TensorSpec([None, *SIDES, 3])])
    source = function.inputs[0]
    axes = (Axis(2.0, 3.0, 1.0), Axis(2.0, 3.0, 1.0))
    return Prober(function, source, {source.name: Reach(axes, SIDES, (1, 2)), made[0].name: LOST}).settle(made[0])


def axis(stride: float, size: float, centre: float) -> Axis:
    return Axis(stride, size, centre)


FOUND: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], Axis, Axis]] = {
    "nothing moved": (lambda x: tf.sort(x), (1, 2), axis(2, 3, 1), axis(2, 3, 1)),
    "columns mirrored": (lambda x: tf.reverse(x, [2]), (1, 2), axis(2, 3, 1), axis(-2, 3, 47)),
    "transposed": (lambda x: tf.transpose(x, (0, 2, 1, 3)), (2, 1), axis(2, 3, 1), axis(2, 3, 1)),
    "channels first": (lambda x: tf.transpose(x, (0, 3, 1, 2)), (2, 3), axis(2, 3, 1), axis(2, 3, 1)),
    "quarter turn": (lambda x: tf.reverse(tf.transpose(x, (0, 2, 1, 3)), [1]), (2, 1), axis(2, 3, 1), axis(-2, 3, 47)),
    "cropped": (lambda x: x[:, 3:13, 5:21], (1, 2), axis(2, 3, 7), axis(2, 3, 11)),
    "padded": (lambda x: tf.pad(x, [[0, 0], [2, 1], [4, 0], [0, 0]]), (1, 2), axis(2, 3, -3), axis(2, 3, -7)),
    "every second": (lambda x: x[:, ::2, ::2], (1, 2), axis(4, 3, 1), axis(4, 3, 1)),
    "averaged by 2": (lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID"), (1, 2), axis(4, 5, 2), axis(4, 5, 2)),
    "maximum of 3": (lambda x: tf.nn.max_pool2d(x, 3, 1, "SAME"), (1, 2), axis(2, 7, 1), axis(2, 7, 1)),
    "every cell four times": (
        lambda x: tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2), (1, 2), axis(1, 4, 0.5), axis(1, 4, 0.5),
    ),
    "whole numbers": (lambda x: tf.cast(tf.cast(255 * x, tf.uint8), tf.float32), (1, 2), axis(2, 3, 1), axis(2, 3, 1)),
    "saturated": (lambda x: tf.minimum(x, 0.4), (1, 2), axis(2, 3, 1), axis(2, 3, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_what_is_regular_is_found(name):
    step, dims, rows, columns = FOUND[name]
    reach = settled(step)
    assert reach is not None
    assert reach.dims == dims
    assert reach.known
    assert not reach.whole_picture
    for got, want in zip(reach.axes, (rows, columns), strict=True):
        assert (got.stride, got.centre, got.size) == pytest.approx((want.stride, want.centre, want.size))


def test_a_gate_leaves_the_places_and_takes_the_field():
    reach = settled(lambda x: x * tf.sigmoid(tf.reduce_mean(x, (1, 2, 3), keepdims=True)))
    assert [one.stride for one in reach.axes] == [2, 2]
    assert reach.whole_picture
    assert not reach.known


_SHUFFLED = np.random.default_rng(1).permutation(SIDES[1])
IRREGULAR: dict[str, Callable[[Any], Any]] = {
    "shuffled columns": lambda x: tf.gather(x, _SHUFFLED, axis=2),
    "sorted along the rows": lambda x: tf.sort(x, axis=1),
    "all places mixed": lambda x: x * 0 + tf.reduce_mean(x, (1, 2), keepdims=True),
    "tiled": lambda x: tf.tile(x, (1, 2, 2, 1)),
    "with its mirror image": lambda x: x + tf.reverse(x, [2]),
    "spectrum": lambda x: tf.abs(tf.signal.fft2d(tf.cast(tf.transpose(x, (0, 3, 1, 2)), tf.complex64))),
    "constant": lambda x: x * 0,
    "batch folded": lambda x: tf.reshape(x, (-1, 8, 24, 3)),
    "not a number": lambda x: tf.math.log(-tf.abs(x) - 10),
}


@pytest.mark.parametrize("name", IRREGULAR)
def test_what_is_not_regular_is_not_known(name):
    assert settled(IRREGULAR[name]) is None
