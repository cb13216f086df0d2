"""The comparison of preprocessings against plain float64 arithmetic, on networks whose answers are known."""

import math

import keras
import numpy as np
import pytest
from keras import layers
from shared_data import shared

import camcore
from camcore.errors import ModelError
from camcore.models.catalogue import build
from camcore.models.preprocessing import PREPROCESSINGS, preprocessing
from camcore.models.preprocessing_check import Fit, compare_preprocessings, leading, ranked, suggested, verdict

SIDE = 8
COLOURS = ((255, 0, 0), (0, 255, 0), (20, 30, 200))


def plain(*colours):
    return [camcore.Picture.from_array(np.full((SIDE, SIDE, 3), colour, np.uint8)) for colour in colours]


def network(layer, *weights, flatten=False):
    """mean (or all values) → one dense layer."""
    x = keras.Input((SIDE, SIDE, 3))
    same = layers.Conv2D(3, 1, use_bias=False)
    pooled = (layers.Flatten() if flatten else layers.GlobalAveragePooling2D())(same(x))
    model = keras.Model(x, layer(pooled))
    same.set_weights([np.eye(3)[None, None]])
    layer.set_weights(weights)
    return camcore.wrap(model)


def softmax(z):
    shares = [math.exp(value - max(z)) for value in z]
    return [share / sum(shares) for share in shares]


def entropy(p):
    return -sum(share * math.log2(share) for share in p if share > 0)


def last(steps):
    *_, found = steps
    return {fit.name: fit for fit in found}


def test_figures_are_those_of_the_definition():
    kernel = np.random.default_rng(3).normal(0, 2, (3, 4))
    bias = np.array([0.3, -0.2, 0.1, 0.0])
    found = last(compare_preprocessings(network(layers.Dense(4, activation="softmax"), kernel, bias), plain(*COLOURS)))
    assert set(found) == set(PREPROCESSINGS)
    for name, fit in found.items():
        answers = [softmax(list(np.asarray(preprocessing(name)([[c]]), float)[0, 0] @ kernel + bias)) for c in COLOURS]
        mean = [sum(column) / len(COLOURS) for column in zip(*answers, strict=True)]
        noise = sum(map(entropy, answers)) / len(COLOURS)
        assert fit.confidence == pytest.approx(sum(map(max, answers)) / len(COLOURS), abs=1e-5)
        assert fit.entropy == pytest.approx(noise, abs=1e-5)
        assert fit.information == pytest.approx(entropy(mean) - noise, abs=2e-5)
        assert [p.index for p in fit.predictions] == [answer.index(max(answer)) for answer in answers]


def test_a_network_that_wants_unit_values_is_recognised():
    # Colours 0..1 answer with one class each; of values 255 times as large or shifted, one class takes all.
    kernel = 40.0 * np.eye(3)
    fed = network(layers.Dense(3, activation="softmax"), kernel, np.zeros(3))
    found = last(compare_preprocessings(fed, plain(*COLOURS)))
    assert found["unit"].information == pytest.approx(math.log2(3), abs=1e-6)
    assert found["unit"].entropy == pytest.approx(0, abs=1e-6)


def test_an_answer_that_the_mirror_image_changes_tells_nothing():
    # The left half's brightness less the right half's: the mirror image is answered with the other class.
    signs = np.where(np.arange(SIDE) < SIDE // 2, 1.0, -1.0)
    kernel = np.broadcast_to(signs[None, :, None], (SIDE, SIDE, 3)).reshape(-1, 1)
    half = np.zeros((SIDE, SIDE, 3), np.uint8)
    half[:, : SIDE // 2] = 255
    pictures = [camcore.Picture.from_array(half), camcore.Picture.from_array(half[:, ::-1].copy())]
    fed = network(layers.Dense(2, activation="softmax"), np.hstack([kernel, -kernel]), np.zeros(2), flatten=True)
    for fit in last(compare_preprocessings(fed, pictures)).values():
        assert fit.information == pytest.approx(0, abs=1e-6)
        assert fit.confidence == pytest.approx(0.5, abs=1e-6)
        assert fit.entropy == pytest.approx(1, abs=1e-6)


def test_one_sigmoid_unit_has_two_classes():
    fed = network(layers.Dense(1, activation="sigmoid"), np.array([[2.0], [-2.0], [0.0]]), np.zeros(1))
    fit = last(compare_preprocessings(fed, plain((255, 0, 0), (0, 255, 0))))["unit"]
    p = 1 / (1 + math.exp(-2))
    assert fit.confidence == pytest.approx(p, abs=1e-6)
    assert fit.entropy == pytest.approx(entropy([p, 1 - p]), abs=1e-5)
    assert fit.information == pytest.approx(1 - entropy([p, 1 - p]), abs=1e-5)
    assert [said.index for said in fit.predictions] == [1, 0]


def test_a_regression_is_refused():
    fed = network(layers.Dense(1), np.ones((3, 1)), np.zeros(1))
    with pytest.raises(ModelError, match="no probabilities"):
        last(compare_preprocessings(fed, plain(*COLOURS)))


def fits(**told):
    return [Fit(name, 0.5 + told[name] / 10, 1.0, told[name], ()) for name in told]


def test_the_words_say_what_the_figures_say():
    clear = fits(caffe=0.5, unit=2.0, tf=0.4)
    assert verdict(clear) == (
        "RGB 0..1 fits better than caffe and RGB −1..1: the answer tells 2.00 bits about the picture, 70% sure, "
        "against 0.40 to 0.50 bits about the picture, 54% to 55% sure."
    )
    alike = fits(caffe=0.5, unit=2.0, tf=1.95)
    assert verdict(alike).startswith("RGB 0..1 and RGB −1..1 fit about as well, and better than caffe: the answer")
    assert verdict(fits(caffe=2.0, unit=2.0)).startswith("All fit about as well")
    assert "do not tell" in verdict(fits(caffe=0.2, unit=0.01))


def test_the_suggestion_keeps_what_is_usual_unless_another_fits_clearly_better():
    assert [fit.name for fit in ranked(fits(tf=1.0, unit=2.0))] == ["unit", "tf"]
    assert [fit.name for fit in leading(fits(tf=1.95, unit=2.0, caffe=1.0))] == ["unit", "tf"]
    assert suggested(fits(tf=1.95, unit=2.0), "tf") == "tf"
    assert suggested(fits(tf=1.0, unit=2.0), "tf") == "unit"
    assert suggested(fits(tf=0.1, unit=0.2), "tf") == "tf"
    assert suggested(fits(tf=0.1, unit=0.2)) == "raw"
    assert suggested(fits(raw=2.0, torch=1.95, unit=1.0)) == "torch", "more networks want it"


def test_a_real_network_refuses_what_it_was_not_trained_on():
    names = ("ambulance", "goldfish", "zebra", "oxcart", "harbour_dock", "indian_elephants")
    pictures = [camcore.open_picture(shared("photos", f"{name}.jpg")) for name in names]
    fed = camcore.wrap(build("MobileNetV2", shared("weights", "MobileNetV2.weights.h5")).model)
    found = last(compare_preprocessings(fed, pictures))
    good = [fit.name for fit in leading(tuple(found.values()))]
    assert "tf" in good, "what it was trained on"
    assert not {"caffe", "raw"} & set(good)
