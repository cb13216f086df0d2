"""The controls against naive loops, by their geometry and by what they must be on average."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from formulas import close, softmax
from keras import layers
from networks import CLASSES, GRID, SIZE, W, flat, gap, given, head, images, picture_input, settle

import camcore
from camcore.methods import METHODS
from camcore.methods.control import centre, random
from camcore.methods.inputs import PerturbedScores
from camcore.methods.perturbations import random_masks, square_side, square_starts


def picture(seed: int = 0) -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def network() -> camcore.Network:
    return camcore.wrap(flat(), preprocess=lambda x: x / 127.5 - 1)


# ---- occlusion


@pytest.mark.parametrize(("size", "stride"), [(0, 0), (2, 2), (3, 2), (4, 3), (5, 5), (7, 4), (10, 1), (40, 40)])
def test_occlusion_against_a_naive_loop(network, size, stride):
    x = images(1, seed=2)
    rows, columns = square_starts(SIZE, size, stride)
    side = square_side(SIZE, size)
    logits = network.logits(x)[0]
    mean = np.array([x[0, ..., channel].mean() for channel in range(3)])
    drops = np.empty((len(rows), len(columns), CLASSES))
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            hidden = x.copy()
            for y in range(top, top + side):
                for z in range(left, left + side):
                    hidden[0, y, z] = mean
            drops[i, j] = logits - network.logits(hidden)[0]
    assert (drops < 0).any() or size == 40
    method = camcore.Occlusion(network, size=size, stride=stride)
    for c in range(CLASSES):
        close(method.compute_heatmap(x, c, raw=True), drops[..., c])


@pytest.mark.parametrize("input_size", [(224, 224), (12, 10), (10, 12), (31, 17), (7, 7), (5, 3), (299, 150)])
@pytest.mark.parametrize(("size", "stride"), [(0, 0), (1, 1), (3, 2), (4, 5), (16, 7), (50, 25), (4096, 4096)])
def test_squares_cover_the_picture_from_edge_to_edge(input_size, size, stride):
    side = square_side(input_size, size)
    assert side == min(size or max(1, round(min(input_size) / 7)), *input_size)
    step = stride or max(1, side // 2)
    for starts, length in zip(square_starts(input_size, size, stride), input_size, strict=True):
        assert starts[0] == 0
        assert starts[-1] + side == length
        gaps = np.diff(starts)
        assert (gaps > 0).all()
        assert (gaps <= step).all()
        assert len(starts) == int(np.ceil((length - side) / step)) + 1
        assert gaps.size == 0 or gaps.max() - gaps.min() <= 1
    rows, columns = square_starts(input_size, size, stride)
    site = camcore.methods.inputs.Site(3, input_size, input_size, 1.0)
    assert camcore.METHODS["occlusion"].passes(site, {"size": size, "stride": stride}) == len(rows) * len(columns)


def test_the_defaults_are_a_seventh_and_half_of_it():
    assert square_side((224, 224), 0) == 32
    rows, columns = square_starts((224, 224), 0, 0)
    assert rows.tolist() == columns.tolist() == list(range(0, 193, 16))


@pytest.mark.parametrize(("size", "stride"), [(0, 0), (3, 2), (4, 4), (5, 3), (40, 0)])
def test_the_maps_cells_lie_where_the_squares_do(network, size, stride):
    options = {"occlusion": {"size": size, "stride": stride}}
    (found,) = camcore.explain(network, picture(), "occlusion", classes=1, framing="stretch", options=options)
    rows, columns = square_starts(SIZE, size, stride)
    assert found.layer is None
    assert found.raw.shape == (len(rows), len(columns))
    for axis, starts in enumerate((rows, columns)):
        middles = starts + (square_side(SIZE, size) - 1) / 2
        cells = found.cells.first_centre[axis] + found.cells.stride[axis] * np.arange(len(starts))
        assert cells[0] == middles[0]
        assert cells[-1] == pytest.approx(middles[-1])
        np.testing.assert_allclose(cells, middles, atol=0.5)  # whole pixels


def test_what_alone_counts_is_found():
    """A score that is the sum of one pixel: only squares that hide it matter, and by what they change."""
    weight = np.zeros((*SIZE, 1, 2))
    weight[8, 3, 0, 0], weight[2, 7, 0, 1] = 2.0, -1.0
    x = picture_input(1)
    y = layers.Conv2D(1, 1, dtype="float64", name="features", use_bias=False)
    end = given(layers.Dense(2, dtype="float64", use_bias=False), weight.reshape(-1, 2))
    model = keras.Model(x, end(layers.Flatten(dtype="float64")(given(y, np.ones((1, 1, 1, 1)))(x))))
    network = camcore.wrap(settle(model))
    pixels = images(1, channels=1, seed=3)
    mean = pixels.mean()
    for c, (row, column, w) in enumerate([(8, 3, 2.0), (2, 7, -1.0)]):
        wanted = np.zeros((6, 5))
        wanted[row // 2, column // 2] = w * (pixels[0, row, column, 0] - mean)
        close(camcore.Occlusion(network, size=2, stride=2).compute_heatmap(pixels, c, raw=True), wanted)


# ---- RISE


def test_rise_against_a_naive_loop(network):
    x, n = images(1, seed=2), 37
    for p, cells, seed in [(0.5, 7, 0), (0.3, 4, 5)]:
        masks = random_masks(np.arange(n), SIZE, p, cells, seed).astype(np.float64)
        total = np.zeros((CLASSES, *SIZE))
        for mask in masks:
            probable = softmax(network.logits(x * mask[None, :, :, None])[0])
            total += probable[:, None, None] * mask
        method = camcore.RISE(network, n=n, p=p, cells=cells, seed=seed)
        for c in range(CLASSES):
            raw = method.compute_heatmap(x, c, raw=True)
            close(raw, total[c] / (n * p))
            close(method.compute_heatmap(x, c), (raw - raw.min()) / (raw.max() - raw.min()))


@pytest.mark.parametrize(("size", "p", "cells"), [((12, 10), 0.5, 7), ((30, 41), 0.5, 7), ((16, 16), 0.2, 3)])
def test_masks_are_open_with_probability_p_everywhere(size, p, cells):
    n = 4000
    masks = random_masks(np.arange(n), size, p, cells, 0)
    assert masks.shape == (n, *size)
    assert masks.min() >= 0
    assert masks.max() <= 1
    assert masks.mean() == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / (n * cells * cells)))
    # Every pixel by itself, borders and corners too: within 5.5 standard errors of an open or shut one.
    assert np.abs(masks.mean(axis=0) - p).max() < 5.5 * np.sqrt(p * (1 - p) / n)
    assert masks.std(axis=0).min() > 0.2 * np.sqrt(p * (1 - p))


def test_a_mask_depends_on_its_number_and_the_seed_alone():
    whole = random_masks(np.arange(9), (20, 30), 0.5, 7, 3)
    for i in (8, 0, 5):
        np.testing.assert_array_equal(random_masks(np.array([i]), (20, 30), 0.5, 7, 3)[0], whole[i])
    np.testing.assert_array_equal(random_masks(np.array([4, 1]), (20, 30), 0.5, 7, 3), whole[[4, 1]])
    assert len(np.unique(whole.reshape(9, -1), axis=0)) == 9
    assert (random_masks(np.arange(9), (20, 30), 0.5, 7, 4) != whole).any()


def test_masks_are_smooth_and_shifted():
    """Seven cells of 0 and 1 stretched over 80 pixels; the shift moves the cells' borders about."""
    masks = random_masks(np.arange(200), (70, 70), 0.5, 7, 0)
    assert np.abs(np.diff(masks, axis=1)).max() < 1.001 * 7 / 80
    assert np.abs(np.diff(masks, axis=2)).max() < 1.001 * 7 / 80
    first = {int(np.argmax(np.abs(np.diff(mask[:, 0])) > 0)) for mask in masks}
    assert len(first) > 5


@pytest.mark.parametrize("pictures", [1, 3, 16, 70])
def test_the_size_of_a_chunk_is_of_no_account(network, monkeypatch, pictures):
    x = images(1, seed=4)
    whole = [
        camcore.RISE(network, n=70).compute_heatmap(x, 2, raw=True),
        camcore.Occlusion(network, size=3, stride=1).compute_heatmap(x, 2, raw=True),
    ]
    monkeypatch.setattr("camcore.methods.perturbations._CHUNK_PIXELS", pictures * SIZE[0] * SIZE[1])
    close(camcore.RISE(network, n=70).compute_heatmap(x, 2, raw=True), whole[0], 1e-7)
    close(camcore.Occlusion(network, size=3, stride=1).compute_heatmap(x, 2, raw=True), whole[1])


def test_rise_of_half_the_masks_is_that_of_fewer(network):
    """Any time: what is there after m masks is the map of m masks."""
    x = images(1, seed=4)
    masks = random_masks(np.arange(20), SIZE, 0.5, 7, 0)
    answers = softmax(network.logits(x * masks[..., None]))[:, 1:2]
    compute = METHODS["rise"].compute
    for m in (1, 7, 20):
        asked = PerturbedScores(np.arange(m), np.log(answers[:m]), answers[:m], 0.0, 0.5, SIZE)
        close(compute(None, asked, p=0.5, cells=7, seed=0), camcore.RISE(network, n=m).compute_heatmap(x, 1, raw=True))


def test_a_constant_score_gives_the_masks_mean():
    answers = np.full((3000, 1), 0.25)
    asked = PerturbedScores(np.arange(3000), answers, answers, 0.25, 0.25, SIZE)
    raw = METHODS["rise"].compute(None, asked, p=0.5, cells=7, seed=0)
    np.testing.assert_allclose(raw, 0.25, atol=0.25 * 5.5 / np.sqrt(3000))


# ---- the input's gradient


def test_gradient_by_central_differences():
    """A network that is smooth: tanh between the layers."""
    r = np.random.default_rng(0)
    x = picture_input()
    y = layers.Conv2D(4, 3, padding="same", activation="tanh", dtype="float64", name="features")(x)
    model = keras.Model(x, layers.Dense(CLASSES, activation="softmax", dtype="float64")(gap()(y)))
    for layer in model.layers:
        layer.set_weights([r.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
    network = camcore.wrap(model)
    pixels, step = images(1, seed=5), 1e-5
    nudged = np.repeat(pixels, 2 * pixels.size, axis=0).reshape(2, pixels.size, -1)
    nudged[0] += step * np.eye(pixels.size)
    nudged[1] -= step * np.eye(pixels.size)
    up, down = (network.logits(half.reshape(-1, *SIZE, 3)) for half in nudged)
    slopes = ((up - down) / (2 * step)).reshape(*SIZE, 3, CLASSES)
    for c in range(CLASSES):
        close(camcore.Gradient(network).compute_heatmap(pixels, c, raw=True), np.abs(slopes[..., c]).max(axis=-1))


def test_gradient_is_on_the_inputs_own_grid(network):
    (found,) = camcore.explain(network, picture(), "gradient", layers=["conv1", "features"], classes=1)
    assert found.layer is None
    assert found.raw.shape == SIZE
    assert found.cells == camcore.framing.CellGrid((0.0, 0.0), (1.0, 1.0))
    assert found.raw.min() >= 0


# ---- noise, and a blob


def test_random_is_seeded_and_knows_nothing(network):
    one, other = images(2, seed=3)
    first = camcore.Random(network).compute_heatmap(one, 0, raw=True)
    np.testing.assert_array_equal(camcore.Random(network).compute_heatmap(other, 2, raw=True), first)
    np.testing.assert_array_equal(camcore.Random(network, seed=0).compute_heatmap(one, 0, raw=True), first)
    assert np.abs(camcore.Random(network, seed=1).compute_heatmap(one, 0, raw=True) - first).max() > 0.05


@pytest.mark.parametrize("grid", [(7, 7), (14, 14), (28, 21), (6, 5), (1, 1), (224, 224)])
def test_random_is_the_same_noise_on_every_grid(grid):
    """7×7 uniform values, bilinear with half-pixel centres in between."""
    coarse = random((7, 7), seed=4)
    assert coarse.min() >= 0
    assert coarse.max() <= 1
    assert coarse.std() > 0.1
    wanted = coarse
    for axis, side in enumerate(grid):
        at = np.clip((np.arange(side) + 0.5) * 7 / side - 0.5, 0, 6)
        low = np.floor(at).astype(int)
        share = (at - low)[:, None]
        lines = np.moveaxis(wanted, axis, 0)
        wanted = np.moveaxis(lines[low] * (1 - share) + lines[np.minimum(low + 1, 6)] * share, 0, axis)
    np.testing.assert_allclose(random(grid, seed=4), wanted, atol=1e-5)


def test_random_at_two_layers_of_one_size_is_one_map(network):
    found = camcore.explain(network, picture(), "random", layers=["conv1", "features"], classes=[0, 3])
    assert [m.layer for m in found] == ["conv1", "conv1", "features", "features"]
    for m in found:
        assert m.raw.shape == GRID
        np.testing.assert_array_equal(m.raw, found[0].raw)


@pytest.mark.parametrize("grid", [(7, 7), (9, 5), (6, 5), (14, 14), (1, 1), (2, 3)])
def test_centre_is_a_symmetric_gaussian(grid):
    found = centre(grid)
    assert found.shape == grid
    np.testing.assert_allclose(found, found[::-1], rtol=1e-12)
    np.testing.assert_allclose(found, found[:, ::-1], rtol=1e-12)
    for i in range(grid[0]):
        for j in range(grid[1]):
            away = ((i + 0.5) / grid[0] - 0.5) ** 2 + ((j + 0.5) / grid[1] - 0.5) ** 2
            assert found[i, j] == pytest.approx(np.exp(-away / (2 * 0.25**2)))
    if grid[0] % 2 and grid[1] % 2:
        assert found[grid[0] // 2, grid[1] // 2] == 1
        assert found.max() == 1


@pytest.mark.parametrize("method", ["random", "centre"])
def test_they_say_that_they_answer_for_no_class(network, method):
    (found,) = camcore.explain(network, picture(), method, classes=1)
    assert found.warning is not None
    assert "class" in found.warning
    assert found.passes == 0


def test_controls_of_a_regression():
    """One linear output has no probability: RISE takes its value."""
    network = camcore.wrap(head(gap(), given(layers.Dense(1, dtype="float64"), W.w[:, 1:2], W.b[1:2])))
    x, n = images(1, seed=2), 9
    masks = random_masks(np.arange(n), SIZE, 0.5, 7, 0).astype(np.float64)
    values = network.logits(x * masks[..., None])[:, 0]
    wanted = np.einsum("n,nhw->hw", values, masks) / (n * 0.5)
    close(camcore.RISE(network, n=n).compute_heatmap(x, 0, raw=True), wanted)
