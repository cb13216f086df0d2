"""Ablation-CAM and Recipro-CAM against closed forms, and against loops through the Keras layers themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from formulas import close, softmax
from keras import layers
from networks import (
    CLASSES,
    FEATURES,
    GRID,
    SIZE,
    W,
    conv1,
    conv2,
    dense,
    flat,
    gap,
    given,
    head,
    images,
    mobilenet_head,
    one_unit,
    picture_input,
    settle,
    squeezenet_head,
)

import camcore
from camcore.methods import METHODS
from camcore.methods.inputs import PerturbedScores

CELLS = GRID[0] * GRID[1]


def activations(network: camcore.Network, x: np.ndarray, layer: str = "features") -> np.ndarray:
    return network.tap(x, [layer]).activations[layer][0]


# ---- networks, each without its last activation: input → logits


def settled(model: Any, seed: int = 3) -> Any:
    """The weights that ``given`` noted, and random ones wherever none were."""
    r = np.random.default_rng(seed)
    for layer in model.layers:
        if not hasattr(layer, "given") and layer.get_weights():
            layer.set_weights([r.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
    return settle(model)


def added() -> Any:
    """A residual block behind ``conv1``: what is added comes past ``mid``."""
    x = picture_input()
    y = conv1()(x)
    z = layers.Conv2D(4, 3, padding="same", activation="tanh", dtype="float64", name="mid")(y)
    y = layers.ReLU(dtype="float64", name="sum")(layers.Add(dtype="float64")([y, z]))
    return settled(keras.Model(x, layers.Dense(CLASSES, dtype="float64")(gap()(conv2()(y)))))


def joined() -> Any:
    """``mid`` is concatenated with its own input, and with the picture's mean behind the pooling."""
    x = picture_input()
    y = conv1()(x)
    z = layers.Conv2D(5, 3, padding="same", activation="relu", dtype="float64", name="mid")(y)
    y = layers.Concatenate(dtype="float64", name="both")([z, y])
    y = layers.Concatenate(dtype="float64")([gap()(conv2_for(9)(y)), gap()(x)])
    return settled(keras.Model(x, layers.Dense(CLASSES, dtype="float64")(y)))


def conv2_for(channels: int) -> Any:
    return layers.Conv2D(FEATURES, 3, padding="same", activation="relu", dtype="float64", name="features")


def gated() -> Any:
    """Squeeze and excitation: ``conv1`` is multiplied with what is pooled from it."""
    x = picture_input()
    y = conv1()(x)
    gate = layers.Conv2D(4, 1, activation="sigmoid", dtype="float64", name="gate")(gap(keepdims=True)(y))
    y = layers.Multiply(dtype="float64", name="gated")([y, gate])
    return settled(keras.Model(x, layers.Dense(CLASSES, dtype="float64")(gap()(conv2()(y)))))


def pooled_flat() -> Any:
    """VGG's kind: max pooling, Flatten, two Dense layers."""
    x = picture_input()
    y = layers.MaxPooling2D(2, dtype="float64", name="pool")(conv2()(conv1()(x)))
    y = layers.Dense(8, "relu", dtype="float64")(layers.Flatten(dtype="float64")(y))
    return settled(keras.Model(x, layers.Dense(CLASSES, dtype="float64")(y)))


def signed_pooled() -> Any:
    """Activations of both signs into a max pooling: a channel of zeros is not its smallest value there."""
    x = picture_input()
    y = layers.Conv2D(FEATURES, 3, padding="same", dtype="float64", name="features")(conv1()(x))
    y = layers.MaxPooling2D(3, strides=2, padding="same", dtype="float64", name="pool")(y)
    y = layers.AveragePooling2D(2, padding="same", dtype="float64")(y)
    return settled(keras.Model(x, layers.Dense(CLASSES, dtype="float64")(layers.Flatten(dtype="float64")(y))))


def kept_dimensions() -> Any:
    """MobileNet's kind: a pooling that keeps its axes, dropout, a 1×1 convolution, a reshape."""
    model = mobilenet_head()
    return keras.Model(model.input, model.layers[-2].output)


def maps_first() -> Any:
    model = squeezenet_head()
    return keras.Model(model.input, model.layers[-2].output)


def normalised_behind() -> Any:
    """Batch normalisation behind the layer: a channel of zeros is not zero any more there."""
    x = picture_input()
    norm = layers.BatchNormalization(dtype="float64", name="norm")
    y = layers.ReLU(dtype="float64", name="out")(norm(conv2(activation=None)(conv1()(x))))
    model = settled(keras.Model(x, dense(activation=None)(gap()(y))))
    r = np.random.default_rng(5)
    norm.set_weights([r.uniform(0.5, 2, 6), r.normal(0.4, 0.5, 6), r.normal(0, 1, 6), r.uniform(0.5, 2, 6)])
    return model


def plain() -> Any:
    return flat(None)


HEADS: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "global average": (plain, ("features", "conv1")),
    "added": (added, ("mid", "conv1", "sum", "features")),
    "concatenated": (joined, ("mid", "conv1", "both", "features")),
    "gated": (gated, ("conv1", "gated")),
    "max pooling and Flatten": (pooled_flat, ("features", "pool", "conv1")),
    "signed, two poolings": (signed_pooled, ("features", "pool")),
    "kept dimensions": (kept_dimensions, ("features", "conv1")),
    "maps, then the average": (maps_first, ("features", "maps")),
    "batch normalisation behind": (normalised_behind, ("features", "norm", "out")),
}
PLACES = [(name, layer) for name, (_, places) in HEADS.items() for layer in places]


class Altered:
    """A model run layer by layer, with one layer's output replaced."""

    def __init__(self, model: Any, layer: str) -> None:
        self.model, self.layer = model, layer

    def __call__(self, x: np.ndarray, alter: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The logits of one image, ``alter`` applied to the layer's output."""
        tensors = {id(self.model.inputs[0]): x}
        for layer in self.model.layers:
            for node in layer._inbound_nodes:
                if node.is_input or any(id(one) not in tensors for one in node.input_tensors):
                    continue
                inputs = [tensors[id(one)] for one in node.input_tensors]
                result = np.asarray(layer(inputs if len(inputs) > 1 else inputs[0], training=False))
                tensors[id(node.outputs[0])] = alter(result) if layer.name == self.layer else result
        return tensors[id(self.model.outputs[0])].reshape(-1)


@pytest.fixture(scope="module")
def made() -> Callable[[str], tuple[Any, camcore.Network]]:
    known: dict[str, tuple[Any, camcore.Network]] = {}

    def make(name: str) -> tuple[Any, camcore.Network]:
        if name not in known:
            model = HEADS[name][0]()
            known[name] = model, camcore.wrap(model)
        return known[name]

    return make


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat())


# ---- Ablation-CAM


@pytest.mark.parametrize("c", range(CLASSES))
def test_ablationcam_in_closed_form(network, c):
    """Without channel k the logit is W_kc S_k / N lower."""
    for seed in range(3):
        x = images(1, seed=seed)
        A = activations(network, x)
        y = float(A.mean(axis=(0, 1)) @ W.w[:, c] + W.b[c])
        weights = W.w[:, c] / CELLS * A.sum(axis=(0, 1)) / abs(y)
        close(camcore.AblationCAM(network).compute_heatmap(x, c, raw=True), np.maximum(A @ weights, 0))


@pytest.mark.parametrize(("name", "layer"), PLACES)
def test_ablationcam_against_a_naive_loop(made, name, layer):
    model, network = made(name)
    run = Altered(model, layer)
    x = images(1, seed=2)
    A = activations(network, x, layer)
    clean = run(x, lambda a: a)
    np.testing.assert_allclose(network.logits(x)[0], clean, rtol=1e-9)
    without = []
    for k in range(A.shape[-1]):
        kept = np.arange(A.shape[-1]) != k
        without.append(run(x, lambda a, kept=kept: a * kept))
    method = camcore.AblationCAM(network, layer)
    seen = 0
    for c in range(CLASSES):
        weights = np.array([(clean[c] - z[c]) / abs(clean[c]) for z in without])
        wanted = np.maximum(A @ weights, 0)
        found = method.compute_heatmap(x, c, raw=True)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.abs(A @ weights).max())
        seen += wanted.max() > 0
    assert seen >= 1


@pytest.mark.parametrize(("name", "layer"), PLACES)
def test_ablated_logits_against_a_naive_loop(made, name, layer):
    model, network = made(name)
    run = Altered(model, layer)
    x = images(1, seed=8)
    count = network.layer(layer).channels
    order = np.random.default_rng(0).permutation(count)
    found = network.ablated_logits(x, layer, order)
    wanted = [run(x, lambda a, k=k: a * (np.arange(count) != k)) for k in order]
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def with_bias(b: float) -> camcore.Network:
    """Two classes: the one asked about lifted by ``b``."""
    x = picture_input()
    end = given(layers.Dense(2, activation="softmax", dtype="float64"), W.w[:, :2], np.array([b, 0.0]))
    return camcore.wrap(settle(keras.Model(x, end(gap()(conv2()(conv1()(x)))))))


def picture(seed: int = 0) -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(seed).integers(0, 4, (*SIZE, 3), dtype=np.uint8))


def test_a_score_that_is_not_positive_warns_and_keeps_the_sign():
    up, down = with_bias(500.0), with_bias(-500.0)
    (above,) = camcore.explain(up, picture(), "ablationcam", classes=0)
    (below,) = camcore.explain(down, picture(), "ablationcam", classes=0)
    assert above.logit > 0 > below.logit
    # The same falls, divided by the scores' sizes.
    assert above.raw.max() > 0
    close(below.raw * -below.logit, above.raw * above.logit, 1e-5)
    np.testing.assert_allclose(below.values, above.values, atol=1e-6)
    assert above.warning is None or "not positive" not in above.warning
    assert below.warning is not None
    assert f"The class's score is {below.logit:.3g}, not positive" in below.warning


def test_a_score_of_zero_is_no_division_by_zero():
    info = METHODS["ablationcam"]
    A = np.random.default_rng(0).random((3, 2, 4))
    answers = np.array([-1.0, 0.5, 0.0, -2.0])[:, None]
    asked = PerturbedScores(np.arange(4), answers, answers, 0.0, 0.5, SIZE)
    close(info.compute(A, asked), np.maximum(A @ -answers[:, 0], 0), 1e-12)
    assert "not positive" in info.caution(A, asked)


def test_channels_not_asked_yet_have_no_weight():
    info = METHODS["ablationcam"]
    A = np.random.default_rng(0).random((3, 2, 4))
    answers = np.array([[1.0], [5.0]])
    asked = PerturbedScores(np.array([0, 2]), answers, answers, 4.0, 0.5, SIZE)
    np.testing.assert_allclose(info.weights(A, asked), [0.75, 0, -0.25, 0])


def test_ablationcam_of_one_sigmoid_unit():
    """Class 0 is the unit's opposite: its logit is −z, and so are its falls."""
    network = camcore.wrap(one_unit())
    x = images(1, seed=3)
    A = activations(network, x)
    z = float(A.mean(axis=(0, 1)) @ W.w[:, 2] + W.b[2])
    falls = W.w[:, 2] * A.mean(axis=(0, 1))
    for c, sign in ((0, -1.0), (1, 1.0)):
        assert network.logits(x)[0, c] == pytest.approx(sign * z, abs=1e-9)
        found = camcore.AblationCAM(network).compute_heatmap(x, c, raw=True)
        wanted = np.maximum(A @ (sign * falls / abs(z)), 0)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.abs(A @ falls / z).max())


# ---- Recipro-CAM


@pytest.mark.parametrize("c", range(CLASSES))
def test_reciprocam_in_closed_form(network, c):
    for seed in range(3):
        x = images(1, seed=seed)
        A = activations(network, x)
        wanted = softmax(A @ W.w / CELLS + W.b)[..., c]
        method = camcore.ReciproCAM(network)
        raw = method.compute_heatmap(x, c, raw=True)
        close(raw, wanted)
        close(method.compute_heatmap(x, c), (raw - raw.min()) / (raw.max() - raw.min()))


def test_the_gaussian_variant_in_closed_form(network):
    """Behind a global average only how much of the kernel stays on the grid counts."""
    x = images(1, seed=4)
    A = activations(network, x)
    h, w = GRID
    share = np.ones(GRID)
    share[[0, h - 1]] *= 3 / 4
    share[:, [0, w - 1]] *= 3 / 4
    for c in range(CLASSES):
        wanted = softmax(share[..., None] * (A @ W.w) / CELLS + W.b)[..., c]
        close(camcore.ReciproCAM(network, variant="gaussian").compute_heatmap(x, c, raw=True), wanted)


def placed(A: np.ndarray, y: int, x: int, variant: str) -> np.ndarray:
    """The vector A_yx at its place, or spread over the 3×3 around it; what falls off the grid is lost."""
    new = np.zeros_like(A)
    if variant == "paper":
        new[y, x] = A[y, x]
        return new
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if 0 <= y + dy < A.shape[0] and 0 <= x + dx < A.shape[1]:
                new[y + dy, x + dx] = A[y, x] * (2 - abs(dy)) * (2 - abs(dx)) / 16
    return new


@pytest.mark.parametrize("variant", ["paper", "gaussian"])
@pytest.mark.parametrize(("name", "layer"), PLACES)
def test_reciprocam_against_a_naive_loop(made, name, layer, variant):
    model, network = made(name)
    run = Altered(model, layer)
    x = images(1, seed=2)
    A = activations(network, x, layer)
    h, w = A.shape[:2]
    logits = [run(x, lambda a, i=i: placed(A, *divmod(i, w), variant)[None]) for i in range(h * w)]
    wanted = softmax(np.array(logits)).reshape(h, w, CLASSES)
    method = camcore.ReciproCAM(network, layer, variant=variant)
    for c in range(CLASSES):
        found = method.compute_heatmap(x, c, raw=True)
        np.testing.assert_allclose(found, wanted[..., c], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", None])
def test_it_takes_the_networks_own_probabilities(activation):
    """A multi-label head has sigmoids; several logits are read as those of a softmax."""
    x = images(1, seed=2)
    network = camcore.wrap(flat(activation))
    logits = activations(network, x) @ W.w / CELLS + W.b
    wanted = 1 / (1 + np.exp(-logits)) if activation == "sigmoid" else softmax(logits)
    close(camcore.ReciproCAM(network).compute_heatmap(x, 1, raw=True), wanted[..., 1])


def test_a_regression_has_no_probability():
    """One linear output: its value itself is what every place is asked for."""
    x = images(1, seed=2)
    end = given(layers.Dense(1, dtype="float64"), W.w[:, 1:2], W.b[1:2])
    network = camcore.wrap(head(gap(), end))
    wanted = activations(network, x) @ W.w[:, 1] / CELLS + W.b[1]
    close(camcore.ReciproCAM(network).compute_heatmap(x, 0, raw=True), wanted)


def test_places_not_asked_yet_are_at_the_smallest_value():
    info = METHODS["reciprocam"]
    answers = np.array([[0.4], [0.2], [0.9]])
    asked = PerturbedScores(np.array([0, 3, 5]), np.log(answers), answers, 0.0, 0.5, SIZE)
    np.testing.assert_allclose(info.compute(np.zeros((2, 3, 4)), asked), [[0.4, 0.2, 0.2], [0.2, 0.2, 0.9]])


def test_a_map_of_one_value_is_empty_and_says_so():
    """Behind a layer that the class takes no notice of, every place gives the same."""
    x = picture_input()
    end = given(layers.Dense(3, activation="softmax", dtype="float64"), np.zeros((FEATURES, 3)), W.b[:3])
    network = camcore.wrap(settle(keras.Model(x, end(gap()(conv2()(conv1()(x)))))))
    (found,) = camcore.explain(network, picture(), "reciprocam", classes=1)
    np.testing.assert_allclose(found.raw, np.full(GRID, softmax(W.b[:3])[1]), rtol=1e-6)
    assert not found.values.any()
    assert "the same whatever part of the picture is left" in found.warning


# ---- both


@pytest.mark.parametrize("chunk", [1, 2, 5, 6, 30, 31])
@pytest.mark.parametrize("name", ["AblationCAM", "ReciproCAM"])
@pytest.mark.parametrize("kind", ["global average", "concatenated"])
def test_the_size_of_a_chunk_is_of_no_account(made, monkeypatch, kind, name, chunk):
    _, network = made(kind)
    x = images(1, seed=5)
    method = getattr(camcore, name)(network, "conv1" if kind == "concatenated" else "features")
    site = network.site(method.target_layer)
    whole = method.compute_heatmap(x, 0, raw=True)
    asked: list[int] = []
    ask = {"AblationCAM": "ablated_logits", "ReciproCAM": "placed_logits"}[name]
    real = getattr(camcore.Network, ask)
    monkeypatch.setattr(camcore.Network, ask, lambda self, *a: asked.append(len(a[2])) or real(self, *a))
    each = network.ablated_size(method.target_layer) if name == "AblationCAM" else site.cells * site.channels
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_VALUES", chunk * each)
    found = method.compute_heatmap(x, 0, raw=True)
    np.testing.assert_allclose(found, whole, rtol=1e-6, atol=1e-7 * np.abs(whole).max())
    members = site.channels if name == "AblationCAM" else site.cells
    assert asked == [min(chunk, members - start) for start in range(0, members, chunk)]


@pytest.mark.parametrize("name", ["AblationCAM", "ReciproCAM"])
def test_several_images_each_get_their_own(made, name):
    """What passes a layer by is another for every image."""
    _, network = made("concatenated")
    x = images(3, seed=7)
    method = getattr(camcore, name)(network, "mid")
    whole = method.compute_heatmap(x, [0, 1, 2], raw=True)
    for i in (2, 0, 1):
        alone = getattr(camcore, name)(network, "mid").compute_heatmap(x[i], i, raw=True)
        np.testing.assert_allclose(whole[i], alone, rtol=1e-6)
