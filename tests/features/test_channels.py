"""Figures of a layer's channels, against closed forms; order; dead and saturated ones."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from networks import flat, given, settle

import camcore
from camcore.features import strongest_channels as strongest
from camcore.features.channels import NEAR_AN_END, ORDERS, channels, share_at_ends
from camcore.features.strongest_channels import strongest_channels

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8))


def scaled(x: Any) -> Any:
    return x / 127.5 - 1


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), preprocess=scaled)


def inner(network: camcore.Network, layer: str) -> np.ndarray:
    x, _ = network.prepare(PIC)
    model = keras.Model(network.model.input, network.model.get_layer(layer).output)
    return np.asarray(model(x.astype(np.float64)))[0]


def test_the_figures_are_those_of_the_models_own_activations(network: camcore.Network) -> None:
    found, A = channels(network, PIC, "conv1"), inner(network, "conv1")
    np.testing.assert_allclose(found.activations, A, rtol=1e-6, atol=1e-7)
    for name, wanted in (("mean", A.mean((0, 1))), ("variance", A.var((0, 1)))):
        np.testing.assert_allclose(getattr(found, name), wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(found.high, A.max((0, 1)).astype(np.float32))
    np.testing.assert_array_equal(found.low, A.min((0, 1)).astype(np.float32))


@pytest.mark.parametrize("index", [0, 2, None])
def test_behind_a_linear_head_the_contributions_are_the_shares_of_the_logit(
    network: camcore.Network, index: int | None
) -> None:
    """logit = Σ_k W_kc mean(A_k) + b_c, so w_k Σ_ij A_ijk = W_kc mean(A_k)."""
    found = channels(network, PIC, class_index=index)
    W, b = network.model.get_layer("scores").get_weights()
    c = found.class_index
    assert c == (network.predict(PIC)[0].index if index is None else index)
    np.testing.assert_allclose(found.contribution, W[:, c] * inner(network, "features").mean((0, 1)), rtol=1e-5)
    assert found.contribution.sum() == pytest.approx(found.logit - b[c], rel=1e-5)
    assert found.label == network.labels[c]


def test_elsewhere_they_add_up_to_grad_cams_map_before_it_is_rectified(network: camcore.Network) -> None:
    found = channels(network, PIC, "conv1", 1)
    raw = (found.activations.astype(np.float64) * found.weights).sum(axis=-1)
    assert found.contribution.sum() == pytest.approx(raw.sum(), rel=1e-6)
    (m,) = camcore.explain(network, PIC, "gradcam", "conv1", 1)
    np.testing.assert_allclose(np.maximum(raw, 0), np.maximum(m.raw, 0), rtol=1e-4, atol=1e-6)


def test_nothing_is_computed_twice(network: camcore.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = camcore.Memory()
    camcore.explain(network, PIC, "gradcam", "conv1", 1, memory=memory)
    monkeypatch.setattr(type(network), "tap", None)  # a further pass would fail
    found = channels(network, PIC, "conv1", 1, memory=memory)
    assert found.layer.path == "conv1"


def of(values: Any, ends: tuple[float, ...] | None = None) -> camcore.Network:
    """A network whose layer "x" has the given activation function on channels that are constants of the input."""
    kernel, bias, function = values
    x = keras.Input((4, 4, 3), dtype="float64")
    y = given(layers.Conv2D(len(bias), 1, activation=function, name="x", dtype="float64"), kernel, bias)(x)
    y = layers.GlobalAveragePooling2D(dtype="float64")(y)
    return camcore.wrap(settle(keras.Model(x, layers.Dense(2, dtype="float64")(y))))


def test_dead_and_saturated_channels() -> None:
    """Every place of channel k holds the function of its bias."""
    kernel = np.zeros((1, 1, 3, 5))
    found = channels(of((kernel, np.array([-1.0, 0.0, 3.0, 6.5, 5.9]), "relu6")), PIC, "x")
    assert found.dead.tolist() == [True, True, False, False, False]
    assert found.saturated.tolist() == [False, False, False, True, False]
    np.testing.assert_allclose(found.mean, [0, 0, 3, 6, 5.9], atol=1e-6)
    assert not found.signed
    found = channels(of((kernel, np.array([-9.0, -1.0, 0.0, 1.0, 9.0]), "sigmoid")), PIC, "x")
    assert found.saturated.tolist() == [True, False, False, False, True]
    assert not found.dead.any()
    found = channels(of((kernel, np.array([-9.0, -1.0, 0.0, 1.0, 9.0]), "tanh")), PIC, "x")
    assert found.saturated.tolist() == [True, False, False, False, True]
    assert found.dead.tolist() == [False, False, True, False, False]
    assert found.signed
    found = channels(of((kernel, np.array([-9.0, -1.0, 0.0, 1.0, 9.0]), None)), PIC, "x")
    assert not found.saturated.any()


def test_half_of_the_places_are_enough() -> None:
    A = np.array([[6.0, 6.0, 6.0], [6.0, 1.0, 6.0], [1.0, 1.0, 6.0], [1.0, 1.0, 6.0 - 6 * NEAR_AN_END / 2]])[:, None]
    np.testing.assert_allclose(share_at_ends(A, (6.0,)), [0.5, 0.25, 1.0])
    np.testing.assert_allclose(share_at_ends(A - 5, (-1.0, 1.0)), [0.5, 0.25, 0.75])
    np.testing.assert_allclose(share_at_ends(A, ()), [0, 0, 0])


@pytest.mark.parametrize("by", ORDERS)
def test_orders(network: camcore.Network, by: str) -> None:
    found = channels(network, PIC, "features", 0)
    order = found.order(by)
    assert sorted(order) == list(range(len(found)))
    if by == "number":
        assert list(order) == list(range(len(found)))
    else:
        figures = getattr(found, by)[order]
        assert (np.diff(figures) <= 0).all()


def test_equal_channels_go_by_number() -> None:
    found = channels(of((np.zeros((1, 1, 3, 4)), np.array([1.0, 2.0, 1.0, 2.0]), "relu")), PIC, "x")
    assert found.order("mean").tolist() == [1, 3, 0, 2]


def test_activations_that_overflow_are_counted_and_taken_as_nothing() -> None:
    found = channels(of((np.zeros((1, 1, 3, 2)), np.array([np.inf, 1.0]), "relu")), PIC, "x")
    assert found.broken == 16
    assert found.mean.tolist() == [0, 1]
    assert np.isfinite(found.contribution).all()


def test_what_is_refused(network: camcore.Network) -> None:
    with pytest.raises(camcore.LayerError, match="no spatial grid"):
        channels(network, PIC, "scores")
    with pytest.raises(camcore.LayerError, match="Did you mean 'features'"):
        channels(network, PIC, "feature")
    with pytest.raises(camcore.ModelError, match="0 to 3"):
        channels(network, PIC, class_index=4)
    with pytest.raises(camcore.CamcoreError, match="framing"):
        channels(network, PIC, framing="crup")
    with pytest.raises(camcore.CamcoreError, match=r"no order 'means'.*'mean', perhaps"):
        channels(network, PIC).order("means")


# ---- many layers


def test_the_strongest_channels_are_those_with_the_largest_mean(network: camcore.Network) -> None:
    ((one, two),) = strongest_channels(network, PIC, ["conv1", "features"], 3)
    for found, layer in ((one, "conv1"), (two, "features")):
        A = inner(network, layer)
        order = np.argsort(-np.abs(A).mean((0, 1)))
        assert found.numbers.tolist() == order[:3].tolist()
        np.testing.assert_allclose(found.activations, A[..., order[:3]], rtol=1e-6, atol=1e-7)
        assert found.dead == int((np.abs(A).max((0, 1)) == 0).sum())


def test_what_does_not_fit_into_one_pass_takes_several(
    network: camcore.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [one for part in strongest_channels(network, PIC, ["conv1", "features"], 3) for one in part]
    monkeypatch.setattr(strongest, "PASS_BYTES", 1)
    parts = list(strongest_channels(network, PIC, ["conv1", "features"], 3))
    assert [len(part) for part in parts] == [1, 1]
    assert len(strongest.passes([network.layer("conv1"), network.layer("features")])) == 2
    for a, b in zip(whole, [one for part in parts for one in part], strict=True):
        np.testing.assert_array_equal(a.activations, b.activations)
