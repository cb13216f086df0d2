"""Styles: carried over exactly, at a layer that nothing passes by, and tried on a network of known answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

import keras
import numpy as np
import pytest
from keras import layers
from planted import SIDE, colour_network

import camcore
from camcore.framing import frame_for
from camcore.generators import Returning
from camcore.shortcuts.style_search import TARGETS, sample_size, search
from camcore.shortcuts.style_trial import Sides, style_passes, try_style
from camcore.shortcuts.styles import change, mean_style, style_layers, styles_of
from camcore.shortcuts.transplants import Framed
from camcore.shortcuts.trial import Tally

if TYPE_CHECKING:
    from camcore.shortcuts.gallery import Gallery

FRAME = frame_for((SIDE, SIDE), (SIDE, SIDE), "stretch")
LEAF = [1]


def activations(mean: float, mix: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(4, 20, 20, 3))
    return np.asarray(mean + noise @ mix, np.float32)


def test_mean_and_covariance_are_carried_over():
    mix = np.array([[2.0, 1.0, 0.0], [0.0, 1.5, 0.5], [0.3, 0.0, 1.0]])
    before = mean_style(styles_of(activations(5, np.eye(3), 0)))
    after = mean_style(styles_of(activations(9, mix, 1)))
    A = activations(5, np.eye(3), 2)
    found = mean_style(styles_of(change(before, after).of(A)))
    np.testing.assert_allclose(found.mean, 9, atol=0.2)
    np.testing.assert_allclose(found.covariance, mix.T @ mix, atol=0.6)


def test_of_channels_that_vary_alone_each_is_stretched():
    before = mean_style(styles_of(activations(0, np.diag([1.0, 2.0, 4.0]), 0)))
    after = mean_style(styles_of(activations(0, np.diag([3.0, 2.0, 1.0]), 1)))
    np.testing.assert_allclose(change(before, after).matrix, np.diag([3.0, 1.0, 0.25]), atol=0.15)


def test_between_equal_styles_nothing_changes():
    A = activations(3, np.diag([1.0, 2.0, 0.5]), 0)
    style = mean_style(styles_of(A))
    np.testing.assert_allclose(change(style, style).of(A), A, atol=1e-4)


def test_values_stay_within_the_range_that_was_seen():
    dark, light = (styles_of(np.maximum(activations(mean, np.eye(3), 0), 0)) for mean in (0.5, 3.0))
    assert change(mean_style(light), mean_style(dark)).of(activations(0, 9 * np.eye(3), 4)).min() == 0


def test_the_layer_is_the_deepest_with_small_fields_that_nothing_passes_by():
    x = keras.Input((64, 64, 3))
    first = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(x)
    around = layers.Conv2D(4, 3, padding="same", activation="relu", name="around")(first)
    joined = layers.Add(name="joined")([first, around])
    wide = layers.Conv2D(4, 15, padding="same", name="wide")(joined)
    y = layers.Dense(2, name="scores")(layers.GlobalAveragePooling2D()(wide))
    network = camcore.wrap(keras.Model(x, y), labels=("a", "b"), preprocess="unit")
    assert network.passed_by("around")
    assert not network.passed_by("joined")
    assert style_layers(network, "wide") == (None, "joined")  # five pixels wide
    assert style_layers(network, "around") == (None, "first")
    assert style_layers(network, "first") == (None,)


def pictures(count: int, seed: int, blue: int = 70, magenta: int = 0) -> list[Framed]:
    rng, made = np.random.default_rng(seed), []
    for _ in range(count):
        pixels = rng.integers(60, 100, (SIDE, SIDE, 3)).astype(np.uint8)
        pixels += np.array([magenta, 0, max(blue, magenta)], np.uint8)
        made.append(Framed(pixels, FRAME))
    return made


def tried(members: list[Framed], others: list[Framed], layer: str | None = "colours") -> Tally:
    network = colour_network(magenta=400)
    sides = Sides(members, pictures(10, 1), pictures(8, 2))
    steps = list(try_style(network, layer, LEAF, sides, others, 30, 8, np.random.default_rng(0)))
    assert sum(one.answered for one in steps) == style_passes(8, 10, len(others), 30, 8)
    return sum((one.tally for one in steps), Tally())


@pytest.mark.parametrize("layer", ["colours", None])
def test_a_cast_that_decides_turns_all_pictures_and_its_own_fall_without_it(layer):
    tally = tried(pictures(8, 3, magenta=120), pictures(10, 4), layer)
    assert (tally.pasted, tally.flipped, tally.random_flipped, tally.rest_flipped) == (30, 30, 0, 0)
    assert (tally.painted, tally.random_fell) == (8, 0)


def test_a_style_like_the_controls_turns_none():
    tally = tried(pictures(8, 3), pictures(10, 4))
    assert tally.flipped == tally.random_flipped == 0


@pytest.mark.parametrize("short", ["members", "rest", "controls"])
def test_too_few_pictures_have_no_style(short):
    sides = Sides(**{name: pictures(5 if name == short else 6, 0) for name in ("members", "rest", "controls")})
    network = colour_network(magenta=400)
    assert not list(try_style(network, "colours", LEAF, sides, pictures(2, 1), 8, 4, np.random.default_rng(0)))


class Shown:
    """Pictures by their names."""

    def __init__(self, known: dict[str, Framed]) -> None:
        self.known = known

    def there(self, paths: Iterable[str]) -> Iterator[tuple[str, Framed]]:
        return ((path, self.known[path]) for path in paths)


@pytest.mark.parametrize("layer", ["colours", None])
def test_the_pictures_with_a_cast_that_counts_are_found_and_no_others(layer):
    kinds = {"cast": pictures(8, 5, magenta=120), "leaf": pictures(16, 6, blue=0), "sky": pictures(24, 7)}
    known = {f"{kind} {number}": one for kind, some in kinds.items() for number, one in enumerate(some)}
    own = [path for path in known if not path.startswith("sky")]
    others = [path for path in known if path.startswith("sky")]
    rng = np.random.default_rng(0)
    steps = Returning(
        search(colour_network(magenta=400), [layer], LEAF, cast("Gallery", Shown(known)), "leaf", own, others, rng)
    )
    assert (len(own) + len(others)) * (1 + TARGETS) < sum(steps) <= sample_size(len(own), len(others), 1)
    (group,) = steps.result
    assert set(group.paths) == {f"cast {number}" for number in range(8)}
    assert set(group.controls) < set(others)
