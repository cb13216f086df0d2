"""Activation maximisation on networks whose maximiser is known, and on real weights against photographs."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from shared_data import shared

import camcore
from camcore.errors import CamcoreError, LayerError, ModelError
from camcore.filters import (
    AscentRecipe,
    Excitation,
    SearchState,
    check_channel,
    disk_cache,
    excite,
    step_seconds,
)
from camcore.filters.search import CHUNK
from camcore.models.preprocessing import preprocessing

STILL = AscentRecipe(steps=60, rate=0.1, jitter=0.0, zoom=0.0, smoothness=0.0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAMCORE_CACHE", str(tmp_path))
    return tmp_path / "filters"


def network(kernel: np.ndarray, side: int = 16, mode: str = "unit", activation: str | None = None) -> camcore.Network:
    """Conv (h, w, 3, K) → flatten → dense."""
    x = keras.Input((side, side, 3))
    y = layers.Conv2D(kernel.shape[3], kernel.shape[:2], activation=activation, use_bias=False, name="conv")(x)
    model = keras.Model(x, layers.Dense(2, name="scores")(layers.Flatten()(y)))
    model.get_layer("conv").set_weights([kernel])
    rng = np.random.default_rng(3)
    model.get_layer("scores").set_weights([rng.normal(0, 1, w.shape) for w in model.get_layer("scores").get_weights()])
    return camcore.wrap(model, preprocess=preprocessing(mode))


def last(*arguments: object, **options: object) -> tuple[Excitation, ...]:
    *_, end = excite(*arguments, **options)  # type: ignore[arg-type]
    return end.excitations


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


DIAGONAL = np.sign(np.add.outer(np.arange(-3.5, 4), -np.arange(-3.5, 4)))[..., None, None] * np.ones((1, 1, 3, 1))


@pytest.mark.parametrize("mode", ["unit", "tf", "caffe"])
def test_the_maximiser_of_a_linear_score_in_a_box_is_the_sign_of_its_weights(mode: str) -> None:
    """One 8×8 kernel at every cell of a 9×9 picture, four cells: each pixel goes to the end its weight points to."""
    net = network(DIAGONAL.astype(np.float32), side=8 + 1, mode=mode)
    model = net.model
    model.get_layer("scores").set_weights([np.ones((4, 2)), np.zeros(2)])
    weight = np.zeros((9, 9, 3))
    for i in (0, 1):
        for j in (0, 1):
            weight[i : i + 8, j : j + 8] += DIAGONAL[..., 0]
    (found,) = last(net, None, [1], STILL)
    best = np.where(weight > 0, 255.0, 0.0)
    counted = weight != 0
    assert likeness(found.rgb[counted], best[counted]) > 0.97
    bound = float(net.logits(net.preprocess(best[None].astype(np.float32)))[0, 1])
    assert 0.9 * bound < found.reached <= bound * (1 + 1e-5)


def test_a_channel_finds_its_edge() -> None:
    """Light above a diagonal, dark below: the picture's patches must look like the kernel, and not like its mirror."""
    net = network(np.concatenate([DIAGONAL, DIAGONAL[::-1]], axis=3).astype(np.float32), side=24, activation="relu")
    for index, found in enumerate(last(net, "conv", [0, 1], AscentRecipe(steps=60, jitter=0.0, zoom=0.0))):
        windows = np.lib.stride_tricks.sliding_window_view(found.rgb.mean(axis=2), (8, 8))
        kernel = DIAGONAL[..., 0, 0]
        own, other = (max(likeness(w, k) for w in windows.reshape(-1, 8, 8)) for k in (kernel, kernel[::-1]))
        if index:
            own, other = other, own
        assert own > 0.8, index
        assert own > other + 0.2, index


def test_a_channel_finds_its_colour() -> None:
    """2·green − red − blue, at most 2."""
    kernel = np.array([-1.0, 2.0, -1.0], np.float32).reshape(1, 1, 3, 1)
    (found,) = last(network(kernel), "conv", [0], replace(STILL, steps=200, smoothness=0.3))
    red, green, blue = found.rgb.reshape(-1, 3).mean(axis=0)
    assert green > max(red, blue) + 100
    assert found.mean > 1.0, "as no picture of a colour other than a strong green has it"


RANDOM = np.random.default_rng(0).normal(0, 1, (3, 3, 3, 12)).astype(np.float32)
SHORT = AscentRecipe(steps=6)


def test_the_values_are_those_of_the_picture_shown() -> None:
    net = network(RANDOM, activation="relu")
    for found in last(net, "conv", [4, 2], SHORT):
        activations = camcore.activations(net, camcore.Picture.from_array(found.rgb), "conv", framing="stretch")["conv"]
        assert found.reached == pytest.approx(float(activations[..., found.index].max()), rel=1e-6)
        assert found.mean == pytest.approx(float(activations[..., found.index].mean()), rel=1e-6)
        assert (found.layer, found.steps) == ("conv", 6)


def test_the_same_seed_gives_the_same_pixels_in_any_company() -> None:
    net = network(RANDOM, activation="relu")
    many = last(net, "conv", range(12), SHORT, keep=False)
    again = last(net, "conv", range(12), SHORT, keep=False)
    few = last(net, "conv", [7, 1], SHORT, keep=False)
    other = last(net, "conv", [7, 1], SHORT, seed=1, keep=False)
    for a, b in zip(many, again, strict=True):
        np.testing.assert_array_equal(a.rgb, b.rgb)
    np.testing.assert_allclose(few[0].rgb, many[7].rgb, atol=1)
    assert not np.array_equal(few[0].rgb, other[0].rgb)
    assert not np.array_equal(many[0].rgb, many[1].rgb)


def test_it_grows_and_says_how_far_it_is() -> None:
    states = list(excite(network(RANDOM, activation="relu"), "conv", range(6), AscentRecipe(steps=10)))
    assert [state.done for state in states[:4]] == [0, 4, 6, 10]
    assert all(state.total == 60 for state in states)
    assert states[-1].done == 60
    assert [one.index for one in states[0].excitations] == list(range(6))
    means = [sum(one.mean for one in state.excitations) for state in (states[0], states[8], states[-1])]
    assert means[0] < means[1] < means[2]


def test_closing_it_stops_and_keeps_nothing(cache: Path) -> None:
    search = excite(network(RANDOM), "conv", range(6), AscentRecipe(steps=10))
    next(search)
    next(search)
    search.close()
    assert list(search) == []
    assert not cache.exists()


def test_a_stopped_search_goes_on_where_it_was() -> None:
    net = network(RANDOM, activation="relu")
    whole = last(net, "conv", range(6), AscentRecipe(steps=10), keep=False)
    search = excite(net, "conv", range(6), AscentRecipe(steps=10))
    for _ in range(10):  # the first state, four steps of both parts, and one more of the first
        stopped = next(search)
    search.close()
    rest = list(excite(net, "conv", range(6), AscentRecipe(steps=10)))
    assert rest[0].done == stopped.done == 28
    assert len(rest) == 1 + 2 * 6 - 1
    for a, b in zip(rest[-1].excitations, whole, strict=True):
        np.testing.assert_array_equal(a.rgb, b.rgb)
        assert (a.reached, a.steps) == (b.reached, b.steps)


def count_steps(states: list[SearchState]) -> int:
    return states[-1].total


def test_what_was_found_is_kept_and_only_the_rest_is_searched_for(cache: Path) -> None:
    net = network(RANDOM)
    first = list(excite(net, "conv", [0, 1, 2], SHORT))
    again = list(excite(network(RANDOM), "conv", [2, 0], SHORT))
    assert count_steps(again) == 0
    for kept, found in zip(again[-1].excitations, (first[-1].excitations[i] for i in (2, 0)), strict=True):
        np.testing.assert_array_equal(kept.rgb, found.rgb)
        assert (kept.reached, kept.mean, kept.steps) == (found.reached, found.mean, found.steps)
    assert count_steps(list(excite(net, "conv", [2, 5, 0], SHORT))) == SHORT.steps
    assert len(list(cache.iterdir())) == 4


@pytest.mark.parametrize("other", ["seed", "recipe", "weights", "preprocessing", "classes"])
def test_anything_else_is_searched_for_anew(other: str) -> None:
    list(excite(network(RANDOM), "conv", [0], SHORT))
    nets = {"weights": network(RANDOM + 1e-3), "preprocessing": network(RANDOM, mode="tf")}
    recipe = AscentRecipe(steps=6, rate=0.04) if other == "recipe" else SHORT
    layer = None if other == "classes" else "conv"
    net = nets.get(other, network(RANDOM))
    assert count_steps(list(excite(net, layer, [0], recipe, seed=int(other == "seed")))) == 6


def test_a_damaged_file_is_made_anew(cache: Path) -> None:
    net = network(RANDOM)
    (found,) = last(net, "conv", [0], SHORT)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:200])
    again = list(excite(net, "conv", [0], SHORT))
    assert count_steps(again) == 6
    np.testing.assert_array_equal(again[-1].excitations[0].rgb, found.rgb)
    disk_cache.put(file, {"rgb": np.zeros((2, 2, 3), np.uint8), "reached": 1.0, "mean": 1.0})
    assert count_steps(list(excite(net, "conv", [0], SHORT))) == 6, "of another size"


def test_channels_first_finds_the_same() -> None:
    def net(layout: str) -> camcore.Network:
        first = layout == "channels_first"
        x = keras.Input((3, 16, 16) if first else (16, 16, 3))
        y = layers.Conv2D(12, 3, data_format=layout, activation="relu", name="conv")(x)
        y = layers.GlobalAveragePooling2D(data_format=layout)(y)
        model = keras.Model(x, layers.Dense(2)(y))
        model.set_weights([RANDOM, np.zeros(12), np.ones((12, 2)), np.zeros(2)])
        return camcore.wrap(model, preprocess=preprocessing("tf"))

    ours, theirs = (last(net(layout), "conv", [3], SHORT)[0] for layout in ("channels_last", "channels_first"))
    np.testing.assert_allclose(ours.rgb.astype(int), theirs.rgb.astype(int), atol=1)
    assert ours.reached == pytest.approx(theirs.reached, rel=1e-2)


@pytest.mark.parametrize("layer", ["conv", None])
def test_the_pace_is_that_of_one_step_shared_by_its_pictures(
    layer: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 13.0])
    monkeypatch.setattr("camcore.filters.search.perf_counter", lambda: next(clock))
    assert step_seconds(network(RANDOM), layer) == 3.0 / CHUNK


@pytest.mark.parametrize(("layer", "index", "error", "said"), [
    ("conv", 12, LayerError, r"no channel 12: it has 12 channels, 0 to 11"),
    ("conv", -1, LayerError, r"no channel -1"),
    ("conv", True, LayerError, r"no channel True"),
    ("conv", 1.5, LayerError, r"no channel 1.5"),
    ("scores", 0, LayerError, r"'scores' has no feature maps.*Try 'conv'"),
    ("convv", 0, LayerError, r"Did you mean 'conv'"),
    (None, 2, ModelError, r"no class 2.*0 to 1"),
])  # fmt: skip
def test_what_does_not_exist_is_told(layer: str | None, index: object, error: type[CamcoreError], said: str) -> None:
    with pytest.raises(error, match=said):
        next(excite(network(RANDOM), layer, [index]))  # type: ignore[list-item]


def test_wrong_recipes_are_refused() -> None:
    for steps in (0, -1, 2.5, 10**6):
        with pytest.raises(CamcoreError, match="whole number from 1 to 10000"):
            AscentRecipe(steps=steps)  # type: ignore[arg-type]


def test_numpy_numbers_are_numbers() -> None:
    info = network(RANDOM).layer("conv")
    assert check_channel(info, np.int64(3)) == 3


def test_real_filters_beat_photographs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMCORE_WEIGHTS", str(shared("weights")))
    net = camcore.load("MobileNetV2")
    layer, channels = "block_6_expand", [3, 57, 101, 190]
    photographs = sorted(shared("imagenet_sample").glob("*.jpg"))[:24]
    best = np.full(len(channels), -np.inf)
    for path in photographs:
        found = camcore.activations(net, camcore.open_picture(path), layer)[layer]
        best = np.maximum(best, found.max(axis=(0, 1))[channels])
    reached = [one.reached for one in last(net, layer, channels, AscentRecipe(steps=12))]
    assert sum(a > b for a, b in zip(reached, best, strict=True)) >= 3, (reached, best)
