"""New blocks on a trunk: what they learn from, that a stopped run goes on as if nothing had been, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from labelled import make_folder
from small import SIDE, network_folder

import camcore
from camcore.__main__ import main
from camcore.errors import CamcoreError
from camcore.models.architectures import build_architecture
from camcore.training.blocks_learner import Lessons, blocks_learner
from camcore.training.blocks_recipe import BlocksRecipe
from camcore.training.blocks_teacher import cell_scores
from camcore.training.folders import LabelledFolder, read_folder
from camcore.training.new_blocks import train_blocks
from camcore.training.runs import Epoch, Stopped, ask_to_stop, read_log
from camcore.training.trunk_features import StoredRows

KEPT = "stem_relu"


def recipe(**changes: Any) -> BlocksRecipe:
    given = {"backbone": "trunk", "layer": KEPT, "size": SIDE, "width": 32, "blocks": 1, "views": 2, "epochs": 2}
    return BlocksRecipe(**{**given, "batch": 16, "rate": 3e-3, "held_out": 0.2, **changes})


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> LabelledFolder:
    return read_folder(make_folder(tmp_path_factory.mktemp("stripes"), {"across": 24, "down": 24}))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose ``networks`` have a small one, called "trunk"."""
    monkeypatch.setenv("CAMCORE_HOME", str(tmp_path))
    network_folder(tmp_path / "networks" / "trunk", ["x", "y"])
    return tmp_path


def followed(work: Iterator[Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value


def test_a_stopped_run_ends_as_if_it_had_not_been(home: Path, pictures: LabelledFolder) -> None:
    given = recipe(kind="convolutions", width=8)
    whole = followed(train_blocks(given, pictures, home / "whole", "one"))
    work = train_blocks(given, pictures, home / "stopped", "one")
    next(event for event in work if isinstance(event, Epoch))
    ask_to_stop(home / "stopped")
    with pytest.raises(Stopped):
        followed(work)
    again = followed(train_blocks(given, pictures, home / "stopped", "one"))
    assert [line.epoch for line in read_log(home / "stopped")] == [1, 2]
    nets = [camcore.load(one.folder) for one in (whole, again)]
    for one, other in zip(nets[0].model.weights, nets[1].model.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)

    trunk = camcore.load("trunk").model
    for name in ("stem_conv", "stem_norm"):
        own, kept = (one.get_layer(name).get_weights() for one in (trunk, nets[0].model))
        for weight, half in zip(own, kept, strict=True):
            np.testing.assert_allclose(weight, half, atol=1e-3)  # kernels are kept in half precision
    tried = whole.trained["held_out_by_framing"]
    assert whole.framing == min(tried, key=lambda framing: tried[framing]["loss"])
    assert whole.trained["val_accuracy"] == tried["crop"]["accuracy"]
    assert whole.trained["pictures"] == {"across": 19, "down": 19}


def test_the_command_trains_a_transformer_with_a_dense_teacher(
    home: Path, pictures: LabelledFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    convolutions = recipe(kind="convolutions", width=8, epochs=1)
    followed(train_blocks(convolutions, pictures, home / "networks" / "first", "first"))
    given = ["train", str(pictures.root), "--out", str(home / "run"), "--recipe", str(home / "recipe.json")]

    def told(teacher: str) -> None:
        text = json.dumps({**json.loads(recipe().to_json()), "epochs": 9, "dense": 0.1, "dense_teacher": teacher})
        (home / "recipe.json").write_text(text)

    told("trunk")
    assert main([*given[:3], str(home / "refused"), *given[4:]]) == 1
    assert "'trunk' cannot teach the cells" in capsys.readouterr().err
    told("first")
    assert main([*given, "--teacher", "MobileNetV2"]) == 1
    assert "--teacher does not go with this recipe" in capsys.readouterr().err
    assert main([*given, "--epochs", "1"]) == 0
    assert len(read_log(home / "run")) == 1
    net = camcore.load(home / "run")
    assert (net.default_layer, net.layer("norm").grid) == ("norm", (16, 16))
    assert net.check_linear_head("norm") == "norm"

    teacher = camcore.load("first")
    x = np.random.default_rng(2).normal(0, 1, (3, SIDE, SIDE, 3)).astype(np.float32)
    maps = teacher.tap(x, [KEPT]).activations[KEPT]
    cells = followed(cell_scores(teacher.model, KEPT, StoredRows((maps[:2], maps[2:]))))
    assert cells.shape == (3, 16, 16, 1)
    bias = teacher.model.get_layer("scores").bias
    np.testing.assert_allclose(cells.mean((1, 2)) + bias, teacher.logits(x)[:, 1:], atol=1e-4)


def lessons(views: int) -> tuple[Lessons, np.ndarray]:
    """Of five pictures; their maps tell picture and view, and left from right."""
    rng = np.random.default_rng(0)
    maps = rng.normal(0, 1, (5 * views, 8, 8, 4)).astype(np.float32)
    answers = np.arange(5.0 * views, dtype=np.float32)[:, np.newaxis]
    return Lessons(StoredRows((maps[:3], maps[3:])), np.arange(5), answers, answers, maps[..., :1] + 1), maps


def test_an_epoch_shows_every_picture_once_and_the_views_take_turns() -> None:
    given, maps = lessons(views=3)
    seen: dict[int, set[int]] = {picture: set() for picture in range(5)}
    mirrored = 0
    for epoch in range(6):
        ((x, labels, answers, features, cells),) = given.batches(recipe(views=3), epoch, 5)
        assert sorted(labels.tolist()) == list(range(5))
        np.testing.assert_array_equal(answers, features)
        np.testing.assert_array_equal(cells, x[..., :1] + 1, err_msg="mirrored with their maps")
        for one, label, row in zip(x, labels, answers[:, 0].astype(int), strict=True):
            assert row % 5 == label
            turned = not np.array_equal(one, maps[row])
            np.testing.assert_array_equal(one[:, ::-1] if turned else one, maps[row])
            mirrored += turned
            seen[label].add(row // 5)
    assert all(len(views) > 1 for views in seen.values())
    assert 5 < mirrored < 25


def test_with_a_dense_teacher_the_class_activation_map_becomes_its_map() -> None:
    """Three pictures of one answer whose teacher sees something in other places each time."""
    trunk = {"builder": "gap_classifier", "size": SIDE, "stem": 4, "widths": [6], "blocks": [1], "outputs": 1}
    architecture = {"builder": "grafted", "backbone": trunk, "layer": KEPT, "position": 3, "kind": "transformer"}
    rng = np.random.default_rng(1)
    maps, labels = rng.normal(0, 1, (3, 16, 16, 4)).astype(np.float32), np.ones(3, np.int64)
    cells = np.where(maps[..., :1] > 0, 3.0, -1.0).astype(np.float32)
    taught = np.ones((3, 1), np.float32), np.zeros((3, 1), np.float32), cells

    keras.utils.set_random_seed(1)
    model = build_architecture({**architecture, "width": 32, "blocks": 1, "outputs": 1})
    start = model.get_layer(KEPT).output
    learner = blocks_learner(recipe(dense=1.0, dense_teacher="any", rate=1e-2, epochs=1), model, start, 40, 1)
    for _ in range(40):
        learner.step(maps, labels, *taught)
    tokens = keras.Model(start, model.get_layer("norm").output)(maps)
    said = np.asarray(tokens) @ np.asarray(model.get_layer("scores").kernel)
    assert np.corrcoef(said.ravel(), cells.ravel())[0, 1] > 0.8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "dense"}, "kind is 'dense'"),
        ({"size": 16}, "size is 16"),
        ({"views": 0}, "views"),
        ({"least_area": 0.0}, "least_area"),
        ({"seed": -1}, "seed is -1"),
        ({"hints": -1.0}, "hints"),
        ({"dense": -1.0}, "dense"),
        ({"dense": 1.0}, "go together"),
        ({"rate": "fast"}, "of the wrong kind"),
    ],
)
def test_what_cannot_be_followed_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CamcoreError, match=said):
        recipe(**changes)


def test_a_recipe_survives_json() -> None:
    one = recipe(kind="convolutions", soft=1.0)
    assert BlocksRecipe.from_json(one.to_json()) == one
    with pytest.raises(CamcoreError, match="has no 'stem'"):
        BlocksRecipe.from_json({"stem": 3})
