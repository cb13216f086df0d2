"""Mean maps are the means of the single maps, group by group."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from networks import GRID, W, conv1, conv2, flat, given, one_unit, picture_input, settle
from PIL import Image

import camcore
from camcore.errors import CamcoreError, MethodError
from camcore.evaluation.average_maps import average_maps, read_averages, write_averages
from camcore.evaluation.predict import Predictions, predict_folder
from camcore.training.folders import read_folder


def prepared(x: np.ndarray) -> np.ndarray:
    return x / 127.5 - 1


@pytest.fixture(scope="module")
def pair() -> camcore.Network:
    return camcore.wrap(one_unit(), labels=["cat", "dog"], preprocess=prepared)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    r = np.random.default_rng(4)
    for name in ("cat", "dog"):
        (root / name).mkdir()
        for i in range(6):
            base = r.integers(0, 256, 3)
            rgb = np.clip(base + r.normal(0, 60, (20, 26, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(rgb).save(root / name / f"{i}.png")
    return root


def last(steps):
    *_, step = steps
    return step


@pytest.fixture(scope="module")
def predictions(pair, pictures) -> Predictions:
    return last(predict_folder(pair, read_folder(pictures))).predictions


@pytest.mark.parametrize("of", ["said", "true"])
def test_means_are_those_of_the_single_maps(pair, pictures, predictions, of):
    threshold = float(np.median(predictions.probabilities[:, 1]))  # so that there are mistakes
    said = predictions.predicted(threshold)
    found = last(average_maps(pair, predictions, pictures, of=of, threshold=threshold, batch=5))
    assert (found.method, found.layer, found.done, found.total) == ("cam", "features", 12, 12)
    assert [(g.label, g.correct) for g in found.groups] == [(0, True), (0, False), (1, True), (1, False)]
    assert len({g.correct for g in found.groups if g.count}) == 2
    for group in found.groups:
        members = np.flatnonzero((predictions.labels == group.label) & ((said == predictions.labels) == group.correct))
        assert group.count == len(members)
        maps = [
            camcore.explain(
                pair,
                camcore.open_picture(pictures / predictions.files[i]),
                "cam",
                classes=int((said if of == "said" else predictions.labels)[i]),
            )[0]
            for i in members
        ]
        raw = np.mean([m.raw for m in maps], axis=0) if maps else np.zeros(GRID)
        values = np.mean([m.values for m in maps], axis=0) if maps else np.zeros(GRID)
        np.testing.assert_allclose(group.evidence, raw, atol=1e-6 * np.abs(raw).max(initial=1))
        np.testing.assert_allclose(group.values, values, atol=1e-6)


def test_partial_means_come_after_each_batch(pair, pictures, predictions):
    steps = list(average_maps(pair, predictions, pictures, batch=5))
    assert [(s.done, sum(g.count for g in s.groups)) for s in steps] == [(5, 5), (10, 10), (12, 12)]


def test_files_that_are_gone_are_counted(pair, pictures, predictions):
    gone = Predictions(
        (*predictions.files, "cat/gone.png"),
        np.append(predictions.labels, 0),
        np.vstack([predictions.probabilities, [0.5, 0.5]]),
        predictions.classes,
    )
    found = last(average_maps(pair, gone, pictures))
    assert [one.file.name for one in found.skipped] == ["gone.png"]
    assert sum(g.count for g in found.groups) == 12
    assert found.done == found.total == 13


def test_another_method_and_layer(pair, pictures, predictions):
    found = last(average_maps(pair, predictions, pictures, method="layercam", layer="conv1"))
    assert (found.method, found.layer) == ("layercam", "conv1")
    assert min(g.evidence.min() for g in found.groups) >= 0


def test_grad_cam_where_exact_cam_is_not_defined(pictures, predictions):
    x = picture_input()
    y = layers.Dense(5, activation="relu", dtype="float64")(
        layers.GlobalAveragePooling2D(dtype="float64")(conv2()(conv1()(x)))
    )
    end = given(layers.Dense(2, activation="softmax", dtype="float64"), W.w[:5, :2], W.b[:2])
    net = camcore.wrap(settle(keras.Model(x, end(y))), labels=["cat", "dog"], preprocess=prepared)
    assert last(average_maps(net, predictions, pictures)).method == "gradcam"
    with pytest.raises(MethodError, match="surgery"):
        average_maps(net, predictions, pictures, method="cam")


def test_what_is_asked_is_checked_at_the_call(pair, pictures, predictions):
    with pytest.raises(MethodError, match="many passes"):
        average_maps(pair, predictions, pictures, method="scorecam")
    with pytest.raises(CamcoreError, match="'said' or 'true'"):
        average_maps(pair, predictions, pictures, of="top")
    with pytest.raises(CamcoreError, match="another network's"):
        average_maps(camcore.wrap(flat(), labels=list("abcd")), predictions, pictures)


def test_written_means_come_back(pair, pictures, predictions, tmp_path):
    found = last(average_maps(pair, predictions, pictures))
    again = read_averages(write_averages(tmp_path / "a.json", found, pair.labels))
    assert (again.method, again.layer, again.of, again.done) == ("cam", "features", "said", 12)
    for one, two in zip(found.groups, again.groups, strict=True):
        assert (one.label, one.correct, one.count) == (two.label, two.correct, two.count)
        np.testing.assert_allclose(two.evidence, one.evidence, atol=1e-6)
        np.testing.assert_allclose(two.values, one.values, atol=1e-6)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"classes": ["a"], "groups": []}', '{"classes": [], "groups": [{}]}']
)
def test_damaged_means_are_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CamcoreError, match="no average maps"):
        read_averages(tmp_path / "a.json")
