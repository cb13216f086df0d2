"""From raw maps to values and warnings: no NaN, ever, and the right words."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from cheap import CHEAP, GENERAL
from keras import layers
from networks import FEATURES, GRID, SIZE, W, conv1, conv2, flat, gap, given, picture_input, settle

import camcore
from camcore.heatmaps.cam_map import activation_state, as_float32, normalised, warning_for
from camcore.methods import METHODS

GRADIENT = [key for key, info in METHODS.items() if info.input.shares_backward]
AT_A_LAYER = [key for key, info in METHODS.items() if not info.layer_free and info.input.reads_network]
# Each method in its first variant, and those that have a second one in that.
ROUNDS = [
    {key: {} for key in GENERAL},
    {key: {"variant": METHODS[key].variants[1]} for key in GENERAL if METHODS[key].variants},
]
PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


# ---- values


def test_values_are_rectified_and_divided_by_the_maximum():
    raw = np.float32([[-3, 0, 1], [2, 4, -1]])
    found = normalised(raw)
    np.testing.assert_array_equal(found, np.float32([[0, 0, 0.25], [0.5, 1, 0]]))
    assert found.dtype == np.float32


def test_an_all_positive_map_keeps_its_floor():
    """Min–max would show its lowest value as no evidence."""
    np.testing.assert_allclose(normalised(np.float32([[6, 8], [9, 10]])), [[0.6, 0.8], [0.9, 1]])


@pytest.mark.parametrize("raw", [np.zeros((3, 2)), -np.ones((3, 2)), np.full((3, 2), -1e-30)])
def test_nothing_positive_gives_zeros(raw):
    found = normalised(raw.astype(np.float32))
    assert found.shape == (3, 2)
    assert (found == 0).all()


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-10, 1e30, 3e38])
def test_values_of_tiny_and_huge_maps(scale):
    raw = (np.array([[0, 0.25], [0.5, 1]]) * scale).astype(np.float32)
    found = normalised(raw)
    assert found.max() == 1
    np.testing.assert_allclose(found, [[0, 0.25], [0.5, 1]], atol=0.1 if scale < 1e-40 else 1e-6)


def test_what_is_not_finite_becomes_zero_and_is_counted():
    clean, broken = as_float32(np.array([[np.nan, np.inf], [-np.inf, 2.5]]))
    np.testing.assert_array_equal(clean, np.float32([[0, 0], [0, 2.5]]))
    assert broken == 3
    assert clean.dtype == np.float32


def test_float64_beyond_float32_is_clipped_not_infinite():
    clean, broken = as_float32(np.array([[1e300, -1e300], [1.0, 0.0]]))
    assert broken == 0
    assert np.isfinite(clean).all()
    assert clean[0, 0] == np.finfo(np.float32).max


def test_raw_is_not_changed():
    raw = np.array([[np.nan, -1.0], [2.0, 0.0]])
    before = raw.copy()
    as_float32(raw)
    normalised(raw[1:])
    np.testing.assert_array_equal(raw, before)


# ---- warnings, one rule at a time


def words(raw: Any, A: Any = None, G: Any = None, key: str = "gradcam", broken: int = 0) -> str | None:
    raw = np.asarray(raw, np.float32)
    A = np.random.default_rng(0).random((*raw.shape, 3)) if A is None else A
    info = METHODS[key]
    values = normalised(raw, info.min_max)
    return warning_for(info, raw, values, broken, activation_state(A), G is not None and not G.any())


def test_nothing_amiss():
    assert words([[0, 1], [0.2, 0.1]]) is None
    assert words([[0, 1], [0.2, -0.1]], key="hirescam") is None


def test_empty_because_of_dead_units():
    assert "every activation of this layer is zero" in words(np.zeros((2, 2)), A=np.zeros((2, 2, 3)))


def test_empty_because_the_gradient_vanished():
    found = words(np.zeros((2, 2)), G=np.zeros((2, 2, 3)))
    assert "gradient is zero everywhere" in found
    assert "Score-CAM" in found


def test_empty_because_all_speaks_against():
    found = words(-np.ones((2, 2)), key="hirescam")
    assert found
    assert "nothing at this layer speaks for this class" in found
    assert "zero or negative" in found


def test_empty_because_no_place_stands_out():
    assert "the same at every place" in words(np.zeros((2, 2)), A=np.full((2, 2, 3), 0.7))


def test_saturated():
    assert "Saturated" in words([[0.9, 1], [0.95, 0.3]])
    assert words([[0.9, 1], [0.7, 0.3]]) is None  # just half of it
    assert words([[5.0]]) is None  # one cell has nothing to tell apart


def test_mostly_against():
    assert "against the class" in words([[-3, 1], [-2, 0.5]], key="hirescam")
    assert words([[-1, 1], [-0.2, 0.5]], key="hirescam") is None


def test_overflow_is_told():
    assert "3 cells were not finite" in words([[0, 1], [0, 0.1]], broken=3)


def test_notes_are_joined():
    found = words(np.zeros((2, 2)), A=np.zeros((2, 2, 3)), broken=2)
    assert found.index("not finite") < found.index("every activation")


# ---- whole networks in every kind of trouble, every method


def network(last: Any, end: Any) -> camcore.Network:
    x = picture_input()
    return camcore.wrap(settle(keras.Model(x, end(gap()(last(conv1()(x)))))), preprocess=lambda x: x / 127.5 - 1)


def linear_end(weights: np.ndarray, bias: np.ndarray | None = None) -> Any:
    bias = np.zeros(weights.shape[1]) if bias is None else bias
    return given(layers.Dense(weights.shape[1], activation="softmax", dtype="float64"), weights, bias)


@functools.cache
def dead_layer() -> camcore.Network:
    """conv2 with a bias so low that no unit ever fires."""
    dead = given(
        layers.Conv2D(FEATURES, 3, padding="same", activation="relu", dtype="float64", name="features"),
        W.k2,
        np.full(FEATURES, -1e6),
    )
    return network(dead, linear_end(W.w))


@functools.cache
def vanished_gradient() -> camcore.Network:
    """A hidden unit behind the average that is dead: the score does not depend on the picture."""
    x = picture_input()
    hidden = given(layers.Dense(3, activation="relu", dtype="float64"), -np.abs(W.w[:, :3]), np.full(3, -1.0))
    end = given(layers.Dense(2, activation="softmax", dtype="float64"), np.ones((3, 2)), np.array([0.5, -0.5]))
    return camcore.wrap(settle(keras.Model(x, end(hidden(gap()(conv2()(conv1()(x))))))))


@functools.cache
def all_against() -> camcore.Network:
    """Every weight of class 0 is negative."""
    return network(conv2(), linear_end(np.stack([-np.abs(W.w[:, 0]), np.abs(W.w[:, 0])], axis=1)))


@functools.cache
def constant_activations() -> camcore.Network:
    """A last layer that does not look at the picture."""
    blind = given(
        layers.Conv2D(FEATURES, 1, activation="relu", dtype="float64", name="features"),
        np.zeros((1, 1, 4, FEATURES)),
        np.arange(1.0, FEATURES + 1),
    )
    return network(blind, linear_end(W.w))


TROUBLE = {
    "dead layer": (dead_layer, 1),
    "vanished gradient": (vanished_gradient, 0),
    "all against": (all_against, 0),
    "constant activations": (constant_activations, 2),
}


@pytest.fixture(scope="module", autouse=True)
def forget() -> Iterator[None]:
    yield
    for build in (dead_layer, vanished_gradient, all_against, constant_activations, never_positive):
        build.cache_clear()


def maps(net: camcore.Network, keys: Iterable[str], index: int, **options: Any) -> tuple[camcore.CamMap, ...]:
    """The map of each method, every option cheap."""
    cheap = {key: {**CHEAP.get(key, {}), **options.get(key, {})} for key in keys}
    return camcore.explain(net, PIC, list(keys), classes=index, options=cheap)


@pytest.mark.parametrize("variants", ROUNDS, ids=["first variants", "second variants"])
@pytest.mark.parametrize("name", TROUBLE)
def test_no_nan_ever(name, variants):
    build, index = TROUBLE[name]
    keys = dict(variants)
    if name == "vanished gradient" and keys.pop("cam", None) is not None:
        with pytest.raises(camcore.MethodError, match="not linear"):
            camcore.explain(build(), PIC, "cam", classes=index)
    for m in maps(build(), keys, index, **keys):
        info = METHODS[m.method]
        assert m.raw.shape == m.values.shape, m.method
        assert info.layer_free or m.raw.shape == GRID, m.method
        assert np.isfinite(m.raw).all(), m.method
        assert np.isfinite(m.values).all(), m.method
        assert m.values.min() >= 0, m.method
        assert m.values.max() in (0, 1), m.method
        assert info.min_max or (m.values.max() == 1) == bool((m.raw > 0).any()), m.method
        assert m.values.any() or m.warning, m.method
        drawn = m.on_picture()
        assert drawn.shape == (40, 60), m.method
        assert np.isfinite(drawn[~np.isnan(drawn)]).all(), m.method


def test_a_dead_layer_is_told():
    for m in maps(dead_layer(), AT_A_LAYER, 1):
        assert not m.values.any(), m.method
        assert "every activation of this layer is zero" in m.warning, m.method


def test_a_vanished_gradient_is_told():
    for m in maps(vanished_gradient(), [key for key in GRADIENT if key != "cam"], 0):
        assert not m.values.any(), m.method
        assert "the gradient is zero everywhere at this layer" in m.warning, m.method


def test_evidence_against_only_is_told():
    for m in maps(all_against(), GRADIENT, 0):
        assert not m.values.any(), m.method
        assert "nothing at this layer speaks for this class" in m.warning, m.method
        assert (m.raw < 0).any() == METHODS[m.method].signed, m.method
    for m in maps(all_against(), GRADIENT, 1):
        assert m.values.max() == 1, m.method


@pytest.mark.parametrize("index", range(4))
def test_activations_without_places_are_told(index):
    for m in maps(constant_activations(), AT_A_LAYER, index):
        if m.values.any():
            assert m.values.min() == pytest.approx(1), m.method
        assert "the same at every place" in m.warning, m.method


@functools.cache
def never_positive() -> camcore.Network:
    """A layer before its ReLU whose every value is negative."""
    below = given(
        layers.Conv2D(FEATURES, 3, padding="same", dtype="float64", name="features"), W.k2, np.full(FEATURES, -1e3)
    )
    return network(below, linear_end(W.w))


@pytest.mark.parametrize("index", range(4))
def test_activations_that_are_never_positive_are_told(index):
    for m in maps(never_positive(), AT_A_LAYER, index):
        assert np.isfinite(m.raw).all(), m.method
        assert "positive" in m.warning, m.method


def test_a_saturated_softmax_warns_of_nothing():
    """Probability 1 to the last digit: the logit has its gradient all the same."""
    net = network(conv2(), linear_end(1e5 * W.w))
    top = net.predict(PIC)[0]
    assert top.probability == 1
    for m in camcore.explain(net, PIC, ["gradcam", "layercam"], classes=top.index):
        assert m.values.max() == 1


# ---- half precision


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_overflowing_half_precision_gives_finite_maps(dtype):
    """Activations near 60,000, where G³ and sums over places leave float16."""
    x = keras.Input((*SIZE, 3))
    first = given(layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", dtype=dtype), W.k1 * 50, W.b1)
    last = given(
        layers.Conv2D(FEATURES, 3, padding="same", activation="relu", dtype=dtype, name="features"), W.k2 * 12, W.b2
    )
    end = given(layers.Dense(4, activation="softmax", dtype=dtype), W.w * 100, W.b)
    net = camcore.wrap(settle(keras.Model(x, end(gap(dtype)(last(first(x)))))))
    A = net.tap(net.prepare(PIC)[0], [net.default_layer]).activations[net.default_layer]
    assert A.max() > 1e4
    for m in camcore.explain(net, PIC, list(GENERAL), classes=[0, 1, 2, 3], options=CHEAP):
        assert np.isfinite(m.raw).all(), m.method
        assert np.isfinite(m.values).all(), m.method
        assert m.values.any() or m.warning, m.method


def test_a_network_that_overflows_inside_says_so():
    """Infinite activations in float16: finite maps, and the reader is told."""
    x = keras.Input((*SIZE, 3))
    first = given(
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", dtype="mixed_float16"), W.k1 * 3e3, W.b1
    )
    last = given(
        layers.Conv2D(FEATURES, 3, padding="same", activation="relu", dtype="mixed_float16", name="features"),
        np.abs(W.k2),
        W.b2,
    )
    end = given(layers.Dense(4, activation="softmax", dtype="float32"), W.w, W.b)
    net = camcore.wrap(settle(keras.Model(x, end(gap("float32")(last(first(x)))))))
    A = net.tap(net.prepare(PIC)[0], ["features"]).activations["features"]
    assert not np.isfinite(A).all()
    for m in camcore.explain(net, PIC, list(GENERAL), layers="features", classes=1, options=CHEAP):
        assert np.isfinite(m.raw).all(), m.method
        assert np.isfinite(m.values).all(), m.method
        assert "not finite" in m.warning, m.method


def test_levels_begin_at_the_minimum_of_min_max_methods_only():
    net = camcore.wrap(flat(), preprocess=lambda x: x / 127.5 - 1)
    recipro, gradcam = camcore.explain(net, PIC, ["reciprocam", "gradcam"], classes=1)
    assert recipro.raw.min() > 0
    np.testing.assert_allclose(recipro.levels / recipro.levels.max(), recipro.values, atol=1e-6)
    np.testing.assert_array_equal(gradcam.levels, gradcam.raw)
