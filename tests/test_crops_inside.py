"""A crop inside the model: its layers' cells lie where they look, and nothing is drawn on what was cut off."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import camcore
from camcore.framing import CellGrid

CROPS: dict[str, tuple[Any, int, int]] = {
    "centre": (lambda x: layers.CenterCrop(32, 32)(x), 16, 16),
    "cropping": (lambda x: layers.Cropping2D(((8, 24), (20, 12)))(x), 8, 20),
    "slice": (lambda x: layers.Lambda(lambda t: t[:, :32, 32:])(x), 0, 32),
    "split": (lambda x: layers.Lambda(lambda t: ops.split(ops.split(t, 2, 1)[1], 2, 2)[0])(x), 32, 0),
    "two, one after the other": (lambda x: layers.CenterCrop(32, 32)(layers.CenterCrop(48, 48)(x)), 16, 16),
}


def network(side: int, crop: Any, field: int) -> camcore.Network:
    keras.utils.set_random_seed(0)
    source = keras.Input((side, side, 3))
    x = layers.Conv2D(4, 3, 4, padding="same")(crop(source))
    x = layers.Conv2D(4, field, padding="same", name="last")(x)
    return camcore.wrap(keras.Model(source, layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(x))))


@pytest.mark.parametrize("field", [1, 15])  # narrower than the crop, and wider than all of the input
@pytest.mark.parametrize("name", CROPS)
def test_cells_lie_as_if_the_crop_were_the_input(name, field):
    crop, top, left = CROPS[name]
    got = network(64, crop, field).layer("last").cells((64, 64))
    want = network(32, lambda x: x, field).layer("last").cells((32, 32))
    assert want.seen is None
    first = (want.first_centre[0] + top, want.first_centre[1] + left)
    assert got == CellGrid(first, want.stride, (top - 0.5, left - 0.5, top + 31.5, left + 31.5))


@pytest.mark.parametrize("name", CROPS)
def test_nothing_is_drawn_on_what_was_cut_off(name):
    crop, top, left = CROPS[name]
    picture = camcore.Picture.from_array(np.random.default_rng(0).integers(0, 255, (128, 64, 3), np.uint8))
    (found,) = camcore.explain(network(64, crop, 1), picture, "eigencam")
    seen = np.zeros((128, 64), bool)
    seen[2 * top : 2 * top + 64, left : left + 32] = True  # the picture is twice as high as the input
    np.testing.assert_array_equal(np.isfinite(found.on_picture()), seen)


def test_pieces_that_are_joined_again_and_a_branch_of_all_see_all():
    def joined(x: Any) -> Any:
        return layers.Lambda(lambda t: ops.concatenate([t[:, :32], t[:, 32:]], 1))(x)

    def beside(x: Any) -> Any:
        small = layers.AveragePooling2D(2)(x)
        return layers.Concatenate()([layers.CenterCrop(32, 32)(x), small])

    for front in (joined, beside, lambda x: layers.Lambda(lambda t: t[:, ::2, ::2])(x)):
        assert network(64, front, 1).layer("last").cells((64, 64)).seen is None
