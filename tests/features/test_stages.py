"""Stages, blocks and branches, on small networks whose plan is known."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

import camcore
from camcore.features import stages as structure
from camcore.features.stages import Block, BranchPosition


def network(build: Any, side: int = 16) -> camcore.Network:
    x = keras.Input((side, side, 3))
    y = layers.GlobalAveragePooling2D(name="gap")(build(x))
    return camcore.wrap(keras.Model(x, layers.Dense(2, name="scores")(y)))


def conv(name: str, **options: Any) -> Any:
    return layers.Conv2D(4, 3, padding="same", name=name, **options)


def residual(x: Any) -> Any:
    x = conv("stem")(x)
    y = conv("b")(conv("a")(x))
    y = layers.ReLU(name="out")(layers.Add(name="sum")([x, y]))
    z = conv("c")(y)
    return layers.Add(name="sum2")([z, conv("side")(y)])


def inception(x: Any) -> Any:
    x = conv("stem")(x)
    one = conv("one")(x)
    two = conv("two")(x)
    split = layers.Concatenate(name="inner")([conv("left")(two), conv("right")(two)])
    pooled = conv("after_pool")(layers.AveragePooling2D(3, strides=1, padding="same", name="pool")(x))
    return layers.Concatenate(name="mixed")([one, split, pooled])


def gated(x: Any) -> Any:
    x = conv("stem")(x)
    g = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    g = layers.Conv2D(4, 1, activation="sigmoid", name="gate")(g)
    return layers.Multiply(name="excite")([x, g])


def crossing(x: Any) -> Any:
    """``early`` goes into both sums: out of the first block, and to both inputs of the second."""
    x = conv("stem")(x)
    early = conv("early")(x)
    first = layers.Add(name="first")([early, conv("a")(x)])
    return layers.Add(name="second")([conv("b")(first), early])


def test_inputs_are_the_layers_before() -> None:
    found = {info.path: info.inputs for info in network(inception).layers}
    assert found["stem"] == ()
    assert found["left"] == found["right"] == ("two",)
    assert found["mixed"] == ("one", "inner", "after_pool")
    assert found["gap"] == ("mixed",)


def test_a_layer_that_changes_nothing_is_an_input_all_the_same() -> None:
    found = {
        info.path: info.inputs
        for info in network(lambda x: conv("b")(layers.Dropout(0.5, name="drop")(conv("a")(x)))).layers
    }
    assert found["drop"] == ("a",)
    assert found["b"] == ("drop",)


def test_a_residual_network() -> None:
    assert structure.blocks(network(residual).layers) == (
        Block("stem", "sum", ((), ("a", "b"))),
        Block("out", "sum2", (("c",), ("side",))),
    )


def test_a_block_within_a_branch() -> None:
    assert structure.blocks(network(inception).layers) == (
        Block("two", "inner", (("left",), ("right",))),
        Block("stem", "mixed", (("one",), ("two", "left", "right", "inner"), ("pool", "after_pool"))),
    )


def test_seats_from_the_outside_in() -> None:
    found = structure.branch_positions(network(inception).layers)
    assert found["one"] == (BranchPosition("mixed", 0, 3),)
    assert found["right"] == (BranchPosition("mixed", 1, 3), BranchPosition("inner", 1, 2))
    assert found["inner"] == (BranchPosition("mixed", 1, 3),)
    assert "stem" not in found
    assert "mixed" not in found


def test_a_gate_is_a_branch() -> None:
    assert structure.blocks(network(gated).layers) == (Block("stem", "excite", ((), ("squeeze", "gate"))),)


def test_a_layer_that_leads_to_several_inputs_lies_on_no_branch() -> None:
    assert structure.blocks(network(crossing).layers) == (
        Block("stem", "first", ((), ("a",))),
        Block("stem", "second", (("a", "first", "b"), ())),
    )


def test_branches_at_the_input_itself() -> None:
    def build(x: Any) -> Any:
        return layers.Concatenate(name="both")([conv("a")(x), conv("b")(x)])

    assert structure.blocks(network(build).layers) == (Block("", "both", (("a",), ("b",))),)


def test_reading_order_keeps_a_branch_in_one_piece() -> None:
    found = [info.path for info in structure.reading_order(network(inception).layers)]
    assert found == [
        "stem", "one", "two", "left", "right", "inner", "pool", "after_pool", "mixed", "gap", "scores"
    ]  # fmt: skip


def test_stages_by_grid_size() -> None:
    def build(x: Any) -> Any:
        x = conv("a")(layers.ZeroPadding2D(1, name="pad")(x))
        x = gated(layers.ReLU(name="r")(x))
        return conv("b", strides=2)(x)

    found = [(stage.grid, [info.path for info in stage.layers]) for stage in structure.stages(network(build).layers)]
    # 16 + 2 for the border; the gates stand with the stage they belong to, the border with the first.
    assert found == [
        ((18, 18), ["pad", "a", "r", "stem", "squeeze", "gate", "excite"]),
        ((9, 9), ["b"]),
        (None, ["gap", "scores"]),
    ]
