"""``python -m camcore check`` and ``spread``: exit codes, what is written, and that wrong input ends in a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import cued
import pytest

from camcore.__main__ import main
from camcore.release.policy import read_policy

STRICT = "[accuracy]\nat_least = 0.9\n[reasons_moved]\nat_most = 0.1\n"
LOOSE = "[accuracy]\nat_least = 0.9\n[evidence_inside_lost]\nat_most = 0.5\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = cued.pictures(tmp_path_factory.mktemp("gate"))
    for name, cue in (("old", 0.0), ("new", cued.CUE)):
        cued.model(cue).save(home / f"{name}.keras")
    (home / "labels.txt").write_text("red\nblue\n")
    (home / "strict.toml").write_text(STRICT)
    (home / "loose.toml").write_text(LOOSE)
    return home


@pytest.fixture(autouse=True)
def there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


FED = ["--labels", "labels.txt", "--preprocess", "unit", "--framing", "stretch"]
CHECK = ["check", "new.keras", "--against", "old.keras", "--data", "pictures", *FED]


def test_refused_with_reports(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--junit", "made/here/junit.xml", "--html", "report.html"]
    assert main([*CHECK, "--policy", "strict.toml", *files]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("refused: new may not replace old: 1 of 2 rules passed, 1 failed.")
    assert "failed        reasons_moved" in printed
    root = ElementTree.fromstring(Path("made/here/junit.xml").read_bytes())
    assert [len(list(root.iter(tag))) for tag in ("testcase", "failure")] == [2, 1]
    report = Path("report.html").read_text("utf-8")
    again = (
        rf"python -m camcore check {Path.cwd()}/new.keras --against \S+/old.keras --data pictures --policy strict.toml"
    )
    assert re.search(again, report)


def test_passed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CHECK, "--policy", "loose.toml", "--masks", "masks", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["passed"]
    assert [(one["rule"], one["state"]) for one in facts["rules"]] == [
        ("accuracy", "passed"),
        ("evidence_inside_lost", "passed"),
    ]
    assert facts["changes"]["same answer"] == 2 * cued.COUNT
    assert facts["new"]["weights_sha256"] != facts["old"]["weights_sha256"]


def test_audits_in_the_place_of_networks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CHECK, "--policy", "strict.toml"]) == 1
    old, new = (str(next(Path("camcore-check").glob(f"{name}-*"))) for name in ("old", "new"))
    assert main(["check", new, "--against", old, "--policy", "strict.toml"]) == 1
    assert main(["check", old, "--against", old, "--policy", "strict.toml"]) == 0
    capsys.readouterr()
    for words, said in (
        ([new, "--against", old, "--data", "pictures"], "--data pictures is of no use"),
        ([new, "--against", "old.keras", "--data", "pictures"], "not all of them are"),
    ):
        assert main(["check", *words, "--policy", "strict.toml"]) == 2
        assert said in capsys.readouterr().err


def test_what_cannot_be_checked_is_neither_passed_nor_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("typo.toml").write_text("[acuracy]\nat_least = 0.9")
    Path("file").write_text("")
    good = [*CHECK, "--policy", "strict.toml"]
    for words, said in (
        ([*CHECK, "--policy", "none.toml"], "none.toml"),
        ([*CHECK, "--policy", "typo.toml"], "Line 1: There is no rule 'acuracy'"),
        ([*good, "--masks", "nowhere"], "nowhere"),
        ([*good, "--junit", "pictures"], "it is a folder"),
        ([*good, "--html", "file/report.html"], "cannot be written"),
        ([*good, "--layer", "none"], "no layer"),
        (["check", "new.keras", "--against", "none.keras", "--data", "pictures", *good[-2:]], "none.keras"),
        (["check", "new.keras", "--against", "old.keras", *good[-2:]], "Give --data PICTURES"),
        ([*good[:5], "nowhere", *good[6:]], "nowhere"),
    ):
        assert main(words) == 2, words
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main(["check", "new.keras"])
    assert left.value.code == 2


def test_interrupted_it_says_how_to_go_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from camcore.audits import rows

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    command = [*CHECK, "--policy", "loose.toml", "--limit", "36"]
    with monkeypatch.context() as patch:
        patch.setattr(rows, "_rows", interrupted)
        assert main(command) == 130
    assert "stopped; the same command goes on from here, the audits are in camcore-check" in capsys.readouterr().err


def test_the_spread_is_a_policy(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    networks = ["spread", "new.keras", "old.keras", "--data", "pictures", *FED]
    assert main([*networks, "--by", "figure", "--out", "apart"]) == 0
    Path("spread.toml").write_text(capsys.readouterr().out)
    assert {rule.by for rule in read_policy("spread.toml").rules if rule.kind.interval} == {"figure"}
    assert main([*CHECK, "--policy", "spread.toml"]) == 0
    capsys.readouterr()
    audits = [str(folder) for folder in Path("apart").iterdir()]
    assert main(["spread", *audits, "--margin", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["margin"] == 1
    assert main(["spread", *audits, "--data", "pictures"]) == 1
    assert "of no use here" in capsys.readouterr().err
    assert main(["spread", audits[0], "old.keras"]) == 1
    assert "not all of them are" in capsys.readouterr().err
    capsys.readouterr()
    assert main(["spread", "old.keras", "--data", "pictures", *FED]) == 1
    assert "at least 2" in capsys.readouterr().err
