"""Biases in a graph: every constant that is added to what comes from the picture, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from camcore.graph.biases import find_biases
from camcore.graph.receptive_field import reaches

C = np.array([0.5, -1.0, 2.0])
KERNEL = np.random.default_rng(0).normal(0, 1, (1, 1, 3, 3))


def found(
    function: Callable[[Any], Any], shape: tuple[int, ...] = (4, 4, 3), dtype: Any = tf.float64, first: bool = False
) -> list[tuple[np.ndarray, bool, str]]:
    """(what is added, whether it has a grid, the name of the sum's operation) of every bias of ``function``."""
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(dtype, [None, *shape], "x")
        y = function(x)
        biases = find_biases(y, reaches(SimpleNamespace(graph=graph), x, first))
        with tf.compat.v1.Session(graph=graph) as session:
            given = {x: np.zeros((1, *shape))}
            return [(session.run(bias.added, given), bias.spatial, bias.total.op.type) for bias in biases]


def scores(y: Any) -> Any:
    return tf.reduce_mean(y, [1, 2])


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda x: scores(x + C), C),
        (lambda x: scores(tf.constant(C) + x), C),
        (lambda x: scores(x - C), -C),
        (lambda x: scores(tf.constant(C) - x), C),
        (lambda x: scores(tf.nn.bias_add(x, tf.constant(C))), C),
        (lambda x: scores(tf.nn.conv2d(x, KERNEL, 1, "SAME") + tf.constant(2.0, tf.float64) * C), 2 * C),
    ],
    ids=["x + c", "c + x", "x − c", "c − x", "bias_add", "computed"],
)
def test_one_bias(function, wanted):
    ((added, spatial, _),) = found(function)
    np.testing.assert_allclose(np.ravel(added), wanted, rtol=1e-12)
    assert spatial


@pytest.mark.parametrize(
    "function",
    [
        lambda x: scores(x * C),
        lambda x: scores(x + 2.0 * x),
        lambda x: scores(tf.nn.relu(x) - x),
        lambda x: scores(x) / 3.0,
        lambda x: scores(x * (tf.constant(C) + 1.0)),
        lambda x: scores(tf.reshape(x, [tf.shape(x)[0] + 0, 4, 4, 3])),
    ],
    ids=["scaled", "with itself", "difference of branches", "divided", "of constants only", "of shapes"],
)
def test_no_bias(function):
    assert found(function) == []


def test_with_a_grid_and_without_in_the_order_of_the_computation():
    def network(x: Any) -> Any:
        y = tf.nn.relu(tf.nn.conv2d(x - 7.0, KERNEL, 1, "SAME") + C)
        pooled = tf.reduce_mean(y, [1, 2], keepdims=True) + 11.0  # 1×1: a grid of one cell is none
        return tf.squeeze(pooled, [1, 2]) + tf.constant(-C)

    biases = found(network)
    assert [spatial for _, spatial, _ in biases] == [True, True, False, False]
    for (added, _, _), wanted in zip(biases, (-7.0, C, 11.0, -C), strict=True):
        np.testing.assert_allclose(np.ravel(added), np.ravel(wanted))


def test_only_what_leads_to_the_logits():
    def network(x: Any) -> Any:
        tf.reduce_sum(x + 5.0)  # another output
        return scores(x + C)

    ((added, _, _),) = found(network)
    np.testing.assert_allclose(added, C)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("epsilon", [1e-3, 0.5])
def test_a_fused_normalisation_has_an_implicit_bias(layout, epsilon):
    """β − γμ/√(σ²+ε), along the channels' axis."""
    first = layout == "NCHW"
    gamma, beta, mean, variance = np.random.default_rng(1).uniform(0.5, 2, (4, 3)).astype(np.float32)

    def network(x: Any) -> Any:
        y, *_ = tf.compat.v1.nn.fused_batch_norm(
            x, gamma, beta, mean, variance, epsilon=epsilon, data_format=layout, is_training=False
        )
        return tf.reduce_mean(y, [2, 3] if first else [1, 2])

    ((added, spatial, kind),) = found(network, (3, 4, 4) if first else (4, 4, 3), tf.float32, first)
    assert kind == "FusedBatchNormV3"
    assert spatial
    assert np.shape(added) == ((1, 3, 1, 1) if first else (3,))
    np.testing.assert_allclose(np.ravel(added), beta - gamma * mean / np.sqrt(variance + epsilon), rtol=1e-5)


def test_channels_first_bias_add_lies_along_the_channels():
    ((added, spatial, _),) = found(
        lambda x: tf.reduce_mean(tf.nn.bias_add(x, tf.constant(C), data_format="NC.."), [2, 3]), (3, 4, 4), first=True
    )
    assert np.shape(added) == (1, 3, 1, 1)
    np.testing.assert_allclose(np.ravel(added), C)
    assert spatial


def test_a_bias_is_found_at_each_call():
    """One vector added twice is two biases, as in a shared layer."""
    vector = tf.constant(C)

    def network(x: Any) -> Any:
        shared = tf.constant(vector.numpy())
        return scores(tf.nn.relu(tf.nn.relu(x + shared) + shared))

    biases = found(network)
    assert len(biases) == 2
    for added, _, _ in biases:
        np.testing.assert_allclose(added, C)
