"""Effective fields: closed forms, finite differences, and never a pixel outside the theoretical field."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from networks import TWINS, W, flat, images

import camcore
from camcore.features.effective_field import effective_field, smallest_box


def last(steps: Any) -> Any:
    *_, final = steps
    return final


def picture(side: tuple[int, int], seed: int = 3) -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(seed).integers(0, 256, (*side, 3), np.uint8))


def plain(*steps: Any, side: int = 15, channels: int = 3) -> camcore.Network:
    keras.utils.set_random_seed(5)
    x = keras.Input((side, side, channels), dtype="float64")
    y = x
    for step in steps:
        y = step(y)
    y = layers.Activation("linear", name="looked_at", dtype="float64")(y)
    end = layers.Dense(2, dtype="float64")(layers.GlobalAveragePooling2D(dtype="float64")(y))
    return camcore.wrap(keras.Model(x, end))


def conv(size: int, **options: Any) -> Any:
    return layers.Conv2D(4, size, dtype="float64", **options)


def test_a_single_convolution_is_its_own_kernel():
    """∂A_k/∂x of a linear convolution are the weights themselves, turned to where the cell lies."""
    network = plain(conv(3, strides=2, padding="valid"))
    kernel = np.asarray(network.model.layers[1].kernel)
    field = last(effective_field(network, picture((15, 15)), "looked_at", (2, 4), framing="stretch"))
    expected = np.zeros((15, 15))
    expected[4:7, 8:11] = np.abs(kernel).mean(axis=(2, 3))
    np.testing.assert_allclose(field.strength, expected, rtol=1e-6, atol=1e-12)
    one = last(effective_field(network, picture((15, 15)), "looked_at", (2, 4), [3], framing="stretch"))
    expected[4:7, 8:11] = np.abs(kernel[..., 3]).mean(axis=2)
    np.testing.assert_allclose(one.strength, expected, rtol=1e-6, atol=1e-12)
    assert one.channels == (3,)


def test_gradients_are_finite_differences():
    network = camcore.wrap(flat())
    x = images()
    cell, channels = (3, 2), [0, 4, 5]
    values, gradients = network.cell_gradients(x, "features", cell, channels)
    A = network.tap(x, ["features"]).activations["features"][0]
    np.testing.assert_allclose(values, A[3, 2, channels], rtol=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(8):
        step = rng.normal(0, 1e-6, x.shape)
        sides = [network.tap(x + sign * step, ["features"]).activations["features"][0][3, 2] for sign in (1, -1)]
        np.testing.assert_allclose(
            (sides[0] - sides[1])[channels] / 2, (gradients * step).sum(axis=(1, 2, 3)), atol=1e-11
        )


@pytest.mark.parametrize(
    "name", ["nested twice, with dropout", "subclassed", "channels first", "shared layer called twice"]
)
def test_however_a_network_is_written(name):
    twin = TWINS[name]
    network, reference = camcore.wrap(twin.build(), **twin.options), camcore.wrap(twin.reference())
    kind = "float32" if name == "channels first" else "float64"
    x = images()
    layer = reference.default_layer
    _, expected = reference.cell_gradients(x, layer, (1, 4), [0, 3])
    _, found = network.cell_gradients(twin.image(x).astype(kind), network.default_layer, (1, 4), [0, 3])
    np.testing.assert_allclose(found, expected, atol=twin.tolerance)
    assert np.abs(expected).max() > 0.01


NETS = {
    "valid": lambda: [conv(3), layers.ReLU(dtype="float64"), conv(3)],
    "same": lambda: [conv(3, padding="same", activation="relu"), conv(5, padding="same")],
    "strided": lambda: [conv(3, strides=2, padding="same", activation="relu"), conv(3, padding="same")],
    "dilated": lambda: [conv(3, dilation_rate=2, padding="same", activation="relu"), conv(3)],
    "pooled": lambda: [conv(3, activation="relu"), layers.MaxPooling2D(2, dtype="float64"), conv(2)],
    "upsampled": lambda: [conv(3, strides=3, activation="relu"), layers.UpSampling2D(2, dtype="float64")],
}


@pytest.mark.parametrize("name", NETS)
def test_it_lies_inside_the_theoretical_field(name):
    network = plain(*NETS[name]())
    info = network.layer("looked_at")
    masses = []
    for cell in itertools.product((0, info.grid[0] // 2, info.grid[0] - 1), (0, info.grid[1] - 1)):
        field = last(effective_field(network, picture((15, 15)), "looked_at", cell, framing="stretch"))
        masses.append(field.mass)
        for axis in (0, 1):
            centre = info.first_centre[axis] + info.stride[axis] * cell[axis]
            outside = np.abs(np.arange(15) - centre) > info.receptive_field[axis] / 2
            assert not field.strength.compress(outside, axis=axis).any()
    assert max(masses) > 0


def test_it_grows_channel_by_channel_to_the_same_mean(monkeypatch):
    network = plain(conv(5, padding="same", activation="relu"))
    whole = last(effective_field(network, picture((15, 15)), "looked_at", (7, 7)))
    monkeypatch.setattr("camcore.features.effective_field._CHUNK_VALUES", 1)
    steps = list(effective_field(network, picture((15, 15)), "looked_at", (7, 7)))
    assert [len(step.channels) for step in steps] == [1, 2, 3, 4]
    np.testing.assert_allclose(steps[-1].strength, whole.strength, rtol=1e-6)


def test_nothing_is_traced_again_for_another_cell():
    network = plain(conv(3, padding="same"))
    pic = picture((15, 15))
    last(effective_field(network, pic, "looked_at", (0, 0)))
    kept = dict(network.traced.compiler.functions)
    last(effective_field(network, pic, "looked_at", (9, 3), [2]))
    assert dict(network.traced.compiler.functions) == kept


def test_a_cell_that_is_switched_off_depends_on_nothing():
    network = plain(conv(3, activation="relu", bias_initializer=keras.initializers.Constant(-1e6)))
    field = last(effective_field(network, picture((15, 15)), "looked_at", (2, 2)))
    assert (field.mass, field.box, field.centre, field.deviation) == (0, None, None, None)
    assert not np.nan_to_num(field.on_picture()).any()


def test_moments_of_a_uniform_field():
    """A kernel of equal weights: centre in the middle, variance (n² − 1) / 12 of n equal points."""
    network = plain(conv(5, kernel_initializer="ones", strides=2))
    field = last(effective_field(network, picture((15, 15)), "looked_at", (1, 3), framing="stretch"))
    assert field.centre == pytest.approx((2 + 2, 6 + 2))
    assert field.deviation == pytest.approx((2**0.5, 2**0.5), rel=1e-6)
    assert field.box == (2, 6, 7, 11)
    assert field.mass == pytest.approx(25, rel=1e-6)


# ---- the smallest box


def by_hand(strength: np.ndarray, share: float) -> int:
    """The least area of all boxes there are."""
    h, w = strength.shape
    target = share * strength.sum() - 1e-9
    return min(
        (bottom - top) * (right - left)
        for top in range(h) for bottom in range(top + 1, h + 1)
        for left in range(w) for right in range(left + 1, w + 1)
        if strength[top:bottom, left:right].sum() >= target
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("share", [0.5, 0.95, 1.0])
def test_the_smallest_box_is_the_smallest_of_all(seed, share):
    rng = np.random.default_rng(seed)
    strength = rng.random((7, 9)) ** rng.integers(1, 9) * (rng.random((7, 9)) < rng.uniform(0.1, 1))
    top, left, bottom, right = smallest_box(strength, share)
    assert strength[top:bottom, left:right].sum() >= share * strength.sum() - 1e-9
    assert (bottom - top) * (right - left) == by_hand(strength, share)


def test_the_smallest_box_of_one_pixel_and_of_nothing():
    strength = np.zeros((6, 5))
    assert smallest_box(strength, 0.95) is None
    strength[4, 1] = 2
    assert smallest_box(strength, 0.95) == (4, 1, 5, 2)


# ---- refusals


def test_refusals_say_what_there_is():
    network = plain(conv(3))
    pic = picture((15, 15))
    with pytest.raises(camcore.LayerError, match=r"no cell in row 13, column 0: its grid is 13×13, rows 0 to 12"):
        effective_field(network, pic, "looked_at", (13, 0))
    with pytest.raises(camcore.LayerError, match="no cell in row -1"):
        effective_field(network, pic, "looked_at", (-1, 0))
    with pytest.raises(camcore.LayerError, match="no channel 4: it has 4, 0 to 3"):
        last(effective_field(network, pic, "looked_at", (0, 0), [4]))
    with pytest.raises(camcore.LayerError, match="one channel at least"):
        effective_field(network, pic, "looked_at", (0, 0), [])
    with pytest.raises(camcore.CamcoreError, match="framing"):
        effective_field(network, pic, "looked_at", (0, 0), framing="tilt")


def test_values_that_were_rounded_have_no_gradient():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(2, 3, name="smooth")(keras.ops.cast(keras.ops.cast(x, "int32"), "float32"))
    network = camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y))))
    with pytest.raises(camcore.LayerError, match="no gradient on the network's input"):
        last(effective_field(network, picture((8, 8)), "smooth", (0, 0)))


def test_the_reference_network_by_hand():
    """Two convolutions with ReLU: ∂A_k/∂x is the sum over the paths that are open."""
    network = camcore.wrap(flat())
    x = images()
    found = network.tap(x, ["conv1", "features"]).activations
    hidden, A = found["conv1"][0], found["features"][0]
    *cell, k = (int(i) for i in np.unravel_index(A[1:4, 1:4].argmax(), A[1:4, 1:4].shape))
    cell = (cell[0] + 1, cell[1] + 1)
    (value,), (gradient,) = network.cell_gradients(x, "features", cell, [k])
    assert value > 0, "an open cell, or the test says nothing"
    expected = np.zeros(x.shape[1:])
    for dy, dx in np.ndindex(3, 3):
        y, z = cell[0] + dy - 1, cell[1] + dx - 1
        for j in range(4):
            if hidden[y, z, j] <= 0:
                continue
            for ey, ex in np.ndindex(3, 3):  # 12 × 10 with stride 2: SAME pads one cell after, none before
                py, px = 2 * y + ey, 2 * z + ex
                if py < 12 and px < 10:
                    expected[py, px] += W.k2[dy, dx, j, k] * W.k1[ey, ex, :, j]
    np.testing.assert_allclose(gradient, expected, atol=1e-12)
