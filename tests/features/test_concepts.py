"""Concepts: planted ones are found, sums add up, and what is not exact says so."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from networks import channels_first, flat, head, one_unit

import camcore
from camcore.features.concepts import find_concepts

COLOURS = np.eye(3) * 255


def last(*arguments, **options):
    *_, final = find_concepts(*arguments, **options)
    return final


def picture(size: tuple[int, int] = (31, 45), seed: int = 4) -> camcore.Picture:
    return camcore.Picture.from_array(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8))


def mixing(activation: str | None = None, seed: int = 6) -> tuple[camcore.Network, np.ndarray, np.ndarray]:
    """Each place's activations are a non-negative mixture: its colour times a known matrix (3, 9); and the head."""
    rng = np.random.default_rng(seed)
    M, w = rng.uniform(0, 1, (3, 9)), rng.normal(0, 1, (9, 4))
    M[:, :3] = np.eye(3)
    x = keras.Input((8, 10, 3), dtype="float64")
    mix = layers.Conv2D(9, 1, dtype="float64", use_bias=False, name="mix")
    end = layers.Dense(4, dtype="float64", activation=activation)
    y = end(layers.GlobalAveragePooling2D(dtype="float64")(mix(x)))
    model = keras.Model(x, y)
    mix.set_weights([M[None, None]])
    end.set_weights([w, rng.normal(0, 1, 4)])
    return camcore.wrap(model, preprocess=lambda rgb: rgb / 255), M, w


def patchwork(seed: int) -> tuple[camcore.Picture, np.ndarray]:
    """A picture of pure red, green and blue cells; and which is which, (h, w)."""
    which = np.random.default_rng(seed).integers(0, 3, (8, 10))
    return camcore.Picture.from_array(COLOURS[which].astype(np.uint8)), which


def test_planted_concepts_are_found_in_several_pictures():
    network, M, _ = mixing()
    pictures, truths = zip(*(patchwork(seed) for seed in range(3)), strict=True)
    found = last(network, pictures, 3, "mix", "stretch")
    directions = M / np.linalg.norm(M, axis=1, keepdims=True)
    match = (found.parts @ directions.T).argmax(axis=1)
    assert sorted(match) == [0, 1, 2]
    np.testing.assert_allclose(found.parts, directions[match], atol=0.02)
    for n, which in enumerate(truths):
        np.testing.assert_array_equal(match[found.maps[n].argmax(axis=2)], which)
    assert found.error < 0.01
    assert found.negative == 0
    strongest = found.channels(0, 2)
    assert [k for k, _ in strongest] == list(np.argsort(-directions[match[0]])[:2])


def test_what_a_concept_adds_is_what_its_channels_weigh():
    """Behind a global average and a linear head: mean over the places of S_c, times P_c · w."""
    network, _, w = mixing("softmax")
    pictures = [patchwork(seed)[0] for seed in (1, 2)]
    found = last(network, pictures, 3, "mix", "stretch")
    effects = found.effects
    expected = found.maps.mean(axis=(1, 2))[..., np.newaxis] * (found.parts @ w)
    np.testing.assert_allclose(effects.concepts, expected, atol=1e-9)
    assert effects.exact
    np.testing.assert_allclose(found.unexplained, 0, atol=1e-9)
    logits = network.logits(np.concatenate([network.prepare(pic, "stretch")[0] for pic in pictures]))
    np.testing.assert_allclose(found.logits, logits)
    total = effects.concepts.sum(axis=1) + effects.beside + effects.nothing
    np.testing.assert_allclose(total, logits, atol=1e-9)
    means = effects.concepts[:, 1].mean(axis=0)
    assert found.classes(1, 2) == tuple((int(c), pytest.approx(means[c])) for c in np.argsort(-means)[:2])
    assert found.classes(1, 1, picture=1)[0][1] == pytest.approx(effects.concepts[1, 1].max())


@pytest.mark.parametrize(
    "build", [flat, one_unit, lambda: head(layers.Flatten(dtype="float64"), layers.Dense(4, dtype="float64"))]
)
def test_sums_are_exact_wherever_the_rest_is_affine(build):
    found = last(camcore.wrap(build()), [picture(), picture(seed=7)], 3)
    assert found.effects.exact
    scale = np.abs(found.logits).max()
    np.testing.assert_allclose(found.unexplained / scale, 0, atol=1e-9)


def test_behind_a_relu_the_sum_misses_and_says_by_how_much():
    network = camcore.wrap(flat(), preprocess=lambda rgb: rgb / 127.5 - 1)
    pic = picture()
    found = last(network, [pic], 3, "conv1")
    assert not found.effects.exact
    assert np.abs(found.unexplained).max() > 1e-3
    x, _ = network.prepare(pic)
    A = network.tap(x, ["conv1"]).activations["conv1"]
    for c in range(3):  # measured all the same: the concept is really taken out
        without = A - found.maps[..., c, None] * found.parts[c]
        np.testing.assert_allclose(
            found.effects.concepts[0, c], network.logits(x)[0] - network.head("conv1")(x, without)[0], atol=1e-9
        )


def test_what_is_below_zero_is_left_out_of_the_concepts_and_told():
    x = keras.Input((12, 10, 3), dtype="float64")
    y = layers.Conv2D(6, 1, dtype="float64", name="signed", kernel_initializer=keras.initializers.RandomNormal(seed=1))(
        x
    )
    network = camcore.wrap(
        keras.Model(x, layers.Dense(2, dtype="float64")(layers.GlobalAveragePooling2D(dtype="float64")(y)))
    )
    pic = picture((12, 10))
    found = last(network, [pic], 2, "signed", "stretch")
    A = network.tap(network.prepare(pic, "stretch")[0], ["signed"]).activations["signed"]
    below = np.minimum(A, 0)
    assert found.negative == pytest.approx((below**2).sum() / (A**2).sum())
    assert found.negative > 0.1
    positive = np.maximum(A, 0)
    rest = positive[0] - (found.maps[0] @ found.parts)
    assert found.error == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(positive))
    np.testing.assert_allclose(found.unexplained, 0, atol=1e-6)  # `beside` carries what is below zero


def test_it_is_the_same_every_time():
    network = camcore.wrap(flat())
    one, two = (last(network, [picture()], 4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.maps, two.maps)
    np.testing.assert_array_equal(one.effects.concepts, two.effects.concepts)


def test_it_grows_and_ends_with_the_effects():
    steps = list(find_concepts(camcore.wrap(flat()), [picture(), picture(seed=8)], 3))
    shares = [step.done for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [step.effects is not None for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[0].classes(0) == ()
    assert steps[0].unexplained is None


def test_maps_lie_on_the_pictures_on_one_scale():
    network = camcore.wrap(flat())
    pictures = [picture(), picture((60, 24), seed=9)]
    found = last(network, pictures, 2, framing="crop")
    drawn = [found.on_picture(n, 0, smooth=False) for n in (0, 1)]
    assert [one.shape for one in drawn] == [(31, 45), (60, 24)]
    assert np.isnan(drawn[0][0, 0]), "cropped away"
    assert max(np.nanmax(one) for one in drawn) == pytest.approx(1)
    assert min(np.nanmin(one) for one in drawn) >= 0
    assert np.nanmax(drawn[1]) == pytest.approx(found.maps[1, ..., 0].max() / found.maps[..., 0].max())


def test_a_layer_that_is_all_zero_has_nothing():
    network = camcore.wrap(head(layers.GlobalAveragePooling2D(dtype="float64"), layers.Dense(4, dtype="float64")))
    network.model.get_layer("features").set_weights([np.zeros((3, 3, 4, 6)), np.full(6, -1.0)])
    found = last(network, [picture()], 2, "features")
    assert (found.error, found.negative) == (0, 0)
    assert not found.effects.concepts.any()
    assert found.channels(0) == ()
    assert np.nan_to_num(found.on_picture(0, 0)).max() == 0


def test_channels_first_says_the_same():
    one = last(camcore.wrap(flat(dtype="float32")), [picture()], 3)
    two = last(camcore.wrap(channels_first()), [picture()], 3)
    np.testing.assert_allclose(
        two.effects.concepts, one.effects.concepts, rtol=0.05, atol=1e-2 * np.abs(one.logits).max()
    )


def test_refusals():
    network = camcore.wrap(flat())
    with pytest.raises(
        camcore.CamcoreError,
        match=r"7 concepts cannot be found at 'features' \(30 places with 6 channels\). Choose 1 to 6",
    ):
        find_concepts(network, [picture()], 7)
    with pytest.raises(camcore.CamcoreError, match="0 concepts"):
        find_concepts(network, [picture()], 0)
    with pytest.raises(camcore.CamcoreError, match="not in 0"):
        find_concepts(network, [], 2)
    with pytest.raises(camcore.CamcoreError, match="not in 65"):
        find_concepts(network, [picture()] * 65, 2)
    with pytest.raises(camcore.LayerError, match="cannot carry a heatmap"):
        find_concepts(network, [picture()], 2, "scores")
    with pytest.raises(camcore.CamcoreError, match="framing"):
        find_concepts(network, [picture()], 2, framing="tilt")


def test_too_much_to_factorise_is_refused_beforehand(monkeypatch):
    monkeypatch.setattr("camcore.features.concepts._MOST_VALUES", 100)
    with pytest.raises(camcore.CamcoreError, match="too many to factorise"):
        find_concepts(camcore.wrap(flat()), [picture()], 2)
