"""Presets of keras_hub: a folder with random weights, read with its own preprocessing."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import camcore
from camcore.models import hub

SIDE = 32


@pytest.fixture(scope="module")
def keras_hub() -> Any:
    try:
        import keras_hub as module
    except ImportError:
        reason = "needs keras_hub (pip install keras-hub)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return module


@pytest.fixture(scope="module")
def task(keras_hub: Any) -> Any:
    backbone = keras_hub.models.ViTBackbone((SIDE, SIDE, 3), 8, 2, 2, 8, 16)
    converter = keras_hub.layers.ViTImageConverter(image_size=(SIDE, SIDE), scale=1 / 127.5, offset=-1.0)
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(image_converter=converter)
    return keras_hub.models.ViTImageClassifier(backbone, 3, preprocessor=preprocessor)


@pytest.fixture(scope="module")
def folder(task: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("presets") / "small_vit"
    task.save_to_preset(str(path))
    return path


def test_a_preset_folder_is_a_network_that_is_fed_as_keras_hub_feeds_it(task, folder):
    network = camcore.load(folder)
    assert (network.name, network.input_size, network.classes) == ("small_vit", (SIDE, SIDE), 3)
    assert "keras_hub preset" in network.weights_note
    rgb = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    pic = camcore.Picture.from_array(rgb)
    x, _ = network.prepare(pic, "stretch")
    np.testing.assert_allclose(network.logits(x), task.predict(rgb[np.newaxis], verbose=0), atol=1e-5)
    assert network.layer(network.default_layer).grid == (4, 4)
    assert network.layer(network.default_layer).tokens


@pytest.mark.parametrize("picture", [(SIDE, SIDE + 15), (SIDE + 9, SIDE), (SIDE, SIDE)])
def test_a_picture_is_cut_where_the_preset_cuts_it(task, folder, picture):
    """Without a change of size: the same pixels, bit for bit."""
    network = camcore.load(folder)
    rgb = np.random.default_rng(1).integers(0, 256, (*picture, 3), dtype=np.uint8)
    x, frame = network.prepare(camcore.Picture.from_array(rgb))
    assert frame.framing == "centre"
    np.testing.assert_array_equal(x[0], np.asarray(task.preprocessor(rgb.astype(np.float32))))


@pytest.mark.parametrize("picture", [(72, 111), (150, 97)])
def test_a_picture_is_cut_and_resized_as_the_preset_does(task, folder, picture):
    """But for the resampling: keras_hub takes bilinear samples, which a slope along both sides does not tell apart."""
    network = camcore.load(folder)
    y, x = np.indices(picture)
    rgb = np.stack([200.0 * y / picture[0], 200.0 * x / picture[1], 100.0 * np.ones(picture)], axis=-1)
    ours, frame = network.prepare(camcore.Picture.from_array(np.rint(rgb).astype(np.uint8)))
    theirs = np.asarray(task.preprocessor(np.rint(rgb).astype(np.float32)))
    inner = slice(2, -2)  # at the edge the wider filter sees less of it
    np.testing.assert_allclose((ours[0] + 1) * 127.5, (theirs + 1) * 127.5, atol=4)
    np.testing.assert_allclose(ours[0, inner, inner], theirs[inner, inner], atol=1.5 / 127.5)
    cells = network.layer(network.default_layer).cells(network.input_size)
    drawn = frame.to_picture(np.tile(np.arange(4.0), (4, 1)), cells, smooth=False)
    side, left = min(picture), (picture[1] - min(picture)) // 2
    found = [int(np.flatnonzero(drawn[picture[0] // 2] == column)[0]) for column in range(4)]
    assert found == [left + round(side * column / 4) for column in range(4)]


def test_by_its_name_and_in_another_process(folder):
    network = camcore.load(f"{hub.PREFIX}{folder}")
    again = pickle.loads(pickle.dumps(network))
    x = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 3)).astype(np.float32)
    np.testing.assert_array_equal(again.logits(x), network.logits(x))


def test_a_preset_that_there_is_not(keras_hub):
    with pytest.raises(camcore.ModelError, match=r"cannot make an image classifier of the preset '\./nothing'"):
        camcore.load("hub:./nothing")


@pytest.mark.parametrize("weights", ["other.weights.h5", "imagenet"])
def test_other_weights_are_refused(weights):
    with pytest.raises(camcore.ModelError, match="has weights of its own"):
        camcore.load("hub:vit_base_patch16_224_imagenet", weights=weights)


def test_options_and_an_empty_name_are_refused():
    with pytest.raises(camcore.ModelError, match="takes no option 'alpha'"):
        camcore.load("hub:vit_base_patch16_224_imagenet", alpha=0.5)
    with pytest.raises(camcore.ModelError, match="names no preset"):
        camcore.load("hub:")


def test_without_keras_hub_it_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(camcore.ModelError, match=r"needs keras_hub.*pip install"):
        camcore.load("hub:vit_base_patch16_224_imagenet")


@pytest.mark.parametrize(
    ("options", "framing"),
    [({}, "stretch"), ({"crop_to_aspect_ratio": True}, "centre"), ({"pad_to_aspect_ratio": True}, "letterbox")],
)
def test_the_framing_is_the_converters(options, framing):
    assert hub._framing(type("Converter", (), options)()) == framing
