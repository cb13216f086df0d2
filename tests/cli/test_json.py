"""``--json``: every command has it, and prints JSON alone on standard output, without NaN."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled import make_folder
from PIL import Image
from small import network_folder

import camcore
from camcore.__main__ import _parser, main
from camcore.files import parse_json
from camcore.models import hub_presets

WITHOUT = {"app": "it serves until it is ended, and has no facts to tell"}
RECIPE = """{"size": 32, "stem": 4, "widths": [4], "blocks": [1], "stages": [[1.0, 32]], "batch": 16, "rate": 0.01,
"warmup": 1.0, "views": 1, "held_out": 0.2, "epochs": 1, "seed": 5}"""
CALLS = {
    "explain": "photo.png --model small --method gradcam --method centre",
    "run": "explained/run.json",
    "layers": "small",
    "models": "",
    "methods": "",
    "trust": "photo.png --model small",
    "train": "pictures --out trained --recipe recipe.json",
    "evaluate": "small pictures",
    "audit": "pictures --model small --out audited",
    "check": "small --against small --data pictures --policy policy.toml",
    "spread": "small small --data pictures",
    "bias measure": "small pictures --class down --box 0 0 0.5 1",
    "bias study": "pictures --out studied --backbone small --pictures 8 --tries 4 --sample photo.png --no-court",
    "review": "audited",
    "mend": "audited --out mended",
    "decide": "small --audit audited",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the calls name."""
    home = tmp_path_factory.mktemp("json")
    make_folder(home / "pictures", {"across": 12, "down": 12})
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 36, 3), np.uint8)).save(home / "photo.png")
    (home / "recipe.json").write_text(RECIPE)
    (home / "policy.toml").write_text("[flips]\nat_most = 0.1")
    small = network_folder(home / "small", ["across", "down"])
    assert main(["explain", str(home / "photo.png"), "--model", small, "--out", str(home / "explained")]) == 0
    return home


@pytest.fixture(autouse=True)
def there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("CAMCORE_HOME", str(home / "home"))


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command by its words, with its parser."""
    inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not inner:
        yield name, parser
    for one in inner:
        for word, child in one.choices.items():
            yield from commands(child, f"{name} {word}".strip())


def facts(command: str, capsys: pytest.CaptureFixture[str], given: str | None = None) -> Any:
    """The JSON that a command prints."""
    capsys.readouterr()
    assert main([*command.split(), *(CALLS[command] if given is None else given).split(), "--json"]) == 0
    return parse_json(capsys.readouterr().out, finite=True)


def test_every_command_has_the_option() -> None:
    found = {name: "--json" in parser._option_string_actions for name, parser in commands(_parser())}
    assert {name for name, has in found.items() if not has} == set(WITHOUT)
    assert set(CALLS) == set(found) - set(WITHOUT)


def test_explained_as_in_run_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = facts("explain", capsys)
    network, picture = camcore.load("small"), camcore.open_picture("photo.png")
    assert [(one["label"], one["probability"]) for one in run["predictions"]] == [
        (one.label, pytest.approx(one.probability)) for one in network.predict(picture)
    ]
    wanted = camcore.explain(network, picture, ["gradcam", "centre"])
    for one, m in zip(run["maps"], wanted, strict=True):
        assert (one["method"], one["png"], one["raw_max"]) == (m.method, None, pytest.approx(float(m.raw.max())))
        assert m.values[tuple(one["strongest"])] == m.values.max()
    (written,) = facts("explain", capsys, "photo.png --model small --out again")
    for one in written["maps"]:
        assert (home / written["folder"] / one["png"]).is_file()
    assert written["maps"][0]["raw_max"] == run["maps"][0]["raw_max"]


def test_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    again = facts("run", capsys)
    (one,) = again["maps"]
    assert (again["notes"], one["method"]) == ([], "gradcam")
    assert one["difference"] < 1e-5


def test_gated(capsys: pytest.CaptureFixture[str]) -> None:
    told = facts("check", capsys)
    assert (told["passed"], told["identical"], told["rules"][0]["figure"]) == (True, True, 0)
    found = {one["rule"]: one for one in facts("spread", capsys)["rules"]}
    assert (found["flips"]["figures"], found["evidence_inside"]["figures"]) == ([0, 0], [])
    assert found["evidence_inside"]["at_least"] is None


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    told = facts("layers", capsys)
    assert [one["path"] for one in told["layers"] if one["recommended"]] == [told["recommended"]]
    assert len(facts("layers", capsys, "small --all")["layers"]) > len(told["layers"])
    assert [one["name"] for one in facts("models", capsys)] == [row.name for row in camcore.backbones()]
    assert [one["name"] for one in facts("models", capsys, "--hub")] == [row.name for row in hub_presets.presets()]
    assert [one["key"] for one in facts("methods", capsys)] == list(camcore.METHODS)
    assert main(["methods", "--json", "--markdown"]) == 1
    assert "Leave one out" in capsys.readouterr().err


def test_trusted(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = facts("trust", capsys)
    assert (one["picture"], one["map"]["method"], one["form"]) == ("photo.png", "gradcam", "quick")
    assert one["verdict"]["headline"]


def test_trained_and_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    trained = facts("train", capsys)
    network = camcore.load("trained")
    assert (trained["state"], trained["labels"], trained["parameters"]) == (
        "trained",
        list(network.labels),
        network.parameters,
    )
    assert facts("train", capsys)["state"] == "finished before"
    told = facts("evaluate", capsys)
    assert sum(map(sum, told["confusion"])) == told["pictures"] == 24


def test_audited(capsys: pytest.CaptureFixture[str]) -> None:
    told = facts("audit", capsys)
    assert told["accuracy"]["correct"] == facts("evaluate", capsys)["accuracy"]["correct"]
    assert facts("review", capsys) == []
    decided = facts("decide", capsys)
    assert (decided["network"], decided["accuracy"][0]["correct"]) == ("small", told["accuracy"]["correct"])


def test_bias(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = facts("bias measure", capsys)
    assert (told["pictures"], told["label"], told["region"]) == (24, "down", {"box": [0, 0, 0.5, 1]})
    assert told["energy"]["low"] <= told["energy"]["value"] <= told["energy"]["high"]
    (home / "masks").mkdir()
    none = facts("bias measure", capsys, "small pictures --class down --masks masks")
    assert (none["pictures"], len(none["skipped"]), none["energy"]["value"]) == (0, 24, None)
    study = facts("bias study", capsys)
    assert [head["name"] for head in study["heads"]] == ["clean", "planted", "mended"]
