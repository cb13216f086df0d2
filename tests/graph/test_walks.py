"""Walks over small graphs, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from camcore.graph.walks import (
    ancestors,
    dependents,
    layer_inputs,
    multiplications,
    saturation_values,
    shares_behind,
    total_multiplications,
)


@pytest.fixture
def diamond() -> dict[str, Any]:
    """a → b → d → e, a → c → d, and a → f aside."""
    with tf.Graph().as_default():
        a = tf.compat.v1.placeholder(tf.float32, [2], "a")
        b, c, f = tf.exp(a, "b"), tf.sin(a, "c"), tf.cos(a, "f")
        d = tf.add(b, c, "d")
        e = tf.tanh(d, "e")
        return {"a": a, "b": b, "c": c, "d": d, "e": e, "f": f}


def names(*letters: str) -> set[str]:
    return {f"{letter}:0" for letter in letters}


def test_ancestors(diamond):
    assert set(ancestors([diamond["e"]])) == names(*"abcde")
    assert set(ancestors([diamond["b"], diamond["f"]])) == names(*"abf")
    assert ancestors([diamond["e"]])["b:0"] is diamond["b"]
    assert ancestors([]) == {}


def test_ancestors_not_past_where_to_stop(diamond):
    assert set(ancestors([diamond["e"]], {"d:0"})) == names(*"ed")
    assert set(ancestors([diamond["e"]], {"b:0"})) == names(*"abcde"), "a is reached by way of c"
    assert set(ancestors([diamond["e"]], {"b:0", "c:0"})) == names(*"bcde")
    assert set(ancestors([diamond["e"]], {"e:0"})) == names("e")


def test_dependents(diamond):
    assert dependents(diamond["a"]) == names(*"abcdef")
    assert dependents(diamond["c"]) == names(*"cde")
    assert dependents(diamond["e"]) == names("e")


def kernel(*sides: int) -> Any:
    return tf.constant(np.ones(sides), tf.float32)


def operation(make: Any, *shape: int) -> Any:
    with tf.Graph().as_default():
        return make(tf.compat.v1.placeholder(tf.float32, [None, *shape])).op


@pytest.mark.parametrize(
    ("make", "shape", "wanted"),
    [
        (lambda x: tf.nn.conv2d(x, kernel(3, 3, 4, 6), 1, "SAME"), (8, 5, 4), 8 * 5 * 6 * 3 * 3 * 4),
        (lambda x: tf.nn.conv2d(x, kernel(3, 3, 4, 6), 2, "VALID"), (9, 5, 4), 4 * 2 * 6 * 3 * 3 * 4),
        (lambda x: tf.nn.conv2d(x, kernel(3, 3, 2, 6), 1, "SAME"), (8, 5, 4), 8 * 5 * 6 * 3 * 3 * 2),
        (
            lambda x: tf.compat.v1.nn.depthwise_conv2d_native(x, kernel(3, 2, 4, 2), [1, 1, 1, 1], "SAME"),
            (8, 5, 4),
            8 * 5 * 8 * 3 * 2,
        ),
        (
            lambda x: tf.nn.conv2d_transpose(x, kernel(2, 2, 6, 4), [1, 16, 10, 6], 2),
            (8, 5, 4),
            8 * 5 * 4 * 2 * 2 * 6,
        ),
        (lambda x: x @ kernel(7, 3), (7,), 7 * 3),
        (lambda x: tf.matmul(x, kernel(1, 7, 3)), (5, 7), 5 * 7 * 3),
        (tf.nn.relu, (8, 5, 4), 0),
        (lambda x: x * 2.0, (8, 5, 4), 0),
    ],
    ids=["same", "strided", "grouped", "depthwise", "transposed", "dense", "batched", "relu", "scaled"],
)
def test_multiplications_of_one_image(make, shape, wanted):
    assert multiplications(operation(make, *shape)) == wanted


def test_shares_behind_each_operation():
    """Two convolutions and a product: 4·4·(1·2), 4·4·(2·3) and 3·5 multiplications; one aside does not count."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 4, 4, 1], "x")
        one = tf.nn.conv2d(x, kernel(1, 1, 1, 2), 1, "SAME", name="one")
        tf.nn.conv2d(one, kernel(3, 3, 2, 9), 1, "SAME", name="aside")
        two = tf.nn.conv2d(tf.nn.relu(one, "relu"), kernel(1, 1, 2, 3), 1, "SAME", name="two")
        logits = tf.matmul(tf.reduce_mean(two, [1, 2]), kernel(3, 5), name="end")
        shares = shares_behind(logits)
    total = 32 + 96 + 15
    assert total_multiplications(logits) == total
    assert shares["x"] == 1
    assert shares["one"] == shares["relu"] == pytest.approx(1 - 32 / total)
    assert shares["two"] == pytest.approx(15 / total)
    assert shares["end"] == pytest.approx(0)


def test_shares_of_a_graph_without_multiplications():
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], "x")
        assert set(shares_behind(tf.nn.relu(x)).values()) == {1.0}


def test_a_layers_inputs_are_the_nearest_layers_before_it(diamond):
    tensors = {name: diamond[name] for name in "abde"}
    # c is no layer: through it d takes a. Of two layers with one tensor the later stands for it.
    assert layer_inputs(tensors) == {"a": (), "b": ("a",), "d": ("b", "a"), "e": ("d",)}
    twice = {"a": diamond["a"], "b": diamond["b"], "idle": diamond["b"], "d": diamond["d"]}
    assert layer_inputs(twice) == {"a": (), "b": ("a",), "idle": ("b",), "d": ("idle", "a")}
    assert layer_inputs({}) == {}


def test_a_size_that_is_read_is_no_input():
    with tf.Graph().as_default():
        a = tf.compat.v1.placeholder(tf.float32, [None, 2], "a")
        b = tf.compat.v1.placeholder(tf.float32, [None, 2], "b")
        c = tf.reshape(b, [tf.shape(a)[0], 2, 1], "c")
        assert layer_inputs({"a": a, "b": b, "c": c}) == {"a": (), "b": (), "c": ("b",)}


ENDS = {
    "relu6": (lambda x: tf.nn.relu6(x), (6.0,)),
    "sigmoid": (lambda x: tf.nn.sigmoid(x), (0.0, 1.0)),
    "tanh": (lambda x: tf.identity(tf.nn.tanh(x)), (-1.0, 1.0)),
    "clipped": (lambda x: tf.clip_by_value(x, -2.0, 3.0), (-2.0, 3.0)),
    "halved": (lambda x: tf.nn.tanh(x) * 0.5, (-0.5, 0.5)),
    "relu": (lambda x: tf.nn.relu(x), ()),
    "relu by hand": (lambda x: tf.maximum(x, 0.0), ()),
    "larger of two": (lambda x: tf.maximum(x, 2 * x), ()),
    "linear": (lambda x: 2 * x, ()),
}


@pytest.mark.parametrize("name", ENDS)
def test_where_a_function_ends(name: str) -> None:
    function, wanted = ENDS[name]
    with tf.Graph().as_default():
        assert saturation_values(function(tf.compat.v1.placeholder(tf.float32, [None, 4]))) == wanted
