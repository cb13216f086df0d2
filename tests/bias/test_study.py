"""The study on a tiny network and pictures made by hand: the shortcut is learned, seen, and gone once mended."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import camcore
from camcore.batches import framed_batches
from camcore.bias.court import court_to_json
from camcore.bias.cue import CORNER
from camcore.bias.files import draw_mean_map, draw_samples, read_study, write_study
from camcore.bias.study import HEADS, TRIALS, Study, StudyStep, run_study
from camcore.errors import CamcoreError
from camcore.training.folders import LabelledFolder, opened, read_folder

SIDE = 32
FEATURES = 24


def trained(data: LabelledFolder, folder: Path) -> Generator[str, None, camcore.Network]:
    """A head on a frozen trunk of random convolutions: logistic regression on the averaged features."""
    r = np.random.default_rng(0)
    x = keras.Input((SIDE, SIDE, 3))
    conv = layers.Conv2D(FEATURES, 4, strides=4, activation="relu", name="features")
    score = layers.Dense(1, activation="sigmoid", name="score")
    model = keras.Model(x, score(layers.GlobalAveragePooling2D()(conv(x))))
    conv.set_weights([r.normal(0, 0.4, (4, 4, 3, FEATURES)), np.full(FEATURES, -0.3)])
    network = camcore.wrap(model, labels=data.classes, preprocess=lambda x: x / 127.5 - 1, framing="crop")
    yield "features"
    A = [
        network.tap(part.x, ["features"]).activations["features"]
        for part in framed_batches(network, opened(data), "crop")
    ]
    X = np.concatenate(A).mean(axis=(1, 2))
    mean, spread = X.mean(axis=0), X.std(axis=0) + 1e-6
    Z = np.column_stack([(X - mean) / spread, np.ones(len(X))])
    w = np.zeros(Z.shape[1])
    for _ in range(25):  # Newton's method with a ridge
        p = 1 / (1 + np.exp(-Z @ w))
        H = (Z * (p * (1 - p))[:, None]).T @ Z + 0.1 * np.eye(len(w))
        w -= np.linalg.solve(H, Z.T @ (p - data.labels) + 0.1 * w)
    weights = w[:-1] / spread
    score.set_weights([weights[:, None], np.array([w[-1] - mean @ weights])])
    yield "head"
    return network


def pictures(root: Path, n: int, seed: int) -> LabelledFolder:
    """Cats are a little greener than dogs, in noise: that can be learned, but not perfectly."""
    r = np.random.default_rng(seed)
    for name, tint in (("cat", (0, 14, 0)), ("dog", (0, 0, 0))):
        (root / name).mkdir(parents=True)
        for i in range(n):
            rgb = 110 + np.array(tint) + r.normal(0, 20, 3) + r.normal(0, 25, (40, 50, 3))
            Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8)).save(root / name / f"{i}.png")
    return read_folder(root)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[LabelledFolder, LabelledFolder]:
    root = tmp_path_factory.mktemp("study")
    return pictures(root / "train", 40, 1), pictures(root / "test", 30, 2)


@pytest.fixture(scope="module")
def stages(folders) -> list[StudyStep]:
    return list(run_study(*folders, trained, marked=1, seed=5))


@pytest.fixture(scope="module")
def study(stages) -> Study:
    return stages[-1].study


def test_every_head_is_tried_in_every_way(stages, study):
    assert [head.name for head in study.heads] == list(HEADS)
    assert (study.training, study.testing, study.marked, study.layer, study.method) == (80, 60, 1, "features", "cam")
    for head in study.heads:
        assert set(head.accuracy) == set(TRIALS)
        assert all(found.n == 60 for found in head.accuracy.values())
        assert {key: one.n for key, one in head.energy.items()} == {"with": 30, "without": 30}
        assert head.mean_map.shape == (8, 8)
        assert head.energy["with"].area == pytest.approx((8 / 35) ** 2)  # of 40 pixels 35 are seen, from the third
    done = [one for one in stages if one.head]
    assert [(one.head.name, one.done) for one in done] == [("clean", 4), ("planted", 7), ("mended", 10)]
    assert stages[-1].done == stages[-1].total == 10
    assert all(one.network is not None for one in done)


def test_the_shortcut_is_learned_and_the_energy_exposes_it(study):
    clean, planted, _ = study.heads
    assert planted.accuracy["with"].value > 0.85
    assert planted.accuracy["swapped"].value < 0.3
    assert planted.energy["with"].low > 3 * planted.energy["with"].area
    assert planted.energy["with"].low > clean.energy["with"].high
    rows, columns = np.unravel_index(planted.mean_map.argmax(), planted.mean_map.shape)
    assert max(rows, columns) <= 1


def test_mended_pictures_take_it_away(study):
    _, planted, mended = study.heads
    assert mended.accuracy["swapped"].value > mended.accuracy["with"].low - 0.05
    assert mended.accuracy["swapped"].value > planted.accuracy["swapped"].value + 0.3
    assert mended.energy["with"].high < planted.energy["with"].low / 2


def test_an_audit_that_is_not_told_of_the_mark_finds_it_where_it_counts(study):
    clean, planted, mended = (head.court for head in study.heads)
    assert (clean.suspects, mended.suspects) == (0, 0)
    assert planted.first.suspect
    assert (planted.first.label, planted.marked) == ("dog", planted.first.size)
    assert planted.first.verdict.figures.sufficiency.low > planted.first.verdict.figures.random.high


def test_taken_out_of_the_head_it_turns_nothing_any_more(study):
    _, planted, _ = study.heads
    mended = planted.court.mended
    assert mended["swapped"].value > planted.accuracy["swapped"].value + 0.3
    assert planted.court.mending.after.flipped.value < planted.court.mending.before.flipped.value / 2
    assert all(head.court.mending is None for head in study.heads if head is not planted)


def test_a_study_stops_between_steps_and_leaves_nothing(folders, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    steps = run_study(*folders, trained, marked=1)
    for _ in range(3):
        next(steps)
    assert list(tmp_path.iterdir())
    steps.close()
    assert not list(tmp_path.iterdir())


def test_what_is_asked_is_checked_at_the_call(folders):
    training, testing = folders
    other = LabelledFolder(testing.root, ("cat", "wolf"), testing.files, testing.labels)
    with pytest.raises(CamcoreError, match="same classes"):
        run_study(training, other, trained, marked=1)
    with pytest.raises(CamcoreError, match="no class 2"):
        run_study(training, testing, trained, marked=2)
    with pytest.raises(CamcoreError, match="box"):
        run_study(training, testing, trained, marked=1, box=(0, 0, 0, 0))
    with pytest.raises(CamcoreError, match="not an empty folder"):
        run_study(training, testing, trained, marked=1, keep=training.root)


# ---- on disk


@pytest.fixture(scope="module")
def written(stages, study, tmp_path_factory) -> Path:
    networks = {one.head.name: one.network for one in stages if one.head and one.network}
    r = np.random.default_rng(0)
    pic = camcore.Picture.from_array(r.integers(60, 160, (64, 80, 3), np.uint8), name="house cat.png")
    folder = tmp_path_factory.mktemp("out") / "bias"
    write_study(folder, study, draw_samples(networks, [pic], study), {"command": "x"})
    return folder


def test_a_study_comes_back_from_its_folder(study, written):
    found = read_study(written)
    again = found.study
    assert (again.classes, again.marked, again.box, again.layer) == (study.classes, 1, CORNER, "features")
    assert (again.training, again.testing, again.seed) == (80, 60, 5)
    for one, two in zip(study.heads, again.heads, strict=True):
        assert (one.name, one.accuracy, one.energy) == (two.name, two.accuracy, two.energy)
        assert court_to_json(two.court) == court_to_json(one.court)
        np.testing.assert_allclose(two.mean_map, one.mean_map, atol=1e-6)
        assert [s.file for s in two.shares["with"]] == [s.file for s in one.shares["with"]]
        assert [s.energy for s in two.shares["with"]] == pytest.approx([s.energy for s in one.shares["with"]], abs=1e-6)
    assert found.record == {"command": "x"}


def test_no_photograph_of_the_study_is_in_it_and_every_file_is_there(written):
    found = read_study(written)
    wanted = {sample.file for sample in found.samples} | {f"mean-{name}.png" for name in HEADS}
    assert {path.name for path in written.iterdir()} == wanted | {"study.json", "energies.csv"}
    assert [(s.head, s.cue) for s in found.samples] == [(name, cue) for name in HEADS for cue in (False, True)]
    for sample in found.samples:
        with Image.open(written / sample.file) as image:
            assert image.height > 64  # the caption


def test_the_cue_turns_the_planted_head_and_nobody_else(written):
    p = {(s.head, s.cue): s.probability for s in read_study(written).samples}
    energy = {(s.head, s.cue): s.energy for s in read_study(written).samples}
    assert p["planted", True] > p["planted", False] + 0.3
    assert abs(p["mended", True] - p["mended", False]) < 0.3
    assert energy["planted", True] > 0.3 > energy["mended", True]


def test_the_cues_place_is_outlined_on_what_the_network_sees(study):
    top, left, bottom, right = study.box_on_input
    assert (top, left) == (0, 0)
    assert bottom == right == pytest.approx((0.25 - 1 / 16) / (14 / 16), abs=0.001)
    drawn = draw_mean_map(study, study.heads[1])
    edge = round(bottom * 336) - 1
    assert (drawn[:edge, [0, edge]] == 255).all()


@pytest.mark.parametrize("change", ["", "{}", "[1]", '{"schema_version": 2}'])
def test_a_damaged_study_is_refused(written, tmp_path, change):
    (tmp_path / "study.json").write_text(change)
    (tmp_path / "energies.csv").write_bytes((written / "energies.csv").read_bytes())
    with pytest.raises(CamcoreError, match="damaged"):
        read_study(tmp_path)


@pytest.mark.parametrize(("key", "value"), [("box", [0, 0, 2, 2]), ("marked", 7), ("heads", [{}]), ("samples", [{}])])
def test_a_study_with_a_wrong_value_is_refused(written, tmp_path, key, value):
    content = json.loads((written / "study.json").read_text("utf-8"))
    (tmp_path / "study.json").write_text(json.dumps({**content, key: value}))
    (tmp_path / "energies.csv").write_bytes((written / "energies.csv").read_bytes())
    with pytest.raises(CamcoreError):
        read_study(tmp_path)


@pytest.mark.parametrize("change", [{"groups": "many"}, {"first": {}}, {"mended": {"with": 1}}, {"mending": {}}])
def test_a_damaged_audit_of_a_head_is_refused(written, tmp_path, change):
    content = json.loads((written / "study.json").read_text("utf-8"))
    content["heads"][1]["court"].update(change)
    (tmp_path / "study.json").write_text(json.dumps(content))
    (tmp_path / "energies.csv").write_bytes((written / "energies.csv").read_bytes())
    with pytest.raises(CamcoreError, match="damaged"):
        read_study(tmp_path)


def test_no_study(tmp_path):
    with pytest.raises(CamcoreError, match="cannot be read"):
        read_study(tmp_path)
