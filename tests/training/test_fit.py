"""Training from nothing: the loss falls, a run that was cut off goes on as if it had not been, nothing is lost."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled import make_folder

import camcore
from camcore.models.saved import SavedNetwork
from camcore.training.fit import train
from camcore.training.folders import LabelledFolder, opened, read_folder
from camcore.training.recipe import Recipe
from camcore.training.runs import Epoch, Stopped, ask_to_stop, checkpoints, read_log, read_progress

RECIPE = Recipe(
    size=32,
    stem=8,
    widths=(8, 16),
    blocks=(1, 1),
    epochs=5,
    stages=((0.4, 24), (0.6, 32)),
    batch=16,
    rate=1e-2,
    warmup=1.0,
    views=2,
    rotation=0.0,
    held_out=0.2,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LabelledFolder:
    return read_folder(make_folder(tmp_path_factory.mktemp("stripes"), {"across": 60, "down": 60}))


def finish(work: Any) -> tuple[Any, list[Epoch]]:
    epochs = []
    while True:
        try:
            event = next(work)
        except StopIteration as finished:
            return finished.value, epochs
        if isinstance(event, Epoch):
            epochs.append(event)


@dataclass(frozen=True)
class Whole:
    """A run from end to end, and a copy of its folder as it was after the third epoch."""

    saved: SavedNetwork
    epochs: list[Epoch]
    cut: Path


@pytest.fixture(scope="module")
def whole(data: LabelledFolder, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    work = train(RECIPE, data, folder / "run")
    epochs: list[Epoch] = []
    while len(epochs) < 3:
        event = next(work)
        epochs += [event] if isinstance(event, Epoch) else []
    shutil.copytree(folder / "run", folder / "cut")
    saved, rest = finish(work)
    return Whole(saved, epochs + rest, folder / "cut")


def test_the_loss_falls_and_the_classes_are_told_apart(whole: Whole) -> None:
    epochs = whole.epochs
    assert [line.epoch for line in epochs] == [1, 2, 3, 4, 5]
    assert [line.size for line in epochs] == [24, 24, 32, 32, 32]
    assert epochs[-1].loss < 0.5 * epochs[0].loss
    assert epochs[-1].val_accuracy > 0.9


def test_the_result_is_a_network_that_says_what_was_measured(whole: Whole, data: LabelledFolder) -> None:
    net = camcore.load(str(whole.saved.folder))
    assert net.labels == ("across", "down")
    assert net.input_size == (32, 32)
    right = sum(net.predict(picture)[0].index == data.labels[i] for i, picture in opened(data))  # type: ignore[arg-type]
    assert right / len(data) > 0.9
    picture = camcore.open_picture(data.files[0])
    (m,) = camcore.explain(net, picture, methods=["cam"])
    logit = net.logits(net.prepare(picture)[0])[0][m.class_index]
    assert float(m.raw.mean()) + m.offset == pytest.approx(float(logit), abs=1e-4)


def test_what_stays_of_a_finished_run(whole: Whole) -> None:
    saved, epochs = whole.saved, whole.epochs
    # The log holds six digits.
    assert [line.val_accuracy for line in read_log(saved.folder)] == pytest.approx(
        [line.val_accuracy for line in epochs], rel=1e-5
    )
    assert [epoch for epoch, _ in checkpoints(saved.folder)] == [1, 2, 4]
    progress = read_progress(saved.folder)
    assert progress is not None
    assert progress.state == "done"
    assert not (saved.folder / "cache").exists()
    assert not (saved.folder / "state.npz").exists()


def test_a_run_cut_off_or_stopped_as_asked_goes_on_as_if_it_had_not_been(
    whole: Whole, data: LabelledFolder, tmp_path: Path
) -> None:
    folder = shutil.copytree(whole.cut, tmp_path / "run")
    work = train(RECIPE, data, folder)
    while not isinstance(event := next(work), Epoch):
        pass
    assert event.epoch == 4
    ask_to_stop(folder)
    with pytest.raises(Stopped):
        finish(work)
    progress = read_progress(folder)
    assert progress is not None
    assert progress.state == "stopped"
    _, rest = finish(train(RECIPE, data, folder))
    assert [line.epoch for line in rest] == [5]
    for ours, theirs in zip(read_log(folder), whole.epochs, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, rel=0.02, abs=5e-3)
        assert ours.rate == pytest.approx(theirs.rate, rel=1e-5)


def test_a_run_that_is_done_is_left_as_it_is(
    whole: Whole, data: LabelledFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = whole.saved
    before = {path: path.read_bytes() for path in saved.folder.rglob("*") if path.is_file()}
    monkeypatch.setattr("camcore.training.fit._train", lambda *_: pytest.fail("it trains again"))
    assert finish(train(RECIPE, data, saved.folder)) == (saved, [])
    assert {path: path.read_bytes() for path in saved.folder.rglob("*") if path.is_file()} == before


def test_nothing_but_damaged_pictures_is_told(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "pictures", {"across": 6, "down": 6})
    for file in root.rglob("*.png"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(camcore.CamcoreError, match=r"none is left to learn from\. 12 of 12 are damaged"):
        finish(train(RECIPE, read_folder(root), tmp_path / "run"))


def test_learning_on_from_a_saved_network(whole: Whole, data: LabelledFolder, tmp_path: Path) -> None:
    saved, epochs = whole.saved, whole.epochs
    _, more = finish(train(replace(RECIPE, epochs=1, rate=1e-4, start=str(saved.folder)), data, tmp_path / "run"))
    assert more[0].loss < 1.5 * epochs[-1].loss
    with pytest.raises(camcore.CamcoreError, match="nothing to learn on from"):
        finish(train(replace(RECIPE, widths=(8, 24), start=str(saved.folder)), data, tmp_path / "other"))
    with pytest.raises(camcore.CamcoreError, match="there is none"):
        finish(train(replace(RECIPE, start="nobody"), data, tmp_path / "third"))


def test_training_ends_early_with_the_best_epoch(
    data: LabelledFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = iter([(0.5, 0.5), (0.2, 0.75), (0.3, 0.7), (0.4, 0.6), (0.1, 0.9)])
    monkeypatch.setattr("camcore.training.learner.Learner.check", lambda *_: next(measured))
    saved, epochs = finish(train(replace(RECIPE, patience=2), data, tmp_path / "run"))
    assert len(epochs) == 4
    assert saved.trained["val_accuracy"] == 0.75
    second = dict(checkpoints(saved.folder))[2]
    model, best = (camcore.load(str(saved.folder)).model, camcore.load(str(saved.folder), weights=second).model)
    for ours, theirs in zip(model.weights, best.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_a_failure_is_told_in_the_folder(data: LabelledFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(camcore.CamcoreError, match="No space left"):
        finish(train(RECIPE, data, tmp_path / "run"))
    progress = read_progress(tmp_path / "run")
    assert progress is not None
    assert progress.state == "failed"
    assert "No space left" in progress.message


def test_three_classes_make_a_softmax(tmp_path: Path) -> None:
    data = read_folder(make_folder(tmp_path / "pictures", {"a": 10, "b": 10, "c": 10}))
    saved, epochs = finish(train(replace(RECIPE, epochs=1), data, tmp_path / "run"))
    assert camcore.load(str(saved.folder)).labels == ("a", "b", "c")
    assert len(epochs) == 1
