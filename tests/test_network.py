"""Network and wrap: taps, heads, classes, inputs, and what is refused."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from networks import (
    CLASSES,
    GRID,
    SIZE,
    TWINS,
    Subclassed,
    W,
    channels_first,
    conv1,
    conv2,
    dense,
    flat,
    gap,
    given,
    grey,
    images,
    nested,
    open_size,
    picture_input,
    settle,
    two_outputs,
)
from shared_data import shared

import camcore
from camcore.graph.gradients import CLASSES_PER_PASS, TOP_CLASS


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat())


@pytest.fixture(scope="module")
def branched() -> camcore.Network:
    """Two residual blocks, a gate and a skip past everything: heads need what the layer is not all of."""
    r = np.random.default_rng(4)
    x = picture_input()
    y = conv1()(x)
    z = layers.Conv2D(4, 3, padding="same", activation="relu", dtype="float64", name="block1")(y)
    y = layers.Add(dtype="float64", name="add1")([y, z])
    gate = layers.Conv2D(4, 1, activation="sigmoid", dtype="float64")(gap(keepdims=True)(y))
    y = layers.Multiply(dtype="float64", name="gated")([y, gate])
    z = layers.Conv2D(4, 3, padding="same", activation="tanh", dtype="float64", name="block2")(y)
    y = layers.Concatenate(dtype="float64", name="joined")([y, z])
    both = layers.Concatenate(dtype="float64")([gap()(y), layers.Flatten(dtype="float64")(x)])
    model = keras.Model(x, layers.Dense(5, activation="softmax", dtype="float64")(both))
    for layer in model.layers:
        layer.set_weights([r.normal(0, 0.4, weight.shape) for weight in layer.get_weights()])
    return camcore.wrap(model)


# ---- facts


def test_facts(network):
    assert network.name == "flat"
    assert network.input_size == SIZE
    assert network.channels == 3
    assert network.classes == CLASSES
    assert network.labels == ("class 0", "class 1", "class 2", "class 3")
    assert network.parameters == sum(a.size for a in (W.k1, W.b1, W.k2, W.b2, W.w, W.b))
    assert network.weights_note == "weights as given"
    assert "12×10" in repr(network)
    assert "'features'" in repr(network)
    assert camcore.wrap(flat(), labels=list("abcd"), name="mine").labels == ("a", "b", "c", "d")


def test_logits_are_the_models(network):
    x = images(5)
    p = network.probabilities(network.logits(x))
    np.testing.assert_allclose(p, network.model(x), rtol=1e-9)
    for i in range(5):
        np.testing.assert_allclose(network.logits(x[i]), network.logits(x)[i : i + 1], rtol=1e-12)


# ---- taps


def test_a_tap_gives_what_keras_gives(network):
    x = images(3)
    found = network.tap(x, ["conv1", "features"], [1])
    inner = keras.Model(network.model.input, [network.model.get_layer(name).output for name in ("conv1", "features")])
    tail_in = keras.Input((*GRID, 4), dtype="float64")
    model = network.model
    tail = keras.Model(tail_in, model.layers[-2](model.get_layer("features")(tail_in)))
    with tf.GradientTape(persistent=True) as tape:
        first, last = inner(x)
        tape.watch([first])
        y = tf.reduce_sum(tail(first) @ W.w[:, 1:2])
    np.testing.assert_allclose(found.activations["conv1"], first, rtol=1e-12)
    np.testing.assert_allclose(found.activations["features"], last, rtol=1e-12)
    np.testing.assert_allclose(found.gradients[0]["conv1"], tape.gradient(y, first), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.gradients[0]["features"], np.broadcast_to(W.w[:, 1] / 30, last.shape), rtol=1e-12)
    np.testing.assert_allclose(found.logits, network.logits(x), rtol=1e-12)


def same(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one.logits, other.logits, rtol=1e-12)
    for path, A in one.activations.items():
        np.testing.assert_allclose(A, other.activations[path], rtol=1e-12)
    for i, group in enumerate(one.gradients):
        np.testing.assert_array_equal(one.classes[i], other.classes[i])
        for path, G in group.items():
            np.testing.assert_allclose(G, other.gradients[i][path], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", ["network", "branched"])
def test_a_batch_with_a_class_per_image_is_n_single_ones(name, request):
    network = request.getfixturevalue(name)
    x = images(4)
    asked = [[0, 3, 1, TOP_CLASS], 2]
    paths = [info.path for info in network.layers if info.usable]
    whole = network.tap(x, paths, asked)
    assert [c.tolist() for c in whole.classes][1] == [2, 2, 2, 2]
    for i in range(4):
        single = network.tap(x[i : i + 1], paths, [asked[0][i], 2])
        for path in paths:
            np.testing.assert_allclose(whole.activations[path][i], single.activations[path][0], rtol=1e-9)
            for slot in (0, 1):
                np.testing.assert_allclose(
                    whole.gradients[slot][path][i], single.gradients[slot][path][0], rtol=1e-9, atol=1e-14
                )


def test_top_class_is_each_images_own(network):
    x = images(6, seed=12)
    found = network.tap(x, ["features"], [TOP_CLASS])
    top = network.logits(x).argmax(axis=1)
    assert len(set(top.tolist())) > 1
    np.testing.assert_array_equal(found.classes[0], top)
    for i, c in enumerate(top):
        np.testing.assert_allclose(
            found.gradients[0]["features"][i], np.broadcast_to(W.w[:, c] / 30, (*GRID, 6)), rtol=1e-12
        )


def test_more_classes_than_one_pass_takes(branched):
    x = images(2)
    asked = [4, 0, 3, 1, 2, 4, TOP_CLASS]
    assert len(asked) > CLASSES_PER_PASS
    whole = branched.tap(x, ["joined", "add1"], asked)
    assert len(whole.gradients) == len(whole.classes) == len(asked)
    for slot, c in enumerate(asked):
        single = branched.tap(x, ["joined", "add1"], [c])
        np.testing.assert_array_equal(single.classes[0], whole.classes[slot])
        for path in ("joined", "add1"):
            np.testing.assert_allclose(whole.gradients[slot][path], single.gradients[0][path], rtol=1e-9, atol=1e-14)
    np.testing.assert_array_equal(whole.gradients[0]["joined"], whole.gradients[5]["joined"])


def test_several_layers_at_once_are_one_at_a_time(branched):
    x = images(2)
    paths = [info.path for info in branched.layers if info.usable]
    assert len(paths) >= 6
    whole = branched.tap(x, paths, [1, 4])
    for path in paths:
        single = branched.tap(x, [path], [1, 4])
        np.testing.assert_allclose(single.activations[path], whole.activations[path], rtol=1e-10)
        for slot in (0, 1):
            np.testing.assert_allclose(single.gradients[slot][path], whole.gradients[slot][path], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("order", [["features", "conv1"], ["conv1", "features"], ["features"], ["conv1"]])
def test_the_order_of_questions_is_of_no_account(order):
    """The default layer's gradient is built alone when it is asked for first; the rest later."""
    fresh = camcore.wrap(flat())
    x = images(2)
    known = camcore.wrap(flat()).tap(x, ["conv1", "features"], [0, 2])
    for path in order:
        found = fresh.tap(x, [path], [0, 2])
        for slot in (0, 1):
            np.testing.assert_allclose(found.gradients[slot][path], known.gradients[slot][path], rtol=1e-12, atol=1e-16)


def test_a_tap_without_classes(network):
    found = network.tap(images(2), ["features", "features"])
    assert (found.classes, found.gradients) == ((), ())
    assert list(found.activations) == ["features"]


def test_nothing_is_compiled_twice(network, monkeypatch):
    """New pictures, classes and batch sizes take the functions that are there."""
    x = images(3)
    network.tap(x, ["features"], [0])
    network.logits(x)
    network.head("features")(x, network.tap(x, ["features"]).activations["features"])
    built = []
    prune = network.traced.compiler.trace.function.prune
    monkeypatch.setattr(
        network.traced.compiler.trace.function, "prune", lambda *a, **k: built.append(a) or prune(*a, **k)
    )
    for n in (1, 2, 5):
        x = images(n, seed=n)
        network.tap(x, ["features"], [n % 4])
        network.logits(x)
        network.head("features")(x, network.tap(x, ["features"]).activations["features"])
    assert not built


def test_many_questions_do_not_pile_up(branched, monkeypatch):
    """Compiled functions are dropped, oldest first, and built again when needed; answers stay the same."""
    x = images(1)
    paths = [info.path for info in branched.layers if info.usable]
    before = branched.tap(x, paths[:1], [0])
    monkeypatch.setattr("camcore.graph.compiled.KEPT_FUNCTIONS", 3)
    for count in range(1, 4):
        for classes in range(2):
            branched.tap(x, paths[:count], list(range(classes)))
    assert len(branched.traced.compiler.functions) <= 3
    same(branched.tap(x, paths[:1], [0]), before)


def test_no_gradient_reaches_a_layer():
    class Step(layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.stop_gradient(x)

    x = picture_input()
    y = Step(dtype="float64")(conv1()(x))
    end = given(layers.Dense(CLASSES, dtype="float64"), W.w, W.b)
    network = camcore.wrap(settle(keras.Model(x, end(gap()(conv2()(y))))))
    network.tap(images(1), ["conv1"])
    assert np.abs(network.tap(images(1), ["features"], [1]).gradients[0]["features"]).max() > 0
    with pytest.raises(camcore.LayerError, match=r"No gradient reaches layer 'conv1'.*derivative.*'features'"):
        network.tap(images(1), ["conv1"], [1])


# ---- heads


@pytest.mark.parametrize("name", ["network", "branched"])
def test_the_head_of_a_layers_own_activations_is_the_model(name, request):
    network = request.getfixturevalue(name)
    x = images(3)
    logits = network.logits(x)
    for info in network.layers:
        if info.usable:
            A = network.tap(x, [info.path]).activations[info.path]
            np.testing.assert_allclose(network.head(info.path)(x, A), logits, rtol=1e-12, err_msg=info.path)


def test_the_head_uses_what_it_is_given(network, branched):
    x = images(2)
    A = np.random.default_rng(0).random((2, *GRID, 6))
    np.testing.assert_allclose(network.head("features")(x, A), A.mean(axis=(1, 2)) @ W.w + W.b, rtol=1e-12)
    changed = branched.tap(x, ["add1"]).activations["add1"].copy()
    changed[:, 2, 3] += 1
    assert np.abs(branched.head("add1")(x, changed) - branched.logits(x)).max() > 1e-6


def test_one_picture_and_many_activations(network):
    """The head behind a layer that cuts all off: x may stay one picture."""
    x = images(1)
    A = np.random.default_rng(0).random((7, *GRID, 6))
    np.testing.assert_allclose(network.head("features")(x, A), A.mean(axis=(1, 2)) @ W.w + W.b, rtol=1e-12)


def test_a_skip_past_the_layer_still_counts(branched):
    """With block2's output replaced, what comes from x and from the other branch is still that of x."""
    x = images(2)
    zero = np.zeros((2, *GRID, 4))
    by_hand = branched.tap(x, ["joined"]).activations["joined"].copy()
    by_hand[..., 4:] = 0
    np.testing.assert_allclose(branched.head("block2")(x, zero), branched.head("joined")(x, by_hand), rtol=1e-12)
    assert np.abs(branched.head("block2")(x, zero) - branched.head("block2")(x + 1, zero)).max() > 1e-6


# ---- masked passes


def test_masked_logits_are_those_of_masked_inputs(network):
    x = images(1)
    maps = np.random.default_rng(0).normal(size=(3, *GRID)).astype(np.float32)
    up = tf.image.resize(maps[..., None], SIZE).numpy()
    low, high = up.min(axis=(1, 2, 3), keepdims=True), up.max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(network.masked_logits(x, maps), network.logits(x * (up - low) / (high - low)), rtol=1e-5)


def test_a_constant_mask_is_black(network):
    x = images(1)
    found = network.masked_logits(x, np.full((1, *GRID), 3.0, np.float32))
    np.testing.assert_allclose(found, network.logits(np.zeros_like(x)), rtol=1e-12)


# ---- classes


@pytest.mark.parametrize("index", [0, 3, np.int64(2), np.uint8(1)])
def test_classes_that_are_there(network, index):
    found = network.check_class(index)
    assert found == index
    assert type(found) is int


@pytest.mark.parametrize(
    "index", [-1, 4, 1000, 1.5, True, False, np.True_, "a", "1", None, [], float("nan"), float("inf"), 10**30]
)
def test_classes_that_are_not(network, index):
    with pytest.raises(camcore.ModelError, match=r"There is no class .* in flat: it has 4 classes, 0 to 3"):
        network.check_class(index)


# ---- inputs


def test_one_image_gains_the_batch_axis(network):
    x = images(1)
    assert network.check_input(x[0]).shape == (1, *SIZE, 3)
    assert network.check_input(x.astype(np.float32)).dtype == np.float64
    assert network.check_input((x * 10).astype(np.int32)).dtype == np.float64


def test_tensors_are_inputs_too(network):
    x = images(2)
    wanted = network.logits(x)
    np.testing.assert_allclose(network.logits(tf.constant(x)), wanted, rtol=1e-12)
    np.testing.assert_allclose(network.logits(tf.constant(x, tf.bfloat16)), wanted, rtol=0.1, atol=0.1)
    np.testing.assert_allclose(network.logits(x.tolist()), wanted, rtol=1e-12)


def test_a_network_of_whole_numbers():
    """A uint8 input that the model scales itself: taps, and masks that do not fall to 0 and 1."""
    x = picture_input(dtype="uint8")
    y = layers.Rescaling(1 / 127.5, -1, dtype="float64")(x)
    model = settle(keras.Model(x, dense()(gap()(conv2()(conv1()(y))))))
    network = camcore.wrap(model)
    twin = camcore.wrap(flat(), preprocess=lambda x: x / 127.5 - 1)
    pixels = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    np.testing.assert_allclose(network.logits(pixels), twin.logits(pixels / 127.5 - 1), rtol=1e-6)
    wanted = camcore.LayerCAM(twin).compute_heatmap(pixels / 127.5 - 1, 1)
    np.testing.assert_allclose(camcore.LayerCAM(network).compute_heatmap(pixels, 1), wanted, atol=1e-5)
    maps = np.random.default_rng(1).random((4, *GRID), np.float32)
    up = tf.image.resize(maps[..., None], SIZE).numpy()
    low, high = up.min(axis=(1, 2, 3), keepdims=True), up.max(axis=(1, 2, 3), keepdims=True)
    masked = pixels[:1] * (up - low) / (high - low)
    np.testing.assert_allclose(
        network.masked_logits(pixels[:1], maps), twin.logits(masked / 127.5 - 1), rtol=0.05, atol=0.05
    )


@pytest.mark.parametrize(
    "shape", [(13, 10, 3), (1, 10, 12, 3), (2, 12, 10, 1), (12, 10), (1, 1, 12, 10, 3), (0, 12, 10, 3), (), (3,)]
)
def test_inputs_of_another_shape(network, shape):
    with pytest.raises(
        camcore.ModelError, match=r"input has the shape \(.*flat takes \(12, 10, 3\).*preprocessed.*camcore.explain"
    ):
        network.check_input(np.zeros(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_not_finite(network, bad):
    x = images(2)
    x[1, 4, 4, 0] = bad
    for ask in (network.logits, lambda x: network.tap(x, ["features"], [0])):
        with pytest.raises(camcore.ModelError, match=r"NaN or infinite.*preprocessing"):
            ask(x)


def test_inputs_that_are_no_numbers(network):
    with pytest.raises(camcore.ModelError):
        network.check_input(np.full((1, *SIZE, 3), "a"))


def test_inputs_too_large_for_half_precision_are_refused():
    network = camcore.wrap(settle(keras.Model(*half_ends())))
    with pytest.raises(camcore.ModelError, match="NaN or infinite"):
        network.logits(np.full((1, *SIZE, 3), 1e6))


def half_ends() -> tuple[Any, Any]:
    x = picture_input(dtype="float16")
    return x, dense("float16")(gap("float16")(conv2("float16")(conv1("float16")(x))))


# ---- pictures


def test_a_picture_becomes_the_input():
    seen = []

    def preprocess(rgb: Any) -> Any:
        seen.append(rgb.copy())
        return rgb / 127.5 - 1

    network = camcore.wrap(flat(dtype="float32"), preprocess=preprocess)
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8))
    x, frame = network.prepare(pic, "stretch")
    assert frame.framing == "stretch"
    assert frame.input_size == SIZE
    np.testing.assert_array_equal(seen[0], pic.rgb[None].astype(np.float32))
    np.testing.assert_allclose(x, pic.rgb[None] / 127.5 - 1, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [SIZE, (40, 70)])
def test_a_model_of_ones_own_sees_the_whole_picture(size):
    """A picture of the input's size goes in pixel by pixel; another one is stretched, none of it cut off."""
    network = camcore.wrap(flat(dtype="float32"))
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))
    x, frame = network.prepare(pic)
    assert network.framing == frame.framing == "stretch"
    assert frame.seen == (0, 0, *size)
    if size == SIZE:
        np.testing.assert_array_equal(x, pic.rgb[None].astype(np.float32))
        said = network.model.predict(pic.rgb[None].astype(np.float32), verbose=0)[0]
        np.testing.assert_allclose([p.probability for p in network.predict(pic)], sorted(said)[::-1], rtol=1e-5)
    (m,) = camcore.explain(network, pic)
    assert m.framing == "stretch"
    assert not np.isnan(m.on_picture()).any()


@pytest.mark.parametrize("framing", ["crop", "letterbox"])
def test_a_network_s_own_framing_is_used_where_no_other_is_named(framing):
    network = camcore.wrap(flat(), framing=framing)
    pic = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8))
    assert network.prepare(pic)[1].framing == framing
    assert network.predict(pic) == network.predict(pic, framing=framing) != network.predict(pic, framing="stretch")
    assert {m.framing for m in camcore.explain(network, pic, ["gradcam", "scorecam"])} == {framing}
    with pytest.raises(camcore.CamcoreError, match="zoom"):
        camcore.wrap(flat(), framing="zoom")


def test_the_last_prepared_picture_is_not_mistaken_for_another(network):
    """Whatever is kept between questions: each picture and framing gets its own input."""
    r = np.random.default_rng(0)
    pics = [camcore.Picture.from_array(r.integers(0, 256, (30, 40, 3), dtype=np.uint8)) for _ in range(3)]
    fresh = camcore.wrap(flat())
    wanted = {}
    for i, pic in enumerate(pics):
        for framing in ("crop", "stretch", "letterbox"):
            wanted[i, framing] = fresh.prepare(pic, framing)[0].copy()
    for i, framing in [(0, "crop"), (0, "crop"), (1, "crop"), (1, "stretch"), (0, "stretch"), (2, "letterbox")] * 2:
        x, frame = network.prepare(pics[i], framing)
        np.testing.assert_array_equal(x, wanted[i, framing])
        assert frame.framing == framing
        try:
            x[:] = -1  # what a caller does to it must not reach the next
        except ValueError:
            assert not x.flags.writeable
    assert np.unique([one.sum() for one in wanted.values()]).size == 9


def test_preprocessing_in_place_does_no_harm():
    def preprocess(rgb: Any) -> Any:
        rgb -= 100
        return rgb

    network = camcore.wrap(flat(), preprocess=preprocess)
    rgb = np.full((1, *SIZE, 3), 50, np.float32)
    np.testing.assert_array_equal(network.preprocess(rgb), rgb - 100)
    assert (rgb == 50).all()


def test_grey_networks_get_the_luma():
    network = camcore.wrap(grey())
    rgb = np.zeros((1, *SIZE, 3), np.float32)
    rgb[..., 0], rgb[..., 1], rgb[..., 2] = 100, 50, 200
    np.testing.assert_allclose(network.preprocess(rgb), np.full((1, *SIZE, 1), 29.9 + 29.35 + 22.8), rtol=1e-6)
    assert network.channels == 1


def test_channels_first_networks_get_their_axes():
    network = camcore.wrap(channels_first())
    rgb = np.random.default_rng(0).random((2, *SIZE, 3)).astype(np.float32)
    np.testing.assert_array_equal(network.preprocess(rgb), rgb.transpose(0, 3, 1, 2))
    assert network.input_size == SIZE
    info = network.layer("features")
    assert (info.grid, info.channels) == (GRID, 6)
    x = network.preprocess(rgb)
    assert network.tap(x, ["features"]).activations["features"].shape == (2, *GRID, 6)


def test_what_tensorflow_cannot_run_is_a_model_error():
    """Convolutions in float64 with the channels first exist on no CPU."""
    network = camcore.wrap(channels_first("float64"))
    with pytest.raises(camcore.ModelError, match=r"NHWC|channels|cannot"):
        network.logits(images(1).transpose(0, 3, 1, 2))


@pytest.mark.parametrize("top", [1, 3, 4, 9])
def test_predictions(network, top):
    pic = camcore.Picture.from_array(np.random.default_rng(3).integers(0, 256, (30, 40, 3), dtype=np.uint8))
    x, _ = network.prepare(pic)
    p = np.asarray(network.model(x.astype(np.float64)))[0]
    found = network.predict(pic, top=top)
    order = np.argsort(-p)[: min(top, 4)]
    assert [one.index for one in found] == order.tolist()
    np.testing.assert_allclose([one.probability for one in found], p[order], rtol=1e-9)
    assert found[0].label == f"class {order[0]}"


def test_predict_in_each_framing(network):
    pic = camcore.Picture.from_array(np.random.default_rng(3).integers(0, 256, (30, 70, 3), dtype=np.uint8))
    logits = {framing: network.predict(pic, framing=framing)[0].logit for framing in ("crop", "stretch", "letterbox")}
    assert len(set(logits.values())) == 3
    with pytest.raises(camcore.CamcoreError, match="zoom"):
        network.predict(pic, framing="zoom")


# ---- wrap refuses, and says what fits


def test_not_a_keras_model():
    for thing in (None, "VGG16", object(), layers.Dense(3), np.zeros(3)):
        with pytest.raises(camcore.ModelError, match=r"not a Keras 3 model.*keras\.Model.*(convert|rebuild)"):
            camcore.wrap(thing)


def test_two_inputs():
    a, b = picture_input(), picture_input()
    y = gap()(conv2()(conv1()(layers.Add(dtype="float64")([a, b]))))
    with pytest.raises(camcore.ModelError, match=r"has 2 inputs; a heatmap explains one picture.*one image input"):
        camcore.wrap(settle(keras.Model([a, b], dense()(y))))


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_several_outputs_unchosen(kind):
    with pytest.raises(
        camcore.ModelError, match=r"2 outputs \(0: 'embedding', 1: 'scores'\).*Choose one: wrap\(model, output=0\)"
    ):
        camcore.wrap(two_outputs(kind))


@pytest.mark.parametrize("kind", ["list", "dict"])
@pytest.mark.parametrize("output", [2, -1, "score", True, 1.0])
def test_an_output_that_is_not_there(kind, output):
    with pytest.raises(camcore.ModelError, match=r"no output .*It has 0: 'embedding', 1: 'scores'"):
        camcore.wrap(two_outputs(kind), output=output)


def test_one_output_may_be_named_too():
    assert camcore.wrap(flat(), output=0).classes == CLASSES
    assert camcore.wrap(flat(), output="scores").classes == CLASSES
    with pytest.raises(camcore.ModelError, match="no output 1"):
        camcore.wrap(flat(), output=1)


def test_segmentation_is_read_per_pixel():
    x = picture_input()
    y = layers.Conv2D(5, 1, activation="softmax", dtype="float64")(conv1()(x))
    model = keras.Model(x, y)
    network = camcore.wrap(model)
    assert network.classes == 5
    np.testing.assert_allclose(network.answer(images(2))[1], np.asarray(model(images(2))).mean(axis=(1, 2)), rtol=1e-9)


def test_an_open_input_size():
    with pytest.raises(camcore.ModelError, match=r"leaves its input size open.*input_size=\(224, 224\)"):
        camcore.wrap(open_size())
    assert camcore.wrap(open_size(), input_size=(20, 16)).layer("features").grid == (10, 8)


def test_a_subclassed_model_does_not_say_its_size():
    with pytest.raises(camcore.ModelError, match=r"does not say its input size.*input_size=\(224, 224\)"):
        camcore.wrap(Subclassed())


@pytest.mark.parametrize("size", [(12,), (0, 10), (-1, 10), (12, 10, 3)])
def test_input_sizes_that_are_none(size):
    with pytest.raises(camcore.ModelError, match=r"input_size=.* must be \(height, width\)"):
        camcore.wrap(open_size(), input_size=size)


def test_an_input_size_that_does_not_fit():
    with pytest.raises(camcore.ModelError, match=r"input_size=\(20, 10\) does not fit the model 'flat'.*12×10"):
        camcore.wrap(flat(), input_size=(20, 10))


def test_inputs_that_are_no_pictures():
    x = keras.Input((7,))
    with pytest.raises(camcore.ModelError, match=r"takes an input of shape \(None, 7\).*height, width, channels"):
        camcore.wrap(keras.Model(x, layers.Dense(3)(x)))
    x = keras.Input((8, 8, 5))
    with pytest.raises(camcore.ModelError, match=r"takes 5 channels; pictures have 3 \(colour\) or 1 \(grey\)"):
        camcore.wrap(keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(x)))))


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"], list("abcde")])
def test_labels_must_fit(labels):
    with pytest.raises(camcore.ModelError, match=f"{len(labels)} labels were given.* 4 classes.*one label per class"):
        camcore.wrap(flat(), labels=labels)


def test_labels_of_one_unit():
    twin = TWINS["one sigmoid unit, class 1"]
    assert camcore.wrap(twin.build(), labels=["cat", "dog"]).labels == ("cat", "dog")
    with pytest.raises(camcore.ModelError, match="negative one first"):
        camcore.wrap(twin.build(), labels=["dog"])


# ---- real weights


REAL = ["MobileNetV2", "MobileNet", "MobileNet alpha 0.25", "SqueezeNet1.1"]
MEAN, SPREAD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def real(name: str, monkeypatch: Any) -> camcore.Network:
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))
    if name == "SqueezeNet1.1":
        model = keras.saving.load_model(shared("weights", "SqueezeNet1.1.keras"))
        return camcore.wrap(model, preprocess=lambda x: (x / 255 - MEAN) / SPREAD)
    options = {"alpha": 0.25} if "alpha" in name else {}
    return camcore.load(name.split()[0], **options)


@pytest.mark.parametrize("name", REAL)
def test_cam_is_exact_on_real_weights(name, monkeypatch):
    """mean(raw) + offset is the logit, for a photograph's first classes and for one it does not show."""
    network = real(name, monkeypatch)
    photo = sorted(shared("photos").glob("*.jpg"))[0]
    pic = camcore.open_picture(photo)
    classes = [one.index for one in network.predict(pic, top=3)] + [0, 999]
    for m in camcore.explain(network, pic, "cam", classes=classes):
        assert m.raw.mean(dtype=np.float64) + m.offset == pytest.approx(m.logit, abs=1e-4)
    wanted = "relu_conv10" if name == "SqueezeNet1.1" else ("out_relu" if "V2" in name else "conv_pw_13_relu")
    side = 13 if name == "SqueezeNet1.1" else 7
    info = network.layer(network.default_layer)
    assert info.grid == (side, side)
    if name != "SqueezeNet1.1":
        assert info.path == wanted
    p = network.probabilities(network.logits(network.prepare(pic)[0]))[0]
    says = np.asarray(network.model(network.prepare(pic)[0]))[0].reshape(-1)
    np.testing.assert_allclose(p, says, atol=1e-5)


def test_cam_on_a_network_without_global_average_pooling():
    """VGG16's kind: Flatten and Dense behind the last map."""
    x = picture_input()
    y = layers.MaxPooling2D(2, dtype="float64")(conv2()(conv1()(x)))
    end = layers.Dense(5, dtype="float64")(layers.Dense(8, "relu", dtype="float64")(layers.Flatten(dtype="float64")(y)))
    network = camcore.wrap(settle(keras.Model(x, end)))
    assert network.default_layer == "features"
    pic = camcore.Picture.from_array(np.zeros((*SIZE, 3), np.uint8) + 9)
    with pytest.raises(camcore.MethodError, match=r"CAM is not defined for .*global average pooling.*gradcam.*surgery"):
        camcore.explain(network, pic, "cam")


def test_nested_models_give_what_flat_ones_do():
    """The same, seen from the network's side: equal taps under other names."""
    x = images(2)
    one = camcore.wrap(nested()).tap(x, ["backbone/features", "backbone/conv1"], [3])
    other = camcore.wrap(flat()).tap(x, ["features", "conv1"], [3])
    for name in ("features", "conv1"):
        np.testing.assert_allclose(one.activations[f"backbone/{name}"], other.activations[name], rtol=1e-12)
        np.testing.assert_allclose(
            one.gradients[0][f"backbone/{name}"], other.gradients[0][name], rtol=1e-10, atol=1e-15
        )
