"""The layer list, the recommended layer, and what is said about the others."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from networks import (
    GRID,
    SIZE,
    Block,
    backbone,
    conv1,
    conv2,
    dense,
    flat,
    gap,
    images,
    nested,
    settle,
    shared_twice,
    with_block,
)

import camcore
from camcore.framing import CellGrid


def small(*steps: Any, side: int = 16) -> camcore.Network:
    x = keras.Input((side, side, 3))
    y = x
    for step in steps:
        y = step(y)
    return camcore.wrap(keras.Model(x, y))


def conv(name: str, **options: Any) -> Any:
    return layers.Conv2D(4, 3, name=name, **{"padding": "same", "activation": "relu", **options})


# ---- the recommended layer


RECOMMENDED = {
    "before global average pooling": (
        lambda: [conv("a"), conv("b", strides=2), layers.GlobalAveragePooling2D(), layers.Dense(3)],
        "b",
        "global average pooling",
    ),
    "before global max pooling": (
        lambda: [conv("a"), conv("b"), layers.GlobalMaxPooling2D(), layers.Dense(3)],
        "b",
        "global max pooling",
    ),
    "before flattening": (
        lambda: [conv("a"), conv("b"), layers.Flatten(), layers.Dense(3)],
        "b",
        "flattening",
    ),
    "the pooling's input, as in VGG": (
        lambda: [conv("a"), conv("b"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)],
        "b",
        "flattening",
    ),
    "past two poolings": (
        lambda: [conv("b"), layers.MaxPooling2D(), layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(3)],
        "b",
        "flattening",
    ),
    "after normalisation and activation": (
        lambda: [
            conv("a", activation=None),
            layers.BatchNormalization(),
            layers.ReLU(name="b"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ],
        "b",
        "global average pooling",
    ),
    "dropout before the end": (
        lambda: [conv("b"), layers.Dropout(0.5), layers.GlobalAveragePooling2D(), layers.Dense(3)],
        "b",
        "global average pooling",
    ),
    "an average over the whole grid": (
        lambda: [conv("b"), layers.AveragePooling2D(16), layers.Flatten(), layers.Dense(3)],
        "b",
        "average pooling over the whole grid",
    ),
    "a convolution that ends the grid": (
        lambda: [conv("b"), layers.Conv2D(3, 16, name="logits"), layers.Flatten()],
        "b",
        "convolution that ends the grid",
    ),
    "maps of the classes themselves, as in SqueezeNet": (
        lambda: [conv("a"), layers.Conv2D(3, 1, name="b"), layers.GlobalAveragePooling2D(), layers.Softmax()],
        "b",
        "global average pooling",
    ),
    "a stage that pools down to 1×1 earlier than the last": (
        lambda: [conv("b"), layers.MaxPooling2D(16), layers.Conv2D(4, 1), layers.Flatten(), layers.Dense(3)],
        "b",
        "max pooling over the whole grid",
    ),
}


@pytest.mark.parametrize("case", RECOMMENDED)
def test_recommended(case):
    build, path, why = RECOMMENDED[case]
    network = small(*build())
    assert network.default_layer == path
    info = network.layer(path)
    assert info.recommended
    assert [i.path for i in network.layers if i.recommended] == [path]
    assert f"{info.grid[0]}×{info.grid[1]}" in info.reason
    assert why in info.reason


def test_squeeze_and_excitation_is_not_the_end():
    x = keras.Input((16, 16, 3))
    y = conv("stage")(x)
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D()(y))
    y = layers.Multiply(name="gated")([y, layers.Reshape((1, 1, 4))(gate)])
    y = conv("last", strides=2)(y)
    gate = layers.Conv2D(4, 1, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    y = layers.Multiply(name="gated_last")([y, gate])
    network = camcore.wrap(keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(y))))
    assert network.default_layer == "gated_last"


def test_a_plain_operation_can_be_the_layer():
    x = keras.Input((16, 16, 3))
    y = conv("a")(x)
    network = camcore.wrap(keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling2D()(y + conv("b")(y)))))
    info = network.layer(network.default_layer)
    assert (info.class_name, info.kind) == ("Add", "merge")
    pixels = np.random.default_rng(0).normal(size=(1, 16, 16, 3)).astype(np.float32)
    found = network.tap(pixels, [info.path, "a", "b"]).activations
    np.testing.assert_allclose(found[info.path], found["a"] + found["b"], rtol=1e-6)


def test_two_branches_at_the_end_the_coarsest_counts():
    x = keras.Input((16, 16, 3))
    fine = conv("fine")(x)
    coarse = conv("coarse", strides=2)(fine)
    both = layers.Concatenate()([layers.GlobalAveragePooling2D()(fine), layers.GlobalAveragePooling2D()(coarse)])
    assert camcore.wrap(keras.Model(x, layers.Dense(3)(both))).default_layer == "coarse"


def test_a_dead_end_is_not_recommended():
    """A deeper map that only feeds the other output."""
    x = keras.Input((16, 16, 3))
    y = conv("used")(x)
    side = conv("unused", strides=4)(y)
    scores = layers.Dense(3)(layers.GlobalAveragePooling2D()(y))
    other = layers.Dense(2)(layers.GlobalAveragePooling2D()(side))
    model = keras.Model(x, [scores, other])
    network = camcore.wrap(model, output=0)
    assert network.default_layer == "used"
    assert not network.layer("unused").usable
    assert "scores do not depend on it" in network.layer("unused").reason
    assert camcore.wrap(model, output=1).default_layer == "unused"


@pytest.mark.parametrize(
    "steps",
    [
        lambda: [layers.Flatten(), layers.Dense(8), layers.Dense(3)],
        lambda: [layers.GlobalAveragePooling2D(), layers.Dense(3)],
        lambda: [layers.Conv2D(4, 16), layers.Flatten(), layers.Dense(3)],
    ],
    ids=["dense only", "pools at once", "1×1 at once"],
)
def test_no_feature_map_at_all(steps):
    """Nothing is recommended; what needs a layer says so, and what serves instead."""
    network = small(*steps())
    assert network.default_layer is None
    assert network.ladder == ()
    assert not any(info.recommended for info in network.layers)
    with pytest.raises(camcore.LayerError, match=r"no layer with a grid larger than 1×1.*'occlusion' and 'rise'"):
        network.layer_with_grid()
    with pytest.raises(camcore.LayerError, match=r"no spatial grid|one cell only.*'occlusion' and 'rise'"):
        network.layer_with_grid(network.layers[-1].path)
    with pytest.raises(camcore.LayerError, match="There is no layer 'nowhere'"):
        network.layer("nowhere")


# ---- the list


def test_entries():
    network = camcore.wrap(flat())
    info = {i.path: i for i in network.layers}
    kinds = [i.class_name for i in network.layers if i.class_name != "InputLayer"]
    assert kinds == ["Conv2D", "Conv2D", "GlobalAveragePooling2D", "Dense"]
    one = info["conv1"]
    assert (one.grid, one.channels, one.stride) == (GRID, 4, (2.0, 2.0))
    assert one.receptive_field == (3, 3)
    assert (one.kind, one.class_name, one.name) == ("convolution", "Conv2D", "conv1")
    assert one.usable
    assert not one.recommended
    assert "6×5 cells" in one.reason
    assert "'features'" in one.reason
    last = info["scores"]
    assert (last.grid, last.channels, last.usable, last.kind) == (None, 4, False, "dense")
    assert "no spatial grid (shape 4)" in last.reason


def test_the_list_is_in_the_order_of_the_computation():
    paths = [info.path for info in camcore.wrap(with_block(Block)).layers]
    order = [path for path in paths if path in ("conv1", "block/features", "block", "scores")]
    assert order == ["conv1", "block/features", "block", "scores"]


def test_a_map_made_by_the_models_own_code_is_listed_where_it_is_made():
    """The default layer may be no layer at all; the list stays in order, and the ladder ends with it."""

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__(dtype="float64")
            self.first, self.second, self.end = conv1(), conv2(activation=None), dense()
            self.pool = gap()

        def call(self, x: Any) -> Any:
            return self.end(self.pool(tf.nn.relu(self.second(self.first(x)))))

    model = Own()
    model(images(1))
    network = camcore.wrap(settle(model), input_size=SIZE)
    paths = [info.path for info in network.layers]
    assert paths.index("features") < paths.index(network.default_layer) < paths.index("scores")
    assert network.ladder[-1] == network.default_layer


def test_kinds():
    network = small(
        layers.Rescaling(1 / 255, name="scale"),
        layers.ZeroPadding2D(1, name="pad"),
        conv("c"),
        layers.BatchNormalization(name="bn"),
        layers.ReLU(name="relu"),
        layers.MaxPooling2D(name="pool"),
        layers.UpSampling2D(2, name="up"),
        layers.GlobalAveragePooling2D(name="gap"),
        layers.Dense(3, name="end"),
    )
    kinds = {info.path: info.kind for info in network.layers}
    wanted = {
        "scale": "preprocessing",
        "pad": "padding",
        "c": "convolution",
        "bn": "normalisation",
        "relu": "activation",
        "pool": "pooling",
        "up": "resizing",
        "gap": "pooling",
        "end": "dense",
    }
    assert {path: kinds[path] for path in wanted} == wanted


def test_a_grid_of_one_cell_is_refused_with_the_reason():
    network = small(conv("a"), layers.MaxPooling2D(16, name="one"), layers.Flatten(), layers.Dense(3))
    assert not network.layer("one").usable
    assert "one cell only (1×1)" in network.layer("one").reason


def test_reasons_are_never_empty():
    for info in camcore.wrap(nested()).layers:
        assert info.reason


# ---- finding one


@pytest.fixture(scope="module")
def network():
    return camcore.wrap(nested())


def test_by_path_name_and_object(network):
    wanted = network.layer("backbone/features")
    assert wanted.name == "features"
    assert network.layer("features") is wanted
    layer = network.model.get_layer("backbone").get_layer("features")
    assert network.layer(layer) is wanted
    assert network.layer("backbone") is wanted  # a submodel is what it ends in
    assert network.layer(network.model.get_layer("backbone")) is wanted
    assert network.layer_with_grid(None).path == network.default_layer == "backbone/features"


def test_of_several_calls_the_last():
    network = camcore.wrap(shared_twice())
    assert network.layer("mid").path == "mid#2"
    assert network.layer("mid#1").path == "mid#1"
    assert network.layer(network.model.get_layer("mid")).path == "mid#2"


def test_dropout_stands_for_the_layer_before_it():
    network = small(conv("b"), layers.Dropout(0.5, name="drop"), layers.GlobalAveragePooling2D(), layers.Dense(3))
    pixels = np.random.default_rng(0).random((1, 16, 16, 3), np.float32)
    info = network.layer("drop")
    found = network.tap(pixels, [info.path, "b"]).activations
    np.testing.assert_array_equal(found[info.path], found["b"])


@pytest.mark.parametrize(("wrong", "near"), [("featurs", "features"), ("backbone/feature", "backbone/features")])
def test_unknown_with_the_nearest(network, wrong, near):
    with pytest.raises(
        camcore.LayerError, match=f"no layer '{wrong}'.*Did you mean '(backbone/)?{near}'.*recommended.*`layers`"
    ):
        network.layer(wrong)


def test_unknown_and_nothing_near(network):
    with pytest.raises(camcore.LayerError, match=r"no layer 'zzzzzz' in this network.*The recommended layer is"):
        network.layer("zzzzzz")


@pytest.mark.parametrize("wrong", [3, 1.5, [], object(), b"features", True])
def test_no_name_at_all(network, wrong):
    with pytest.raises(camcore.LayerError, match=r"not part of this network.*Try 'backbone/features'"):
        network.layer(wrong)


def test_a_layer_of_another_model(network):
    other = backbone().get_layer("features")
    with pytest.raises(camcore.LayerError, match=r"'features' is not part of this network.*this very model"):
        network.layer(other)


def test_no_grid_is_refused_as_in_the_contract(network):
    with pytest.raises(
        camcore.LayerError,
        match=r"Layer 'scores' .*no spatial grid \(shape 4\).*heatmap needs.*Try 'backbone/features' \(6×5\)",
    ):
        network.layer_with_grid("scores")


# ---- the ladder


def test_the_last_layer_of_each_of_the_last_four_grids():
    network = small(
        conv("a1"), conv("a2"), layers.MaxPooling2D(), conv("b1"), conv("b2"), layers.MaxPooling2D(), conv("c"),
        layers.MaxPooling2D(), conv("d1"), conv("d2"), layers.Dropout(0.5), layers.MaxPooling2D(), conv("e1"),
        conv("e2"), layers.GlobalAveragePooling2D(), layers.Dense(3), side=64,
    )  # fmt: skip
    assert network.ladder == ("b2", "c", "d2", "e2")


def test_a_short_ladder():
    assert camcore.wrap(flat()).ladder == ("features",)
    network = small(conv("a"), layers.MaxPooling2D(), conv("b"), layers.GlobalAveragePooling2D(), layers.Dense(3))
    assert network.ladder == ("a", "b")


def test_a_rescaled_picture_is_no_rung_of_the_ladder():
    x = keras.Input((32, 32, 3))
    y = layers.Conv2D(4, 3, strides=2, name="half")(layers.Rescaling(1 / 255)(x))
    y = layers.Conv2D(4, 3, strides=2, name="quarter")(y)
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
    assert camcore.wrap(model).ladder == ("half", "quarter")


def test_a_ladder_that_ends_before_a_pooling():
    """As in VGG: the pooled grid is smaller than the default layer's and comes after it."""
    network = small(conv("a"), layers.MaxPooling2D(), conv("b"), layers.MaxPooling2D(), layers.Flatten(),
                    layers.Dense(3))  # fmt: skip
    assert network.ladder == ("a", "b")


# ---- where the cells lie


def test_cells_of_a_small_field_lie_at_their_centres():
    network = small(conv("a", strides=2, padding="valid"), layers.GlobalAveragePooling2D(), layers.Dense(3), side=17)
    assert network.layer("a").cells((17, 17)) == CellGrid((1.0, 1.0), (2.0, 2.0))


def test_cells_of_a_field_larger_than_the_input_are_stretched_evenly():
    steps = [conv("a", strides=2), conv("b", strides=2), conv("c"), conv("d")]
    network = small(*steps, layers.GlobalAveragePooling2D(), layers.Dense(3), side=16)
    assert network.layer("d").receptive_field[0] > 16
    assert network.layer("d").cells((16, 16)) == CellGrid.uniform((4, 4), (16, 16))


# ---- where a layer's function ends


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (layers.ReLU(6.0, name="x"), (6.0,)),
        (layers.ReLU(4.0, name="x"), (4.0,)),
        (layers.Activation("hard_sigmoid", name="x"), (1.0,)),
        (layers.Activation("relu", name="x"), ()),
        (conv("x", activation="tanh"), (-1.0, 1.0)),
    ],
    ids=["ReLU6", "ReLU to 4", "hard sigmoid", "ReLU", "tanh inside a convolution"],
)
def test_where_a_layers_function_ends(layer, wanted):
    net = small(conv("first"), layer, layers.GlobalAveragePooling2D(), layers.Dense(3))
    assert net.layer("x").saturation_values == wanted
