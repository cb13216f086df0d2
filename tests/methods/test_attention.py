"""The methods made for attention against a transformer in plain numpy, with central differences for its gradients."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from formulas import close
from scipy.special import erf
from transformers import (
    CLASSES,
    DIM,
    GRID,
    HEADS,
    PATCH,
    SIZE,
    by_hand,
    images,
    nested,
    own_attention,
    reduced,
    sequential,
    subclassed,
    swin,
    vit,
    with_layer,
)

import camcore
from camcore.methods import METHODS

METHODS_OF_ATTENTION = ("rollout", "attentiongrad", "legrad")
TOKENS = 1 + GRID[0] * GRID[1]
BLOCKS = 2


@dataclass
class Numpy:
    """The network ``vit(pooling)`` of these Keras weights, by name, in float64."""

    weights: dict[str, np.ndarray]
    pooling: str

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-3) * self.weights[f"{name}/gamma"] + self.weights[f"{name}/beta"]

    def dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def heads(self, x: np.ndarray, name: str) -> np.ndarray:
        return np.einsum("...td,dhk->...htk", x, self.weights[f"{name}/kernel"]) + self.weights[f"{name}/bias"][:, None]

    def run(self, x: np.ndarray, change: dict[int, np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Attention weights and tokens of each block; ``change``: added to the weights of a block."""
        h, w = GRID
        cut = x.reshape(h, PATCH, w, PATCH, 3).transpose(0, 2, 1, 3, 4).reshape(h * w, -1)
        patches = cut @ self.weights["patches/kernel"].reshape(-1, DIM) + self.weights["patches/bias"]
        y = np.concatenate([self.weights["tokens/tokens"][0], patches]) + self.weights["tokens/places"][0]
        attentions, blocks = [], []
        for n in range(1, BLOCKS + 1):
            normal = self.norm(y, f"norm{n}a")
            q, k, v = (self.heads(normal, f"attention{n}/{part}") for part in ("query", "key", "value"))
            scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(DIM / HEADS)
            raised = np.exp(scores - scores.max(-1, keepdims=True))
            A = raised / raised.sum(-1, keepdims=True) + change.get(n - 1, 0)
            attentions.append(A)
            out = np.einsum("...htk,hkd->...td", A @ v, self.weights[f"attention{n}/attention_output/kernel"])
            y = y + out + self.weights[f"attention{n}/attention_output/bias"]
            wide = self.dense(self.norm(y, f"norm{n}b"), f"mlp{n}_wide")
            y = y + self.dense(wide * (1 + erf(wide / np.sqrt(2))) / 2, f"mlp{n}")
            blocks.append(y)
        return attentions, blocks

    def end(self, tokens: np.ndarray, mean: bool = False) -> np.ndarray:
        normal = self.norm(tokens, "norm")
        return self.dense(normal[..., 0, :] if self.pooling == "class" and not mean else normal.mean(-2), "scores")

    def slopes(self, x: np.ndarray, c: int, by_block: bool, mean: bool = False) -> list[np.ndarray]:
        """∂y_c/∂A of each block, by central differences; ``by_block``: of the block's own score."""
        found = []
        for number in range(BLOCKS):
            shape = (HEADS, TOKENS, TOKENS)
            steps = 1e-5 * np.eye(HEADS * TOKENS * TOKENS).reshape(-1, *shape)
            ends = []
            for sign in (1, -1):
                blocks = self.run(x, {number: sign * steps})[1]
                ends.append(self.end(blocks[number if by_block else -1], mean)[:, c])
            found.append((ends[0] - ends[1]).reshape(shape) / 2e-5)
        return found


@functools.cache
def case(pooling: str) -> tuple[Any, Numpy, camcore.Network]:
    model = vit(pooling, dtype="float64")
    rng = np.random.default_rng(0)
    for weight in model.weights:  # larger than at the start of a training, so that attention is uneven
        weight.assign(rng.normal(0, 0.4, weight.shape) + (1 if weight.path.endswith("gamma") else 0))
    return (
        model,
        Numpy({weight.path: np.asarray(weight.value) for weight in model.weights}, pooling),
        camcore.wrap(model),
    )


def heatmap(network: Any, key: str, x: np.ndarray, c: int) -> np.ndarray:
    return getattr(camcore, METHODS[key].class_name)(network).compute_heatmap(x, c, raw=True)


def asked(R: np.ndarray, pooling: str) -> np.ndarray:
    return (R[0] if pooling == "class" else R[1:].mean(0))[1:].reshape(GRID)


@pytest.mark.parametrize("pooling", ["class", "average"])
def test_maps_are_those_of_a_transformer_by_hand(pooling):
    _, plain, network = case(pooling)
    x, c = images(1)[0], 2
    attentions, blocks = plain.run(x, {})
    close(network.logits(x)[0], plain.end(blocks[-1]), 1e-7)
    assert max(A.max() for A in attentions) > 2 / TOKENS, "uneven"

    R = np.eye(TOKENS)
    for A in attentions:
        mixed = A.mean(0) + np.eye(TOKENS)
        R = mixed / mixed.sum(1, keepdims=True) @ R
    close(heatmap(network, "rollout", x, c), asked(R, pooling), 1e-6)

    R = np.eye(TOKENS)
    for A, G in zip(attentions, plain.slopes(x, c, by_block=False), strict=True):
        R = R + np.maximum(G * A, 0).mean(0) @ R
    close(heatmap(network, "attentiongrad", x, c), asked(R - np.eye(TOKENS), pooling), 1e-5)

    columns = [np.maximum(G, 0).mean((0, 1)) for G in plain.slopes(x, c, by_block=True)]
    close(heatmap(network, "legrad", x, c), np.mean(columns, 0)[1:].reshape(GRID), 1e-5)


def test_legrad_of_the_mean_of_the_tokens():
    """As the authors' code for CLIP: the end reads the mean over all tokens, of the last two blocks."""
    _, plain, network = case("class")
    x, c = images(1)[0], 2
    columns = [np.maximum(G, 0).mean((0, 1)) for G in plain.slopes(x, c, by_block=True, mean=True)[-2:]]
    found = camcore.LeGrad(network, variant="mean").compute_heatmap(x, c, raw=True)
    close(found, np.mean(columns, 0)[1:].reshape(GRID), 1e-5)


TWINS = {"subclassed": subclassed, "nested": nested, "sequential": sequential}
ENGINE = ("hirescam", "legrad")


@functools.cache
def wanted(pooling: str) -> dict[str, np.ndarray]:
    network = camcore.wrap(vit(pooling))
    return {key: heatmap(network, key, images(1), 1) for key in ENGINE}


@pytest.mark.parametrize(("twin", "pooling"), [("subclassed", "class"), ("nested", "average"), ("sequential", "class")])
def test_twins_have_the_same_maps(twin, pooling):
    network = camcore.wrap(TWINS[twin](pooling), input_size=SIZE)
    for key in ENGINE:
        want = wanted(pooling)[key]
        np.testing.assert_allclose(
            heatmap(network, key, images(1), 1), want, atol=2e-5 * np.abs(want).max(), err_msg=key
        )


@pytest.mark.parametrize("attention", [own_attention, by_hand])
def test_however_attention_is_written_its_weights_are_found(attention):
    network = camcore.wrap(vit(attention=attention, blocks=2))
    found = network.attention_pass(images(1))
    heads = 1 if attention is by_hand else HEADS
    assert [A.shape for A in found.weights] == [(heads, TOKENS, TOKENS)] * 2
    for A in found.weights:
        np.testing.assert_allclose(A.sum(axis=-1), 1, atol=1e-5)
    assert len(network.attentions.blocks) == 2


def test_the_weights_of_queries_and_not_of_keys():
    """A layer with dropout multiplies keys by queries, and turns the product; rows are queries in either way."""
    plain = camcore.wrap(vit())
    turned = camcore.wrap(vit(attention=lambda x, name: with_layer(x, name, dropout=0.1)))
    turned.model.set_weights(plain.model.get_weights())
    for one, other in zip(*(net.attention_pass(images(1)).weights for net in (plain, turned)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_legrad_asks_the_end_of_the_network_about_each_block():
    """The last block's own score is the network's: its gradients are those of ``attentiongrad``."""
    _, _, network = case("class")
    whole, own = (network.attention_pass(images(1), 2, by_block) for by_block in (False, True))
    np.testing.assert_allclose(own.gradients[-1], whole.gradients[-1], atol=1e-12)
    assert np.abs(own.gradients[0] - whole.gradients[0]).max() > 1e-4


def test_a_network_of_other_weights_has_its_own_maps():
    """Also of the end that legrad copies for each block."""
    _, _, network = case("class")
    layer = next(one for one in network.weight_layers if one.name == "scores")
    fresh = {id(weight): np.array(weight.value()) * -1 for weight in layer.weights}
    other = network.with_weights(fresh, "turned")
    x = images(1)
    plus, minus = (net.attention_pass(x, 2, by_block=True).gradients for net in (network, other))
    for one, turned in zip(plus, minus, strict=True):
        np.testing.assert_allclose(one, -turned, atol=1e-12)


@pytest.mark.parametrize("key", METHODS_OF_ATTENTION)
def test_refused_where_there_is_no_attention_to_go_by(key):
    from networks import flat

    pic = camcore.Picture.from_array(np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(camcore.MethodError, match=r"no attention of tokens with places.*Use 'gradcam'"):
        camcore.explain(camcore.wrap(flat()), pic, key)


@pytest.mark.parametrize(
    ("build", "reason"), [(swin, "look at windows of tokens"), (reduced, "other keys than queries")]
)
def test_windows_and_reduced_keys_are_refused_with_the_reason(build, reason):
    network = camcore.wrap(build())
    x = np.zeros((1, *network.input_size, 3))
    for key in METHODS_OF_ATTENTION:
        with pytest.raises(camcore.MethodError, match=reason):
            heatmap(network, key, x, 0)


def test_on_a_picture_with_what_goes_with_it():
    network = camcore.wrap(vit(blocks=1), preprocess=lambda rgb: rgb / 127.5 - 1)
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8))
    steps = list(camcore.stream(network, pic, METHODS_OF_ATTENTION, classes=range(CLASSES)))
    maps = {(m.method, m.class_index): m for step in steps for m in step.maps}
    assert steps[-1].done == steps[-1].total == 1 + 1 + 2 * 2 * CLASSES
    for (key, _), m in maps.items():
        assert m.layer is None
        assert m.raw.shape == GRID
        assert m.cells.stride == (PATCH, PATCH)
        assert m.on_picture().shape == (48, 80)
        assert ("the same for every class" in (m.warning or "")) == (key == "rollout")
    np.testing.assert_array_equal(maps["rollout", 0].raw, maps["rollout", 1].raw)
    assert np.abs(maps["legrad", 0].raw - maps["legrad", 1].raw).max() > 0
    assert maps["legrad", 0].values.min() == 0
    (smooth,) = camcore.explain(network, pic, "attentiongrad", classes=0, refine="aug")
    assert smooth.raw.shape == GRID
