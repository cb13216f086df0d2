"""New blocks on a trunk: the transformer by hand, CAM exact on it, its tokens found, and what cannot be grafted."""

from __future__ import annotations

from math import erf
from typing import Any

import keras
import numpy as np
import pytest

import camcore
from camcore.errors import ModelError
from camcore.models.architectures import build_architecture, check_architecture
from camcore.models.grafting import cut

TRUNK = {"builder": "gap_classifier", "size": 32, "stem": 4, "widths": [6, 8], "blocks": [1, 1], "outputs": 1}
KEPT = "stage1_block1"
GRAFTED = {
    "builder": "grafted",
    "backbone": TRUNK,
    "layer": KEPT,
    "position": cut(build_architecture(TRUNK), KEPT)[1],
    "kind": "transformer",
    "width": 64,
    "blocks": 2,
    "outputs": 1,
}


def taught(architecture: dict[str, Any]) -> keras.Model:
    """The network of an architecture, with random numbers for all its weights."""
    model, rng = build_architecture(architecture), np.random.default_rng(2)
    for variable in model.weights:
        one = "variance" in variable.path or "gamma" in variable.path
        variable.assign(rng.uniform(0.5, 1.5, variable.shape) if one else rng.normal(0, 0.2, variable.shape))
    return model


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(taught(GRAFTED), labels=("cat", "dog"), input_size=(32, 32))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)


def by_hand(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """The logits of the transformer from its trunk's map, in float64, as its papers write it."""

    def values(layer: str) -> list[np.ndarray]:
        return [np.asarray(weight, np.float64) for weight in model.get_layer(layer).get_weights()]

    def normed(t: np.ndarray, layer: str) -> np.ndarray:
        gamma, beta = values(layer)
        return (t - t.mean(-1, keepdims=True)) / np.sqrt(t.var(-1, keepdims=True) + 1e-3) * gamma + beta

    kernel, places = values("embedding")
    t = np.asarray(keras.Model(model.inputs[0], model.get_layer(KEPT).output)(x), np.float64)
    t = t.reshape(len(t), -1, t.shape[-1]) @ kernel + places
    for block in ("block1", "block2"):
        wq, bq, wk, bk, wv, bv, wo, bo = values(f"{block}_attention")
        y = normed(t, f"{block}_norm1")
        mixed = np.zeros_like(t)
        for head in range(2):
            q, k, v = (y @ w[:, head] + b[head] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
            e = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(32))
            mixed += e / e.sum(-1, keepdims=True) @ v @ wo[head]
        t = t + mixed + bo
        (w1, b1), (w2, b2) = values(f"{block}_mlp1"), values(f"{block}_mlp2")
        wide = normed(t, f"{block}_norm2") @ w1 + b1
        t = t + wide * (1 + np.vectorize(erf)(wide / np.sqrt(2))) / 2 @ w2 + b2
    kernel, bias = values("scores")
    return normed(t, "norm").mean(1) @ kernel + bias


def test_the_transformer_is_that_of_the_papers(network, images):
    z = by_hand(network.model, images)
    np.testing.assert_allclose(network.logits(images), np.concatenate([-z, z], 1), atol=1e-4)


def test_its_tokens_are_found_and_looked_at_behind_the_last_block(network):
    info = network.layer(network.default_layer)
    assert (info.path, info.grid, info.channels, info.tokens) == ("norm", (8, 8), 64, True)
    assert len(network.attentions.found) == 2
    assert not network.attentions.refusal


def test_cam_is_exact_on_it(network, images):
    picture = camcore.Picture.from_array(((images[0] + 1) * 127).astype(np.uint8))
    for m in camcore.explain(network, picture, "cam", classes=[0, 1]):
        assert m.raw.mean(dtype=np.float64) + m.offset == pytest.approx(m.logit, abs=1e-4)


def test_convolutions_keep_the_trunks_grid_and_a_softmax_has_an_output_for_each_class():
    model = taught({**GRAFTED, "kind": "convolutions", "width": 5, "outputs": 3})
    assert model.get_layer("block2").output.shape == (None, 8, 8, 5)
    assert model.output.shape == (None, 3)
    learns = {variable.path.split("/")[0] for variable in model.trainable_variables}
    assert learns == {name for name in learns if name.startswith(("block", "scores"))}, "the trunk is frozen"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "recurrent"}, "kind is 'recurrent': new blocks are transformer or convolutions"),
        ({"width": 0}, "width is 0"),
        ({"blocks": 65}, "blocks is 65"),
        ({"dropout": 0.1}, "dropout is 0.1: a grafted network has no such option"),
        ({"backbone": "VGG16"}, "must be a JSON object with a 'builder'"),
    ],
)
def test_what_is_no_architecture(changes, said):
    with pytest.raises(ModelError, match=said):
        check_architecture({**GRAFTED, **changes})


def test_what_cannot_be_grafted():
    with pytest.raises(ModelError, match="not a multiple of 32"):
        build_architecture({**GRAFTED, "width": 40})
    with pytest.raises(ModelError, match="Give an input size"):
        build_architecture({**GRAFTED, "backbone": {key: TRUNK[key] for key in TRUNK if key != "size"}})
