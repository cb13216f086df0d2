"""Feature maps of any layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from networks import GRID, SIZE, flat, nested

import camcore

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def network():
    return camcore.wrap(flat(), preprocess=lambda x: x / 127.5 - 1)


@pytest.mark.parametrize("framing", ["crop", "stretch", "letterbox"])
def test_they_are_the_models_own(network, framing):
    found = camcore.activations(network, PIC, ["features", "conv1"], framing=framing)
    assert list(found) == ["features", "conv1"]
    x, _ = network.prepare(PIC, framing)
    for name, A in found.items():
        inner = keras.Model(network.model.input, network.model.get_layer(name).output)
        assert A.dtype == np.float32
        np.testing.assert_allclose(A, np.asarray(inner(x.astype(np.float64)))[0], rtol=1e-6, atol=1e-7)
    assert found["conv1"].shape == (*GRID, 4)
    assert found["features"].shape == (*GRID, 6)


def test_layers_by_name_path_and_object():
    network = camcore.wrap(nested())
    layer = network.model.get_layer("backbone").get_layer("features")
    for name in ("features", "backbone/features", layer):
        found = camcore.activations(network, PIC, [name])
        assert list(found) == ["backbone/features"]
    both = camcore.activations(network, PIC, ["features", "backbone/features"])
    assert list(both) == ["backbone/features"]


def test_a_layer_without_a_grid(network):
    with pytest.raises(camcore.LayerError, match=r"'scores' has no feature maps.*\(4,\).*without a.*grid.*'features'"):
        camcore.activations(network, PIC, ["features", "scores"])


def test_unknown_layer_and_framing(network):
    with pytest.raises(camcore.LayerError, match="Did you mean 'features'"):
        camcore.activations(network, PIC, ["feature"])
    with pytest.raises(camcore.CamcoreError, match="crop"):
        camcore.activations(network, PIC, ["features"], framing="crup")


def test_a_single_name_is_one_layer(network):
    """A string is a sequence of letters, none of which is a layer."""
    assert list(camcore.activations(network, PIC, "features")) == ["features"]


def test_the_input_size_is_the_networks(network):
    found = camcore.activations(network, PIC, [info.path for info in network.layers if info.grid])
    for path, A in found.items():
        assert A.shape[:2] == network.layer(path).grid
    assert network.input_size == SIZE
