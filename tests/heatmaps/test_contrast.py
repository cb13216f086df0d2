"""Two classes set against each other: the parts add up to the margin."""

from __future__ import annotations

import numpy as np
import pytest
from networks import GRID, W, flat

import camcore

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
N = GRID[0] * GRID[1]


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), labels=list("abcd"), preprocess=lambda x: x / 127.5 - 1)


def test_the_difference_in_closed_form(network):
    """Behind a global average and a linear head: Σ_k (W_ka − W_kb) A_k / N at each place."""
    found = camcore.contrast(network, PIC, 2, 0)
    x, frame = network.prepare(PIC)
    A = network.tap(x, ["features"]).activations["features"][0]
    w = W.w[:, 2] - W.w[:, 0]
    np.testing.assert_allclose(found.difference, A @ w / N, rtol=1e-5, atol=1e-7)
    logits = network.logits(x)[0]
    assert found.margin == pytest.approx(logits[2] - logits[0], rel=1e-9)
    assert found.offset == pytest.approx(W.b[2] - W.b[0], rel=1e-6)
    assert found.difference.sum(dtype=np.float64) + found.offset == pytest.approx(found.margin, rel=1e-5)
    parts = A.sum(axis=(0, 1)) * w / N
    assert [k for k, _ in found.channels] == np.argsort(-np.abs(parts)).tolist()
    np.testing.assert_allclose([part for _, part in found.channels], sorted(parts, key=abs, reverse=True), rtol=1e-6)
    np.testing.assert_allclose(found.finer.raw, np.maximum(A @ w, 0) / N, rtol=1e-5, atol=1e-7)
    assert (found.first.label, found.second.label, found.layer, found.frame) == ("c", "a", "features", frame)


def test_turned_round_it_changes_its_sign(network):
    one, other = camcore.contrast(network, PIC, 1, 3, "conv1"), camcore.contrast(network, PIC, 3, 1, "conv1")
    np.testing.assert_allclose(one.difference, -other.difference, atol=1e-7)
    assert one.margin == -other.margin
    assert one.offset is None  # a ReLU lies behind conv1


def test_on_the_picture(network):
    found = camcore.contrast(network, PIC, 1, 3)
    drawn = found.on_picture(scale=2.0)
    assert drawn.shape == (40, 60)
    assert np.nanmax(np.abs(drawn)) <= np.abs(found.difference).max() / 2 + 1e-6


def test_refusals(network):
    with pytest.raises(camcore.ModelError, match=r"Class 1 \(b\) cannot be set against itself"):
        camcore.contrast(network, PIC, 1, 1)
    with pytest.raises(camcore.ModelError, match="no class 9"):
        camcore.contrast(network, PIC, 1, 9)
    with pytest.raises(camcore.LayerError, match="no layer"):
        camcore.contrast(network, PIC, 1, 2, "nowhere")
