"""A cell on the picture: its area against the drawn map, its field by impulses, its sums against the logit."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from networks import W, flat, head, one_unit

import camcore
from camcore.features.cells import box_on_picture, field_on_input, look_at_cells

SIZES = [(12, 10), (31, 45), (97, 60), (9, 70)]


def picture(size: tuple[int, int] = (31, 45), seed: int = 4) -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), preprocess=lambda rgb: rgb / 127.5 - 1)


# ---- places


@pytest.mark.parametrize("framing", ["crop", "stretch", "letterbox"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("layer", ["conv1", "features"])
def test_areas_are_the_pixels_that_the_map_shows(network, layer, size, framing):
    """Every pixel of the unsmoothed map takes the colour of the one cell whose area holds its centre."""
    cells = look_at_cells(network, picture(size), layer, 1, framing)
    h, w = cells.info.grid
    numbers = np.arange(h * w, dtype=np.float32).reshape(h, w)
    drawn = cells.frame.to_picture(numbers, cells.grid, smooth=False)
    areas = {(i, j): cells.area(i, j) for i, j in np.ndindex(h, w)}
    edges = np.array(list(areas.values()))
    for y, x in np.ndindex(size):
        if min(np.abs(edges[:, ::2] - y - 0.5).min(), np.abs(edges[:, 1::2] - x - 0.5).min()) < 1e-6:
            continue  # it belongs to both sides
        held = [
            place for place, (top, left, bottom, right) in areas.items()
            if top < y + 0.5 < bottom and left < x + 0.5 < right
        ]  # fmt: skip
        if np.isnan(drawn[y, x]):
            assert held == []
        else:
            assert [numbers[place] for place in held] == [drawn[y, x]]
            assert cells.of((y, x)) == held[0]
    seen = cells.frame.seen
    total = sum((bottom - top) * (right - left) for top, left, bottom, right in areas.values())
    assert total == pytest.approx((seen[2] - seen[0]) * (seen[3] - seen[1]))


def test_a_point_outside_what_was_seen_is_in_no_cell(network):
    cells = look_at_cells(network, picture((31, 45)), framing="crop")
    assert cells.of((0, 0)) is None
    assert cells.of((15, 22)) is not None


def test_the_field_on_the_input_by_hand(network):
    """3×3 with stride 2 at an even side, then 3×3: centres at 1 + 2i, 7 pixels wide."""
    info = network.layer("features")
    assert field_on_input(info, (2, 1)) == (5 + 0.5 - 3.5, 3 + 0.5 - 3.5, 5 + 0.5 + 3.5, 3 + 0.5 + 3.5)


def test_the_field_on_the_picture_is_what_changes_the_cell():
    """One pixel of the picture for one of the input: those in the field change the cell, all others never."""
    x = keras.Input((12, 10, 3), dtype="float64")
    y = layers.Conv2D(3, 3, strides=2, padding="same", dtype="float64", kernel_initializer="ones")(x)
    y = layers.Conv2D(2, 3, padding="same", dtype="float64", kernel_initializer="ones", name="here")(y)
    network = camcore.wrap(
        keras.Model(x, layers.Dense(2, dtype="float64")(layers.GlobalAveragePooling2D(dtype="float64")(y)))
    )
    base = np.full((12, 10, 3), 100, np.uint8)
    before = look_at_cells(network, camcore.Picture.from_array(base), "here", 0, "stretch")
    for cell in [(0, 0), (2, 3), (5, 4)]:
        top, left, bottom, right = before.at(*cell).field
        for pixel in np.ndindex(12, 10):
            changed = base.copy()
            changed[pixel] = 200
            after = look_at_cells(network, camcore.Picture.from_array(changed), "here", 0, "stretch")
            inside = top < pixel[0] + 1 and pixel[0] < bottom and left < pixel[1] + 1 and pixel[1] < right
            assert bool((after.at(*cell).values != before.at(*cell).values).any()) == inside, (cell, pixel)


def test_boxes_are_cut_off_where_nothing_was_seen(network):
    cells = look_at_cells(network, picture((40, 90)), framing="letterbox")
    assert box_on_picture(cells.frame, (-50, -50, 50, 50)) == (0, 0, 40, 90)
    whole = box_on_picture(cells.frame, tuple(float(v) for v in cells.frame.placed))
    assert whole == pytest.approx((0, 0, 40, 90))
    middle = box_on_picture(cells.frame, (6, 2.5, 6, 7.5))
    assert middle == pytest.approx((20, 22.5, 20, 67.5), abs=4)
    assert middle[1] == pytest.approx(90 * 2.5 / 10)


def test_a_field_that_is_not_known_is_none():
    x = keras.Input((8, 8, 3))
    y = keras.ops.cumsum(layers.Conv2D(4, 3, padding="same")(x), 1)
    mixed = layers.Activation("linear", name="mixed")(y)
    network = camcore.wrap(keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(mixed))))
    cells = look_at_cells(network, picture((8, 8)), "mixed", 0, "stretch")
    assert cells.at(0, 0).field is None
    assert cells.info.whole_picture


# ---- sums


@pytest.mark.parametrize("index", [0, 3])
def test_behind_a_linear_head_the_sums_are_the_logit(network, index):
    cells = look_at_cells(network, picture(), None, index)
    A = cells.A
    np.testing.assert_allclose(cells.products, A * W.w[:, index] / (A.shape[0] * A.shape[1]), rtol=1e-9)
    assert cells.offset == pytest.approx(W.b[index], rel=1e-9)
    assert cells.total + cells.offset == pytest.approx(cells.prediction.logit, rel=1e-9)
    assert cells.residual == pytest.approx(0, abs=1e-9)
    every = [cells.at(i, j).adds for i, j in np.ndindex(*A.shape[:2])]
    assert sum(every) == pytest.approx(cells.total, rel=1e-9)


def test_a_cell_adds_what_hirescam_says(network):
    for layer in ("conv1", "features"):
        cells = look_at_cells(network, picture(), layer, 2)
        (m,) = camcore.explain(network, picture(), methods=["hirescam"], layers=[layer], classes=[2])
        sums = np.array([[cells.at(i, j).adds for j in range(m.raw.shape[1])] for i in range(m.raw.shape[0])])
        np.testing.assert_allclose(sums, m.raw, rtol=1e-5, atol=1e-6)


def test_what_follows_a_relu_is_not_affine_and_says_so(network):
    cells = look_at_cells(network, picture(), "conv1", 2)
    assert (cells.offset, cells.residual) == (None, None)


def test_behind_a_flatten_each_place_has_weights_of_its_own():
    """Affine as well, so the sum holds, though no CAM exists."""
    dense = layers.Dense(4, dtype="float64")
    cells = look_at_cells(camcore.wrap(head(layers.Flatten(dtype="float64"), dense)), picture(), "features", 1)
    kernel = np.asarray(dense.kernel).reshape(*cells.A.shape, 4)
    np.testing.assert_allclose(cells.products, cells.A * kernel[..., 1], rtol=1e-9)
    assert cells.residual == pytest.approx(0, abs=1e-7)


def test_the_other_class_of_one_unit_is_its_mirror():
    network = camcore.wrap(one_unit())
    one, other = (look_at_cells(network, picture(), None, index) for index in (1, 0))
    np.testing.assert_allclose(one.products, -other.products)
    assert one.residual == pytest.approx(0, abs=1e-9)
    assert other.residual == pytest.approx(0, abs=1e-9)


def test_the_strongest_channels_by_what_they_add(network):
    cell = look_at_cells(network, picture(), None, 1).at(3, 2)
    order = cell.strongest(3)
    sizes = np.abs(cell.contributions)
    assert list(sizes[list(order)]) == sorted(sizes, reverse=True)[:3]
    assert cell.strongest(99) == cell.strongest(6)


def test_without_a_class_it_is_the_one_that_is_said(network):
    said = network.predict(picture())[0]
    found = look_at_cells(network, picture()).prediction
    assert (found.index, found.label) == (said.index, said.label)
    assert found.logit == pytest.approx(said.logit)
    assert found.probability == pytest.approx(said.probability)


def test_refusals(network):
    with pytest.raises(camcore.ModelError, match="no class 4"):
        look_at_cells(network, picture(), None, 4)
    with pytest.raises(camcore.LayerError, match="cannot carry a heatmap"):
        look_at_cells(network, picture(), "scores")
    with pytest.raises(camcore.LayerError, match="no cell in row 6, column 0"):
        look_at_cells(network, picture()).at(6, 0)
    with pytest.raises(camcore.CamcoreError, match="framing"):
        look_at_cells(network, picture(), framing="tilt")
