"""``python -m camcore audit``: what it prints and writes, and that wrong input ends in a sentence."""

from __future__ import annotations

import json

import pytest
from pyarrow import parquet

from camcore.__main__ import main
from camcore.audits.manifest import read_manifest
from camcore.metrics.intervals import rate


def test_figures_in_words_and_as_json(network, pictures, tmp_path, capsys):
    command = ["audit", pictures, "--model", network, "--out", str(tmp_path)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    table = parquet.read_table(tmp_path / "pictures")
    right = table.column("correct").to_pylist().count(True)
    interval = rate(right, 19)
    for words in ("20 pictures, 1 other file left out", f"({right} of 19", "95 % interval", "1 picture could not be"):
        assert words in printed
    assert "down/010.png: '010.png' begins as a PNG" in printed
    assert str(tmp_path) in printed
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["pictures"], figures["failed"], figures["left_out"]) == (20, 1, 1)
    accuracy = {"value": interval.value, "low": interval.low, "high": interval.high, "correct": right, "of": 19}
    assert figures["accuracy"] == accuracy
    assert sum(group["size"] for group in figures["groups"]) == 19


def test_choices_reach_the_audit(network, pictures, tmp_path, capsys):
    choices = ["--method", "layercam", "--framing", "stretch", "--limit", "6", "--seed", "3", "--unlabelled"]
    assert main(["audit", pictures, "--model", network, "--out", str(tmp_path), *choices, "--workers", "0"]) == 0
    manifest = read_manifest(tmp_path)
    assert (manifest.method, manifest.framing, manifest.limit, manifest.seed) == ("layercam", "stretch", 6, 3)
    assert (manifest.total, manifest.labelled) == (6, False)
    assert "no labels" in capsys.readouterr().out


def test_wrong_input_is_told(network, pictures, tmp_path, capsys):
    out = str(tmp_path / "out")
    for wrong, said in (
        ([str(tmp_path / "none")], "cannot be read"),
        ([pictures, "--layer", "none"], "no layer"),
        ([pictures, "--cluster", "nowhere"], "tcp://host:8786"),
        ([pictures, "--limit", "0"], "limit=0"),
    ):
        assert main(["audit", *wrong, "--model", network, "--out", out]) == 1
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["audit", pictures, "--model", network])


def test_interrupted_it_says_how_to_go_on(network, pictures, tmp_path, capsys, monkeypatch):
    from camcore.audits import rows

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    command = ["audit", pictures, "--model", network, "--out", str(tmp_path)]
    with monkeypatch.context() as patch:
        patch.setattr(rows, "_rows", interrupted)
        assert main(command) == 130
    assert "stopped after 0 of 20 pictures; the same command goes on from here" in capsys.readouterr().err
    assert main(command) == 0
    assert read_manifest(tmp_path).complete


def test_nothing_but_damaged_pictures(network, tmp_path, capsys):
    (tmp_path / "data" / "across").mkdir(parents=True)
    (tmp_path / "data" / "across" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert main(["audit", str(tmp_path / "data"), "--model", network, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "none of the pictures could be used" in printed
    assert "no labels" not in printed
