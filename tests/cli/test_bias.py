"""``python -m camcore bias``: the energy on a region in words and as a table, and the study from end to end."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from labelled import make_folder
from PIL import Image
from small import network_folder

import camcore
from camcore.__main__ import main
from camcore.bias.energy import energy_in_region
from camcore.bias.files import read_study
from camcore.training.folders import read_folder


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> str:
    return network_folder(tmp_path_factory.mktemp("networks") / "small", ["Egyptian_cat", "b", "c"])


@pytest.fixture
def pictures(tmp_path) -> Path:
    return make_folder(tmp_path / "data", {"across": 5, "down": 4})


def test_energy_on_a_box(network, pictures, tmp_path, capsys):
    box = ["0", "0", "0.5", "1"]
    out = tmp_path / "shares.csv"
    asked = ["bias", "measure", network, str(pictures), "--class", "Egyptian cat"]
    assert main([*asked, "--framing", "crop", "--only", "across", "--box", *box, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    data = read_folder(pictures)
    *_, wanted = energy_in_region(camcore.load(network), data.take(np.arange(5)), (0, 0, 0.5, 1), 0, framing="crop")
    assert f"energy {wanted.energy.value:.1%}" in printed
    assert "5 pictures, skipped: 0" in printed
    assert f"area {18 / 35:.1%}" in printed  # of 40 rows 35 are seen, from the third
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["energy"]) for row in rows] == pytest.approx([s.energy for s in wanted.shares], abs=1e-6)


def test_energy_on_masks(network, pictures, tmp_path, capsys):
    for file in pictures.rglob("*.png"):
        mask = tmp_path / "masks" / file.relative_to(pictures)
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (48, 40), 255).save(mask)
    (tmp_path / "masks" / "down" / "000.png").unlink()
    asked = ["bias", "measure", network, str(pictures), "--class", "0", "--masks", str(tmp_path / "masks")]
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert "8 pictures, skipped: 1" in printed
    assert "There is no mask for it" in printed
    assert "area 100.0%" in printed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--class", "dragon", "--box", "0", "0", "1", "1"], "no class 'dragon'"),
        (["--class", "2", "--box", "0", "0", "2", "1"], "top, left, bottom, right"),
        (["--class", "2", "--only", "up", "--box", "0", "0", "1", "1"], "no class folder 'up'"),
        (["--class", "2", "--masks", "/none"], "is not there"),
    ],
)
def test_wrong_input_is_told(network, pictures, capsys, changed, message):
    assert main(["bias", "measure", network, str(pictures), *changed]) == 1
    assert message in capsys.readouterr().err


def test_a_study_from_end_to_end(network, tmp_path, capsys):
    data = make_folder(tmp_path / "data", {"across": 16, "down": 16})
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 70, 3), np.uint8)).save(photo)
    asked = ["bias", "study", str(data), "--out", str(tmp_path / "out"), "--backbone", network]
    keep = ["--keep", str(tmp_path / "kept")]
    assert main([*asked, "--pictures", "10", "--tries", "6", "--sample", str(photo), *keep]) == 0
    printed = capsys.readouterr().out
    assert "the mark goes with down; small's trunk" in printed
    for name in ("clean", "planted", "mended"):
        assert f"{name:8s} accuracy: without" in printed
    found = read_study(tmp_path / "out")
    assert (found.study.training, found.study.testing, found.study.marked) == (20, 12, 1)
    assert found.record["backbone"] == "small"
    assert {sample.picture for sample in found.samples} == {"photo.png"}
    kept = camcore.open_audit(tmp_path / "kept" / "planted" / "audit")
    assert (kept.rows, kept.manifest.network.name) == (12, "planted")
    court = found.study.heads[1].court
    assert court.groups == len(kept.groups())
    assert f"audited: {court.groups} group" in printed
    assert "open it on the Audit page" in printed
    assert main([*asked, "--keep", str(tmp_path / "kept")]) == 1
    assert "not an empty folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--class", "up"], "no class folder 'up'"),
        (["--pictures", "0"], "--pictures"),
        (["--sample", "/none.png"], "none.png"),
        (["--layer", "nowhere"], "nowhere"),
    ],
)
def test_a_study_that_cannot_be_is_told_before_it_begins(network, pictures, tmp_path, capsys, changed, message):
    asked = ["bias", "study", str(pictures), "--out", str(tmp_path / "out"), "--backbone", network]
    assert main([*asked, *changed]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
