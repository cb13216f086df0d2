"""Predictions over a folder are those of the pictures one by one; damaged files are counted, never fatal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import flat, one_unit
from PIL import Image

import camcore
from camcore.errors import CamcoreError, ModelError
from camcore.evaluation.predict import class_indices, predict_folder
from camcore.training.folders import LabelledFolder, read_folder

PAIR = ("cat", "dog")


def prepared(x: np.ndarray) -> np.ndarray:
    return x / 127.5 - 1


@pytest.fixture(scope="module")
def pair() -> camcore.Network:
    return camcore.wrap(one_unit(), labels=PAIR, preprocess=prepared)


@pytest.fixture(scope="module")
def four() -> camcore.Network:
    return camcore.wrap(flat(), labels=["Egyptian_cat", "b", "c", "d"], preprocess=prepared)


def fill(root: Path, counts: dict[str, int], seed: int = 0) -> Path:
    r = np.random.default_rng(seed)
    for name, n in counts.items():
        (root / name).mkdir(parents=True)
        for i in range(n):
            size = tuple(r.integers(12, 40, 2))
            Image.fromarray(r.integers(0, 256, (*size, 3), np.uint8)).save(root / name / f"{i}.png")
    return root


def last(steps):
    *_, step = steps
    return step


def test_a_folder_is_predicted_as_its_pictures_are_one_by_one(pair, tmp_path):
    data = read_folder(fill(tmp_path, {"cat": 5, "dog": 4}))
    p = last(predict_folder(pair, data, "stretch", batch=4)).predictions
    assert p.files == tuple([f"cat/{i}.png" for i in range(5)] + [f"dog/{i}.png" for i in range(4)])
    assert p.labels.tolist() == [0] * 5 + [1] * 4
    assert p.classes == PAIR
    for file, row in zip(p.files, p.probabilities, strict=True):
        alone = {q.index: q.probability for q in pair.predict(camcore.open_picture(tmp_path / file), 2, "stretch")}
        assert row == pytest.approx([alone[0], alone[1]], rel=1e-9)


def test_progress_tells_what_is_known_so_far_and_stops_when_closed(pair, tmp_path, monkeypatch):
    data = read_folder(fill(tmp_path, {"cat": 5, "dog": 4}))
    steps = list(predict_folder(pair, data, batch=4))
    assert [(s.done, s.total, len(s.predictions)) for s in steps] == [(4, 9, 4), (8, 9, 8), (9, 9, 9)]
    assert steps[-1].seconds_left == 0
    assert steps[0].predictions.files == steps[-1].predictions.files[:4]

    calls = []
    real = pair.logits
    monkeypatch.setattr(pair, "logits", lambda x: calls.append(len(x)) or real(x))
    stopped = predict_folder(pair, data, batch=4)
    next(stopped)
    stopped.close()
    assert calls == [4]


def test_damaged_files_are_skipped_and_counted(pair, tmp_path):
    fill(tmp_path, {"cat": 5, "dog": 5})
    (tmp_path / "cat" / "1.png").write_bytes((tmp_path / "cat" / "1.png").read_bytes()[:60])
    (tmp_path / "dog" / "notes.txt").write_text("not a picture")
    data = read_folder(tmp_path)
    (tmp_path / "dog" / "3.png").unlink()  # gone since the folder was read
    found = last(predict_folder(pair, data, batch=3))
    assert found.done == found.total == 11
    assert {one.file.name for one in found.predictions.skipped} == {"notes.txt", "1.png", "3.png"}
    assert all(one.reason for one in found.predictions.skipped)
    assert len(found.predictions) == 8
    assert "cat/1.png" not in found.predictions.files


def test_pictures_for_which_the_network_overflows_are_skipped_too(pair, tmp_path, monkeypatch):
    data = read_folder(fill(tmp_path, {"cat": 4, "dog": 4}))
    real = pair.logits

    def overflowing(x: np.ndarray) -> np.ndarray:
        logits = real(x)
        logits[1] = np.inf, -np.inf
        logits[2] = np.nan
        return logits

    monkeypatch.setattr(pair, "logits", overflowing)
    p = last(predict_folder(pair, data)).predictions
    assert [one.file.name for one in p.skipped] == ["2.png"]  # an infinite logit of a sigmoid is a probability
    assert len(p) == 7
    assert np.isfinite(p.probabilities).all()


def test_nothing_but_damaged_files_gives_no_predictions(pair, tmp_path):
    fill(tmp_path, {"cat": 4, "dog": 4})
    data = read_folder(tmp_path)
    for file in data.files:
        file.write_bytes(b"\x89PNG\r\n\x1a\n")
    p = last(predict_folder(pair, data)).predictions
    assert (len(p), len(p.skipped)) == (0, 8)


def folder(*classes: str) -> LabelledFolder:
    return LabelledFolder(Path("/data"), classes, (), np.array([], np.int64))


def test_folders_are_the_networks_classes_by_name_not_by_order(pair, four):
    assert class_indices(pair, folder("Dogs", "CATS")).tolist() == [1, 0]
    assert class_indices(four, folder("d", "egyptian cat")).tolist() == [3, 0]


@pytest.mark.parametrize(
    ("classes", "message"), [(("cat", "wolf"), "'wolf'.*its labels are 'cat', 'dog'"), (("cat", "cats"), "same class")]
)
def test_folders_of_other_classes_are_refused(pair, classes, message):
    with pytest.raises(CamcoreError, match=message):
        predict_folder(pair, folder(*classes))


def test_a_label_that_several_classes_have_cannot_name_a_folder():
    twice = camcore.wrap(flat(), labels=["crane", "b", "crane", "d"])
    with pytest.raises(CamcoreError, match="2 of its labels"):
        predict_folder(twice, folder("b", "crane"))


def test_what_is_asked_is_checked_at_the_call(pair):
    with pytest.raises(CamcoreError, match="framing"):
        predict_folder(pair, folder("cat", "dog"), "squash")
    with pytest.raises(CamcoreError, match="at least 1"):
        predict_folder(pair, folder("cat", "dog"), batch=0)


def test_a_regression_has_no_probabilities():
    regression = camcore.wrap(one_unit("linear"), labels=["size"])
    with pytest.raises(ModelError, match="regression"):
        predict_folder(regression, folder("size"))


def test_four_classes(four, tmp_path):
    data = read_folder(fill(tmp_path, {"Egyptian cat": 4, "c": 5}))
    p = last(predict_folder(four, data)).predictions
    assert p.classes == four.labels
    assert p.probabilities.shape == (9, 4)
    assert p.labels.tolist() == [0] * 4 + [2] * 5
    assert p.probabilities.sum(axis=1) == pytest.approx(np.ones(9))
