"""``python -m camcore evaluate``: what it prints and writes, and that wrong input ends in a sentence."""

from __future__ import annotations

import json

import pytest
from labelled import make_folder
from small import network_folder

import camcore
from camcore.__main__ import main
from camcore.evaluation.average_maps import read_averages
from camcore.evaluation.measures import accuracy, auc, confusion
from camcore.evaluation.table import read_csv
from camcore.models import saved
from camcore.models.pickling import weights_hash


def test_figures_in_words(network, pictures, capsys):
    assert main(["evaluate", network, pictures]) == 0
    printed = capsys.readouterr().out
    assert "19 pictures, 2 classes, skipped: 1" in printed
    assert "010.png" in printed
    for word in ("accuracy", "95 % interval", "said across", "is down", "AUC", "ECE", "log loss", "threshold  0.5"):
        assert word in printed


def test_what_is_printed_is_what_is_written(network, pictures, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["evaluate", network, pictures, "--threshold", "0.4", "--json", "--out", str(out)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((out / "report.json").read_text("utf-8"))
    p = read_csv(out / "predictions.csv")
    assert (report["pictures"], report["classes"], report["threshold"]) == (19, ["across", "down"], 0.4)
    assert report["weights_sha256"] == weights_hash(camcore.load(network))
    assert report["file_sha256"] == saved.read(network).sha256
    assert report["confusion"] == confusion(p, 0.4).counts.tolist()
    assert report["accuracy"]["value"] == accuracy(p, 0.4).value
    assert report["auc"] == pytest.approx(auc(p))
    assert len(report["skipped"]) == 1
    means = read_averages(out / "average_maps.json")
    assert means.method == "cam"
    counts = {(g.label, g.correct): g.count for g in means.groups}
    table = confusion(p, 0.4).counts
    assert counts == {(i, ok): table[i, i] if ok else table[i, 1 - i] for i in (0, 1) for ok in (True, False)}


def test_many_classes(tmp_path, capsys):
    labels = [f"kind_{i}" for i in range(12)]
    network = network_folder(tmp_path / "twelve", labels)
    pictures = make_folder(tmp_path / "data", dict.fromkeys(labels[:3], 5))
    assert main(["evaluate", network, str(pictures)]) == 0
    printed = capsys.readouterr().out
    assert "15 pictures, 12 classes" in printed
    assert "taken for" in printed
    assert "mean of each class against the rest" in printed
    assert "threshold" not in printed


def test_wrong_input_is_told(network, pictures, tmp_path, capsys):
    assert main(["evaluate", network, str(tmp_path / "none")]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert main(["evaluate", network, pictures, "--threshold", "2"]) == 1
    assert "from 0 to 1" in capsys.readouterr().err
    other = make_folder(tmp_path / "data", {"cat": 4, "dog": 4})
    assert main(["evaluate", network, str(other)]) == 1
    assert "'cat'" in capsys.readouterr().err


def test_nothing_but_damaged_pictures(network, tmp_path, capsys):
    for name in ("across", "down"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert main(["evaluate", network, str(tmp_path), "--json"]) == 1
    assert "None of the 2 files" in capsys.readouterr().err
