"""Architectures from JSON values: only what camcore can build, and the same trunk again after a cut."""

import json
from typing import Any

import keras
import networks
import numpy as np
import pytest

from camcore.errors import ModelError
from camcore.models.architectures import build_architecture, check_architecture
from camcore.models.catalogue import build_trunk
from camcore.models.grafting import copied, cut, cut_again, with_head

GAP = {"builder": "gap_classifier", "stem": 4, "widths": [6], "blocks": [1], "outputs": 1}
SURGERY = {"builder": "surgery", "backbone": GAP, "layer": "stage1_block1", "position": 13, "outputs": 3}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = GAP
    for _ in range(levels):
        value = {**SURGERY, "backbone": value}
    return value


@pytest.mark.parametrize("value", [GAP, SURGERY, deep(4), {"builder": "backbone", "backbone": "VGG16", "options": {}}])
def test_what_is_an_architecture(value):
    check_architecture(json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (deep(6), "nested more than 4 deep"),
        ({**SURGERY, "layer": 3}, "layer is 3"),
        ({**SURGERY, "position": -1}, "position is -1"),
        ({**SURGERY, "outputs": 0}, "outputs is 0"),
        ({**SURGERY, "outputs": True}, "outputs is True"),
        ({**SURGERY, "dropout": 1}, "dropout is 1"),
        ({**SURGERY, "code": "x"}, "code is 'x': a surgery has no such option"),
        ({**SURGERY, "backbone": "MobileNetV2"}, "must be a JSON object with a 'builder'"),
        ({"builder": "backbone", "backbone": "VGG16", "options": [1]}, "options is"),
        ({**GAP, "name": "x" * 300}, "name is"),
        ({**GAP, "widths": [[[[1]]]]}, "widths is"),
    ],
)
def test_what_is_none(value, said):
    with pytest.raises(ModelError, match=said):
        check_architecture(value)


def test_the_classifier_and_surgery_upon_it():
    made = build_architecture(SURGERY)
    assert made.output_shape == (None, 3)
    assert [layer.name for layer in made.layers][-3:] == ["cam_pool", "cam_dropout", "cam_head"]
    assert made.get_layer("cam_pool").input.name == made.get_layer("stage1_block1").output.name


def test_another_version_of_a_trunk_is_noticed():
    with pytest.raises(ModelError, match="has 'stem_norm' in place of 'stage1_block1'"):
        build_architecture({**SURGERY, "position": 2})
    with pytest.raises(ModelError, match="has 'nothing' in place"):
        build_architecture({**SURGERY, "position": 999})


def test_unnamed_layers_are_found_again_whatever_their_number():
    def plain() -> Any:
        image = keras.Input((8, 8, 3))
        x = keras.layers.Conv2D(2, 3)(image)
        x = keras.layers.Conv2D(3, 3)(x) + 1.0
        return keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(x)))

    first, second = plain(), plain()
    name = first.layers[2].name
    tensor, position = cut(first, name)
    assert second.layers[2].name != name
    assert cut_again(second, name, position) is second.layers[2].output
    plus = next(operation.name for operation in first.operations if operation.name.startswith("add"))
    tensor, position = cut(first, plus)
    assert tuple(cut_again(second, plus, position).shape) == tuple(tensor.shape) == (None, 4, 4, 3)


def run(model: Any, tensor: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(keras.Model(model.inputs[0], tensor)(x))


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (networks.flat, "features"),
        (networks.sequential, "features"),
        (networks.nested, "backbone/features"),
        (networks.nested, "backbone"),
        (networks.twice_nested, "body/backbone/features"),
        (networks.nested_in_sequential, "backbone/features"),
        (networks.padded_by_operations, "relu"),
        (networks.open_size, "features"),
    ],
)
def test_the_copied_trunk_gives_the_same_numbers_and_shares_nothing(make, path):
    model = make()
    if path == "relu":
        path = [operation.name for operation in model.operations if operation.name.startswith("relu")][-1]
    x = networks.images(2)
    before = run(model, cut(model, path)[0], x)
    inputs, trunk = copied(model.inputs[0], cut(model, path)[0], model.name)
    twin = with_head(inputs, trunk, 3, 0.2, "twin")
    np.testing.assert_array_equal(run(twin, trunk, x), before)
    assert not {id(weight) for weight in twin.weights} & {id(weight) for weight in model.weights}
    assert [weight.path for weight in twin.trainable_weights] == ["cam_head/kernel", "cam_head/bias"]
    assert all(layer.trainable for layer in model.layers)
    for weight in twin.weights:
        weight.assign(weight * 0)
    np.testing.assert_array_equal(run(model, cut(model, path)[0], x), before)


def test_one_call_of_a_shared_layer():
    model = networks.shared_twice()
    x = networks.images(1)
    first, second = (run(model, cut(model, f"mid#{call}")[0], x) for call in (1, 2))
    assert np.abs(first - second).max() > 0.01
    with pytest.raises(ModelError, match="no call 'mid#3': the layer is called 2 times"):
        cut(model, "mid#3")


def test_what_cannot_be_cut():
    with pytest.raises(ModelError, match="is no functional Keras model"):
        cut(networks.built(networks.Subclassed()), "features")
    with pytest.raises(ModelError, match="no layer 'nothing'"):
        cut(networks.flat(), "nothing")
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Lambda(lambda x: x * 2, name="twice")(image))
    with pytest.raises(ModelError, match="cannot be copied"):
        copied(model.inputs[0], model.output, "lambda")


def test_a_trunk_of_the_catalogue():
    trunk = build_trunk("MobileNet", alpha=0.25, input_shape=[64, 96, 3])
    assert trunk.input_shape == (None, 64, 96, 3)
    assert trunk.output_shape == (None, 2, 3, 256)
    with pytest.raises(ModelError, match="no option 'alfa'"):
        build_trunk("MobileNet", alfa=0.25)
