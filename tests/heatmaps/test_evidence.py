"""Evidence adds up to the logit: on a float64 network by hand, and on real pictures of a real one."""

from __future__ import annotations

import numpy as np
import pytest
from networks import GRID, W, backbone, flat, one_unit, settle
from shared_data import shared

import camcore
from camcore.errors import CamcoreError, MethodError, ModelError
from camcore.heatmaps.evidence import common_scale, evidence

PIC = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def prepared(x: np.ndarray) -> np.ndarray:
    return x / 127.5 - 1


@pytest.fixture(scope="module")
def pair() -> camcore.Network:
    return camcore.wrap(one_unit(), labels=["cat", "dog"], preprocess=prepared)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """The last layer's activations (h, w, K) of PIC, by the model's own layers."""
    network = camcore.wrap(flat(), preprocess=prepared)
    x, _ = network.prepare(PIC)
    return np.asarray(settle(backbone())(x.astype(np.float64)))[0]


@pytest.mark.parametrize("framing", ["crop", "stretch", "letterbox"])
def test_both_classes_of_a_sigmoid_add_up_to_their_logits(pair, framing):
    cat, dog = evidence(pair, PIC, framing=framing)
    assert (cat.label, dog.label, cat.class_index, dog.class_index) == ("cat", "dog", 0, 1)
    for one in (cat, dog):
        assert one.map.shape == GRID
        assert one.sum == pytest.approx(one.logit, abs=1e-6)
        assert one.residual == pytest.approx(0, abs=1e-6)
        assert one.supporting + one.opposing + one.bias == pytest.approx(one.logit, abs=1e-6)
        assert one.supporting >= 0 >= one.opposing
        assert one.probability == pytest.approx(1 / (1 + np.exp(-one.logit)))
    np.testing.assert_allclose(cat.map, -dog.map, rtol=1e-12)
    assert (cat.bias, cat.logit) == (-dog.bias, -dog.logit)


def test_the_map_is_the_heads_weights_times_the_activations(pair, features):
    _, dog = evidence(pair, PIC)
    np.testing.assert_allclose(dog.map, features @ W.w[:, 2], rtol=0, atol=1e-6)
    assert dog.bias == pytest.approx(W.b[2], abs=1e-9)
    assert dog.logit == pytest.approx(features.mean(axis=(0, 1)) @ W.w[:, 2] + W.b[2], abs=1e-6)


def test_any_class_of_many_in_the_order_asked(features):
    network = camcore.wrap(flat(), labels=list("abcd"), preprocess=prepared)
    found = evidence(network, PIC, classes=[3, 0, 1, 2, 3])
    assert [one.label for one in found] == list("dabcd")
    for one in found:
        np.testing.assert_allclose(one.map, features @ W.w[:, one.class_index], rtol=0, atol=1e-6)
        assert one.sum == pytest.approx(one.logit, abs=1e-6)
    (top,) = evidence(network, PIC)
    assert top.label == network.predict(PIC, 1)[0].label


def test_one_scale_for_all_keeps_the_largest_at_one(pair):
    found = evidence(pair, PIC, framing="crop")
    scale = common_scale(found)
    assert scale == max(np.abs(one.map).max() for one in found)
    drawn = found[0].on_picture(scale, smooth=False)
    assert drawn.shape == (40, 60)
    assert np.isnan(drawn[0, 0])  # cropped away
    assert np.nanmax(np.abs(drawn)) == pytest.approx(1, abs=1e-6)
    assert np.sign(np.nanmean(drawn)) == np.sign(found[0].map.mean())


def test_no_evidence_has_a_scale_too(pair):
    assert common_scale([]) == 1.0


def test_what_cannot_be_asked(pair):
    with pytest.raises(ModelError, match="no class 2"):
        evidence(pair, PIC, classes=[2])
    with pytest.raises(CamcoreError, match="framing"):
        evidence(pair, PIC, framing="squash")
    with pytest.raises(MethodError, match="surgery"):
        evidence(camcore.load("VGG16", weights="random", input_shape=(32, 32, 3)), PIC)


def test_real_pictures_of_a_real_network_add_up(monkeypatch):
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))
    network = camcore.load("MobileNetV2")
    for file in sorted(shared("photos").glob("*.jpg"))[:6]:
        (one,) = evidence(network, camcore.open_picture(file))
        assert abs(one.residual) < 1e-4
